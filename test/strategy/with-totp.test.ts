// One field for the code of an authenticator app and for a backup code: passport.authenticate(['totp', 'backup-code']), whichever comes first.
import type { Request, RequestHandler } from 'express';
import { generate, generateSecret, verify } from 'otplib';
import { Strategy } from 'passport-strategy';
import { BackupCodeStrategy } from '../../lib';
import { ada, expresses, openHost, service, watch, type Answer, type Service } from './host';

const SECRET = generateSecret();

/** On a real TOTP library; remembers no time step, which an app must. */
class TotpStrategy extends Strategy {
  name = 'totp';

  override authenticate(req: Request): void {
    const { code } = req.body as { code?: unknown };
    if (typeof code !== 'string' || !/^\d{6}$/.test(code)) {
      this.fail({ code: 'malformed' }, 400);
      return;
    }
    // A test may begin in one step and end in the next.
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

describe.each(expresses)('on %s', (_name, express) => {
  describe.each(orders)('%s before %s', (...order) => {
    describe.each(['by name', 'by instance'])('%s', (how) => {
      async function open(): Promise<
        Service & { give(code: string): Promise<Answer>; told(code: string): Promise<unknown> }
      > {
        const made = service();
        const strategies = {
          totp: new TotpStrategy(),
          'backup-code': watch(
            new BackupCodeStrategy({ backupCodes: made.backupCodes, currentUser: () => ada }),
          ),
        };
        const site = await openHost(express, (app, { passport }) => {
          for (const strategy of Object.values(strategies)) passport.use(strategy);
          // Its types speak of names; instances have always done as well.
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
          told: async (code) => (await site.postForm('/callback', { code })).body,
        };
      }

      it('a code of the app lets in, and costs no hash and no attempt at the backup codes', async () => {
        const { give, issue, hasher, charged } = await open();
        await issue();
        expect((await give(await generate({ secret: SECRET }))).body).toEqual({
          user: ada,
          info: { method: 'totp', amr: ['otp'] },
        });
        expect([hasher.count, await charged()]).toEqual([0, 0]);
      });

      it('a code of the app lets in also where the channel of the backup codes is closed', async () => {
        const { give, issue, backupCodes, clock } = await open();
        const [right] = await issue();
        for (let guess = 0; guess < 50; guess += 1, clock.now += 3_600_000)
          await backupCodes.consume(ada.id, 'AAAA-AAAA');
        expect((await give(right!)).status).toBe(order[0] === 'totp' ? 400 : 429);
        expect(await backupCodes.status(ada.id)).toMatchObject({
          locked: { secondFactor: true, recovery: false },
          remaining: 10,
        });
        expect((await give(await generate({ secret: SECRET }))).body).toEqual({
          user: ada,
          info: { method: 'totp', amr: ['otp'] },
        });
      });

      it('a backup code lets in once', async () => {
        const { give, issue } = await open();
        const [code] = await issue();
        expect((await give(code!)).body).toMatchObject({
          user: ada,
          info: { method: 'backup-code', remaining: 9 },
        });
        expect((await give(code!)).status).toBe(order[0] === 'totp' ? 400 : 401);
      });

      it('a custom callback is told by each why not, in their order', async () => {
        const { told, issue } = await open();
        await issue();
        const codes = { totp: ['malformed', 400], 'backup-code': ['invalid_code', 401] } as const;
        expect(await told('AAAA-AAAA')).toEqual({
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
