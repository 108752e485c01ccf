// One field for a TOTP and a backup code: passport.authenticate(['totp', 'backup-code']), in both
// orders.
import type { Request, RequestHandler } from 'express';
import { generate, generateSecret, verify } from 'otplib';
import { Strategy } from 'passport-strategy';
import { BackupCodeStrategy } from '../../lib';
import {
  ada,
  expressVersions,
  openTestApp,
  makeService,
  watchActions,
  type Answer,
  type Service,
} from './test-app';

const SECRET = generateSecret();

/** On a real TOTP library. It remembers no time step, which an app must do. */
class TotpStrategy extends Strategy {
  name = 'totp';

  override authenticate(req: Request): void {
    const { code } = req.body as { code?: unknown };
    if (typeof code !== 'string' || !/^\d{6}$/.test(code)) {
      this.fail({ code: 'malformed' }, 400);
      return;
    }
    // A test may begin in one time step and end in the next.
    verify({ secret: SECRET, token: code, epochTolerance: 30 }).then(
      ({ valid }) => {
        if (valid) this.success(ada, { method: 'totp', amr: ['otp'] });
        else this.fail({ code: 'invalid_code' }, 401);
      },
      (error: unknown) => this.error(error as Error),
    );
  }
}

const orders = [
  ['totp', 'backup-code'],
  ['backup-code', 'totp'],
];

describe.each(expressVersions)('on %s', (_name, express) => {
  describe.each(orders)('%s before %s', (...order) => {
    describe.each(['by name', 'by instance'])('%s', (how) => {
      async function open(): Promise<
        Service & {
          give(code: string): Promise<Answer>;
          failuresOf(code: string): Promise<unknown>;
        }
      > {
        const made = makeService();
        const strategies = {
          totp: new TotpStrategy(),
          'backup-code': watchActions(
            new BackupCodeStrategy({ backupCodes: made.backupCodes, currentUser: () => ada }),
          ),
        };
        const site = await openTestApp(express, (app, { passport }) => {
          for (const strategy of Object.values(strategies)) passport.use(strategy);
          // The types allow names only. Passport accepts instances too.
          const given = (
            how === 'by name'
              ? order
              : order.map((name) => strategies[name as keyof typeof strategies])
          ) as string[];
          app.post(
            '/login',
            passport.authenticate(given, { session: false }) as RequestHandler,
            (req, res) => res.json({ user: req.user, info: req.authInfo }),
          );
          app.post('/callback', (req, res, next) => {
            const answer = (
              _error: unknown,
              user: unknown,
              info: unknown,
              status: unknown,
            ): unknown => res.json({ user, info, status });
            (passport.authenticate(given, answer) as RequestHandler)(req, res, next);
          });
        });
        return {
          ...made,
          give: (code) => site.postForm('/login', { code }),
          failuresOf: async (code) => (await site.postForm('/callback', { code })).body,
        };
      }

      it('a TOTP lets the user in, and costs no hash and no backup code attempt', async () => {
        const { give, issue, hasher, countAttempts } = await open();
        await issue();
        expect((await give(await generate({ secret: SECRET }))).body).toEqual({
          user: ada,
          info: { method: 'totp', amr: ['otp'] },
        });
        expect([hasher.count, await countAttempts()]).toEqual([0, 0]);
      });

      it('a TOTP works even if the backup codes are locked', async () => {
        const { give, issue, backupCodes, clock } = await open();
        const [valid] = await issue();
        for (let guess = 0; guess < 50; guess += 1, clock.now += 3_600_000)
          await backupCodes.consume(ada.id, 'AAAA-AAAA');
        expect((await give(valid!)).status).toBe(order[0] === 'totp' ? 400 : 429);
        expect(await backupCodes.status(ada.id)).toMatchObject({
          locked: { secondFactor: true, recovery: false },
          remaining: 10,
        });
        expect((await give(await generate({ secret: SECRET }))).body).toEqual({
          user: ada,
          info: { method: 'totp', amr: ['otp'] },
        });
      });

      it('a backup code lets the user in once', async () => {
        const { give, issue } = await open();
        const [code] = await issue();
        expect((await give(code!)).body).toMatchObject({
          user: ada,
          info: { method: 'backup-code', remaining: 9 },
        });
        expect((await give(code!)).status).toBe(order[0] === 'totp' ? 400 : 401);
      });

      it('a custom callback gets the failure of each strategy, in their order', async () => {
        const { failuresOf, issue } = await open();
        await issue();
        const codes = { totp: ['malformed', 400], 'backup-code': ['invalid_code', 401] } as const;
        expect(await failuresOf('AAAA-AAAA')).toEqual({
          user: false,
          info: order.map((name) =>
            expect.objectContaining({ code: codes[name as keyof typeof codes][0] }),
          ),
          status: order.map((name) => codes[name as keyof typeof codes][1]),
        });
      });
    });
  });
});
