// Logins that begin at another provider. Every value of its assertion is recorded, and only those
// that name a factor count as one.
import type { Express } from 'express';
import {
  beginLogin,
  completeLogin,
  requireAssurance,
  type BeginLoginOptions,
} from '../../lib/express';
import type { Browser } from './browser';
import { LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;

const sso = (...amr: string[]): Partial<BeginLoginOptions> => ({ methods: ['sso'], amr });

async function open(begin: Partial<BeginLoginOptions>): Promise<void> {
  const routes = (app: Express, { now, users }: LoginSite): void => {
    app.post('/login/included', (req, res, next) => {
      const user = users['ada'] as Express.User;
      const begun = beginLogin(req, user, { amr: ['pwd'], now, ...begin });
      begun
        .then(() => completeLogin(req, { secondFactor: 'included', now }))
        .then((done) => res.json(done), next);
    });
    app.get('/two', requireAssurance({ now }), (_req, res) => res.json({ in: true }));
    app.get('/own', requireAssurance({ now, factors: 1, except: ['sso'] }), (_req, res) =>
      res.json({ in: true }),
    );
  };
  site = await LoginSite.open({ begin, routes });
  browser = site.browser();
}

afterEach(() => site.shut());

const status = async (path: string): Promise<number> => (await browser.get(path)).status;

describe('an assertion before a backup code', () => {
  test.each([
    [['fed'], ['fed', 'otp'], 'aal1'],
    [['pwd'], ['pwd', 'otp', 'mfa'], 'aal2'],
    [['pwd', 'hwk'], ['pwd', 'hwk', 'otp', 'mfa'], 'aal2'],
    [['hwk'], ['hwk', 'otp'], 'aal1'],
    [['mfa'], ['otp', 'mfa'], 'aal2'],
    [['fed', 'mfa'], ['fed', 'otp', 'mfa'], 'aal2'],
    [['urn:example:badge'], ['urn:example:badge', 'otp'], 'aal1'],
  ])(
    'an assertion of %j followed by a backup code is recorded as %j, which is %s',
    async (asserted, amr, acr) => {
      await open(sso(...asserted));
      expect((await browser.post('/login', { user: 'ada' })).body.pending).toMatchObject({
        methods: ['sso'],
        amr: expect.arrayContaining(asserted),
      });
      expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
        user: 'ada',
        methods: ['sso', 'backup-code'],
        amr,
        acr,
      });
      expect(await status('/two')).toBe(acr === 'aal2' ? 200 : 401);
      expect(await status('/own')).toBe(200);
    },
  );

  test('every value of a long assertion is kept', async () => {
    const many = Array.from({ length: 16 }, (_, n) => `x${n}`);
    await open(sso(...many));
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/login/backup-code', { code: 'valid' })).body.amr).toEqual([
      ...many,
      'otp',
    ]);
    expect(await status('/own')).toBe(200);
  });
});

describe('an assertion of two kinds of factor', () => {
  test.each([[['mfa']], [['pwd', 'mfa']], [['pwd', 'otp']], [['hwk', 'pin']]])(
    'an assertion of %j is enough if the app says so',
    async (amr) => {
      await open(sso(...amr));
      const { body } = await browser.post('/login/included');
      expect(body).toMatchObject({ methods: ['sso'], acr: 'aal2' });
      expect(new Set(body.amr)).toEqual(new Set([...amr, 'mfa']));
      expect(await status('/two')).toBe(200);
      expect(await status('/own')).toBe(401);
    },
  );

  test.each([[['fed']], [['pwd']], [['hwk']], [['otp', 'sms']]])(
    'an assertion of %j alone logs no user in',
    async (amr) => {
      await open(sso(...amr));
      expect((await browser.post('/login/included')).body).toMatchObject({
        error: 'invalid_option',
        message: expect.stringContaining("'included'"),
      });
      expect((await browser.get('/whoami')).body).toMatchObject({
        user: null,
        isAuthenticated: false,
        pending: { userId: 'ada' },
      });
      expect((await browser.post('/login/backup-code', { code: 'valid' })).body).toMatchObject({
        user: 'ada',
      });
    },
  );

  test('"mfa" is accepted only from single sign-on', async () => {
    await open({ amr: ['pwd', 'mfa'], methods: ['pwd'] });
    expect((await browser.post('/login/included')).body).toMatchObject({ error: 'invalid_option' });
    await site.shut();
    await open({ amr: ['mfa'] });
    await browser.post('/note', { note: 'kept' });
    expect((await browser.post('/login', { user: 'ada' })).body).toMatchObject({
      error: 'invalid_option',
      message: expect.stringContaining("['sso']"),
    });
    expect((await browser.get('/whoami')).body).toMatchObject({ note: 'kept', pending: null });
  });
});
