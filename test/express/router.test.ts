import { BackupCodes, MemoryStore } from '../../lib';
import { backupCodesRouter, type BackupCodesRouterOptions } from '../../lib/express';
import { failure } from '../helpers/errors';
import { atOnce } from '../helpers/service';
import { storeFault } from '../helpers/watched-store';
import { ask, expresses, openCodeSite, type CodeSite, type RouterAnswer } from './router-apps';
import { express5 } from './login-site';

const CHANGES = ['POST /', 'POST /stage', 'POST /activate', 'DELETE /'];
let open: CodeSite;

afterEach(() => (open as CodeSite | undefined)?.shut());

/** An answer that makes no set shows no code. */
function expectNoCodes({ text, headers }: RouterAnswer): void {
  expect(text).not.toMatch(/[A-Z2-9]{4}-[A-Z2-9]{4}/);
  expect([...headers].join('\n')).not.toMatch(/[A-Z2-9]{4}-[A-Z2-9]{4}/);
}

describe.each(expresses)('on %s', (_name, express) => {
  beforeEach(async () => {
    open = await openCodeSite(express);
  });

  describe('a user who has just shown both factors', () => {
    test('the status of a user without a set is null', async () => {
      const { status, body } = await ask(await open.loggedIn(), 'GET /');
      expect([status, body]).toEqual([200, { set: null }]);
    });

    test('issuing makes a set that works, and shows its codes in that answer only', async () => {
      const browser = await open.loggedIn();
      const made = await ask(browser, 'POST /', { body: {} });
      expect(made).toMatchObject({
        status: 201,
        body: {
          setId: expect.any(String),
          codes: expect.any(Array),
          createdAt: open.clock.now(),
          expiresAt: expect.any(Number),
        },
      });
      expect([made.body.codes.length, open.hasher.count]).toEqual([10, 10]);
      const status = await ask(browser, 'GET /');
      expect(status.body.set).toEqual(await open.backupCodes.status('ada'));
      expect(status.body.set).toMatchObject({ setId: made.body.setId, remaining: 10 });
      expectNoCodes(status);
      expect(await open.backupCodes.consume('ada', made.body.codes[3])).toMatchObject({
        ok: true,
        remaining: 9,
      });
    });

    test('the old set works until a staged one is activated', async () => {
      const {
        codes: [old, oldToo],
      } = await open.backupCodes.issue('ada');
      const browser = await open.loggedIn();
      const staged = await ask(browser, 'POST /stage', { body: {} });
      expect(staged.status).toBe(201);
      expect(await open.backupCodes.consume('ada', staged.body.codes[0])).toMatchObject({
        ok: false,
      });
      expect(await open.backupCodes.consume('ada', old)).toMatchObject({ ok: true });
      const activated = await ask(browser, 'POST /activate', {
        body: { setId: staged.body.setId },
      });
      expect([activated.status, activated.body]).toEqual([200, { setId: staged.body.setId }]);
      expectNoCodes(activated);
      expect(await open.backupCodes.consume('ada', oldToo)).toMatchObject({ ok: false });
      expect(await open.backupCodes.consume('ada', staged.body.codes[0])).toMatchObject({
        ok: true,
      });
    });

    test('activating twice gives the same answer twice, and activates the set once', async () => {
      const browser = await open.loggedIn();
      const {
        body: { setId },
      } = await ask(browser, 'POST /stage', { body: {} });
      const answers = [
        ...(await atOnce(2, () => ask(browser, 'POST /activate', { body: { setId } }))),
        await ask(browser, 'POST /activate', { body: { setId } }),
      ];
      expect(answers.map(({ status, body }) => [status, body])).toEqual(
        Array(3).fill([200, { setId }]),
      );
      expect(open.received.filter(({ type }) => type === 'activated')).toHaveLength(1);
    });

    test('a set that is not staged for this user cannot be activated', async () => {
      const [ada, bob] = [await open.loggedIn(), await open.loggedIn('bob')];
      const ofBob = await ask(bob, 'POST /stage', { body: {} });
      const earlier = await ask(ada, 'POST /stage', { body: {} });
      await ask(ada, 'POST /stage', { body: {} });
      const answers = [];
      for (const setId of [ofBob.body.setId, earlier.body.setId, 'recovery'])
        answers.push(await ask(ada, 'POST /activate', { body: { setId } }));
      expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
        Array(3).fill([409, 'not_staged']),
      );
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
      expect(await open.backupCodes.status('ada')).toBeNull();
      expect((await ask(bob, 'POST /activate', { body: { setId: ofBob.body.setId } })).status).toBe(
        200,
      );
    });

    test('revoking ends the set and says whether there was one', async () => {
      const {
        codes: [code],
      } = await open.backupCodes.issue('ada');
      const browser = await open.loggedIn();
      expect((await ask(browser, 'DELETE /', { body: {} })).body).toEqual({ revoked: true });
      expect(await open.backupCodes.consume('ada', code)).toMatchObject({ ok: false });
      const again = await ask(browser, 'DELETE /', { body: {} });
      expect([again.status, again.body]).toEqual([200, { revoked: false }]);
    });

    test('a user can change only their own set', async () => {
      const { setId } = await open.backupCodes.issue('bob');
      const browser = await open.loggedIn();
      await ask(browser, 'POST /', {
        body: { userId: 'bob', id: 'bob' },
        headers: { 'x-user-id': 'bob' },
      });
      await ask(browser, 'DELETE /', { body: { userId: 'bob' } });
      expect(await open.backupCodes.status('bob')).toMatchObject({ setId, remaining: 10 });
    });

    test('a user cannot choose the codes', async () => {
      const { body } = await ask(await open.loggedIn(), 'POST /', {
        body: { codes: ['AAAA-AAAA'], count: 1, setId: 'mine', format: 'numeric' },
      });
      expect(body.codes).toHaveLength(10);
      expect(body.setId).not.toBe('mine');
      expect(body.codes).not.toContain('AAAA-AAAA');
    });
  });

  describe('a new set', () => {
    test('a new set during a login refuses the old codes and accepts the new ones', async () => {
      const {
        codes: [old],
      } = await open.backupCodes.issue('ada');
      const [laptop, phone] = [await open.loggedIn(), open.site.browser()];
      await phone.post('/login', { user: 'ada' });
      for (let i = 0; i < 5; i += 1) await phone.post('/login/code', { code: 'AAAA-AAAA' });
      expect((await phone.post('/login/code', { code: old })).status).toBe(429);
      const {
        body: { codes },
      } = await ask(laptop, 'POST /', { body: {} });
      expect((await phone.post('/login/code', { code: old })).status).toBe(401);
      expect(await phone.post('/login/code', { code: codes[0] })).toMatchObject({
        status: 200,
        body: { methods: ['pwd', 'backup-code'] },
      });
    });

    test('a new set logs no user out', async () => {
      const [laptop, phone] = [await open.loggedIn(), await open.loggedIn()];
      await ask(laptop, 'POST /', { body: {} });
      for (const browser of [laptop, phone])
        expect((await browser.get('/whoami')).body).toMatchObject({
          user: 'ada',
          isAuthenticated: true,
        });
    });

    test('a user who logged in with the last code can make a new set', async () => {
      const {
        codes: [code],
      } = await open.backupCodes.issue('ada');
      const browser = open.site.browser();
      await browser.post('/login', { user: 'ada' });
      await browser.post('/login/code', { code });
      expect((await ask(browser, 'POST /stage', { body: {} })).status).toBe(201);
    });
  });

  describe('a request that the default guard stops', () => {
    let before: unknown;
    let hashes: number;
    beforeEach(async () => {
      await open.backupCodes.issue('ada');
      before = await open.backupCodes.status('ada');
      hashes = open.hasher.count;
    });
    const expectUnchanged = async (): Promise<void> => {
      expect(await open.backupCodes.status('ada')).toEqual(before);
      expect(open.hasher.count).toBe(hashes);
      expect(open.received.map(({ type }) => type)).toEqual(['issued']);
    };

    test.each(CHANGES)(
      '%s changes nothing if the factors were shown six minutes ago, and asks for them again',
      async (at) => {
        const answer = await ask(await open.loggedInSixMinutesAgo(), at, { body: { setId: 'x' } });
        expect(answer).toMatchObject({
          status: 401,
          body: {
            code: 'insufficient_user_authentication',
            acr_values: 'aal2',
            max_age: 300,
            fresh: [],
          },
        });
        expect(answer.headers.get('www-authenticate')).toMatch(
          /^Bearer error="insufficient_user_authentication"/,
        );
        expectNoCodes(answer);
        await expectUnchanged();
      },
    );

    test.each(CHANGES)('%s changes nothing after a password alone', async (at) => {
      const browser = open.site.browser();
      await browser.post('/login', { user: 'ada' });
      expect(await ask(browser, at, { body: { setId: 'x' } })).toMatchObject({
        status: 401,
        body: { code: 'login_required' },
      });
      await browser.post('/login/password-only', { user: 'ada' });
      expect(await ask(browser, at, { body: { setId: 'x' } })).toMatchObject({
        status: 401,
        body: { code: 'insufficient_user_authentication' },
      });
      await expectUnchanged();
    });

    test.each(['GET /', ...CHANGES])(
      '%s without a login is answered with 401 and changes nothing',
      async (at) => {
        const answer = await ask(
          open.site.browser(),
          at,
          at === 'GET /' ? {} : { body: { setId: 'x' } },
        );
        expect(answer).toMatchObject({
          status: 401,
          body: { code: 'login_required', message: expect.any(String) },
        });
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        await expectUnchanged();
      },
    );
  });

  test('the status needs no fresh factor', async () => {
    expect((await ask(await open.loggedInSixMinutesAgo(), 'GET /')).status).toBe(200);
  });

  test('audit events record the address and the browser, and no actor', async () => {
    const browser = await open.loggedIn();
    const headers = { 'user-agent': 'Firefox' };
    const {
      body: { setId },
    } = await ask(browser, 'POST /stage', { body: {}, headers });
    await ask(browser, 'POST /activate', { body: { setId }, headers });
    await ask(browser, 'POST /', { body: {}, headers });
    await ask(browser, 'DELETE /', { body: {}, headers });
    expect(open.received.map(({ type, userId, context }) => [type, userId, context])).toEqual(
      ['staged', 'activated', 'issued', 'revoked'].map((type) => [
        type,
        'ada',
        {
          ip: '127.0.0.1',
          userAgent: 'Firefox',
          requestId: null,
          actor: null,
          channel: 'second_factor',
        },
      ]),
    );
  });

  test('an unexpected error goes to the error handler of the app', async () => {
    const browser = await open.loggedIn();
    open.watched.failAt(1, 'before');
    const answer = await ask(browser, 'GET /');
    expect([answer.status, answer.body.message, answer.headers.get('cache-control')]).toEqual([
      500,
      storeFault.message,
      'no-store',
    ]);
  });
});

test('0 is a user id', async () => {
  open = await openCodeSite(express5);
  expect((await ask(await open.loggedIn('zero'), 'POST /', { body: {} })).status).toBe(201);
  expect(await open.backupCodes.status(0)).toMatchObject({ remaining: 10 });
});

describe('options', () => {
  const backupCodes = new BackupCodes({ store: new MemoryStore() });
  const make = (options: object) => () => backupCodesRouter(options as BackupCodesRouterOptions);

  test.each([
    ['a missing BackupCodes', {}, 'backupCodes'],
    [
      'a BackupCodes that lacks a method',
      { backupCodes: { status: () => null } },
      'issue, stage, activate, revoke',
    ],
    ['a guard that is not a function', { backupCodes, guard: true }, 'guard'],
    ['a userId that is not a function', { backupCodes, userId: 'ada' }, 'userId'],
    ['a context that is not a function', { backupCodes, context: {} }, 'context'],
    ['an option with a typing mistake', { backupCodes, gaurd: () => undefined }, '"guard"'],
  ])('backupCodesRouter refuses %s when the router is made', (_what, options, said) => {
    expect(make(options)).toThrow(failure('invalid_option'));
    expect(make(options)).toThrow(said);
  });
});
