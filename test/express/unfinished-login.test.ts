// A code that was consumed for a login that then failed. No user gets in, the code stays consumed,
// and the audit trail says so.
import type { Express, NextFunction, Request, Response } from 'express';
import { BackupCodes, BackupCodeStrategy, MemoryStore, type Verify } from '../../lib';
import { completeLogin, pendingLogin } from '../../lib/express';
import { watchStore, type WatchedStore } from '../helpers/watched-store';
import { countingHasher } from '../helpers/counting-hasher';
import type { Browser } from './browser';
import { LoginSite } from './login-site';

let site: LoginSite;
let browser: Browser;
let watched: WatchedStore;
let backupCodes: BackupCodes;
let codes: readonly string[];
const store = { current: new MemoryStore() };

/** A site whose `/codes` takes a real backup code after a password. */
async function open(verify?: Verify<Express.User>): Promise<void> {
  store.current = new MemoryStore();
  watched = watchStore(store.current);
  backupCodes = new BackupCodes({ store: watched.store, hasher: countingHasher() });
  site = await LoginSite.open({
    routes: (app: Express, { passport, now, userById }) => {
      const currentUser = (req: Request): Express.User | undefined => {
        const pending = pendingLogin(req, { now });
        return pending === null ? undefined : userById.call(site, pending.userId);
      };
      passport.use(
        'real',
        new BackupCodeStrategy<Express.User>(
          { backupCodes, currentUser, userId: (user) => Reflect.get(user, 'id') as string },
          verify,
        ),
      );
      app.post(
        '/codes',
        passport.authenticate('real', { session: false }),
        (req: Request, res: Response, next: NextFunction) => {
          completeLogin(req, { now }).then((done) => res.json(done), next);
        },
      );
    },
  });
  browser = site.browser();
  ({ codes } = await backupCodes.issue('ada'));
  await browser.post('/login', { user: 'ada' });
}

const trail = (): [string, string | null][] =>
  store.current.auditTrail.map(({ type, codeId }) => [type, codeId]);

afterEach(() => site.shut());

test.each<[string, Verify<Express.User> | undefined]>([
  ['', undefined],
  [', with a verify callback', (user, _info, done) => done(null, user)],
])('a login that succeeds leaves no login_unfinished event%s', async (_how, verify) => {
  await open(verify);
  expect((await browser.post('/codes', { code: codes[0] })).status).toBe(200);
  expect(trail().map(([type]) => type)).toEqual(['issued', 'consumed']);
});

test.each<[string, () => void, string]>([
  ['the session store is down', () => site.store.failAtWrite(1), 'login_unfinished'],
  ['serializeUser fails', () => (site.serialize.fails = true), 'login_unfinished'],
  [
    'the pending login ends between the code and the session',
    () => {
      let seconds = 3600;
      backupCodes.on('consumed', () => {
        site.passSeconds(seconds);
        seconds = 0;
      });
    },
    'no_pending_login',
  ],
])(
  'if %s, the event names the code, which is spent, and the next code works',
  async (_what, breakIt, error) => {
    await open();
    breakIt();
    const { status, body } = await browser.post('/codes', { code: codes[0] });
    expect([status, body.error]).toEqual([500, error]);
    const [, consumed, unfinished] = trail();
    expect([consumed?.[0], unfinished]).toEqual(['consumed', ['login_unfinished', consumed?.[1]]]);
    expect(store.current.auditTrail.at(-1)).toMatchObject({
      userId: 'ada',
      context: { ip: '127.0.0.1', channel: 'second_factor' },
    });
    site.store.recover();
    site.serialize.fails = false;
    await browser.post('/login', { user: 'ada' });
    expect((await browser.post('/codes', { code: codes[0] })).status).toBe(401);
    expect((await browser.post('/codes', { code: codes[1] })).status).toBe(200);
  },
);

test.each<[string, Verify<Express.User>, number]>([
  ['refuses', (_user, _info, done) => done(null, false), 401],
  ['gives an error', (_user, _info, done) => done(new Error('verify failed')), 500],
  [
    'throws',
    () => {
      throw new Error('verify failed');
    },
    500,
  ],
])(
  'if verify %s after the code was consumed, there is a login_unfinished event',
  async (_what, verify, expected) => {
    await open(verify);
    expect((await browser.post('/codes', { code: codes[0] })).status).toBe(expected);
    expect(trail().map(([type]) => type)).toEqual(['issued', 'consumed', 'login_unfinished']);
  },
);

test('an invalid code leaves no login_unfinished event', async () => {
  await open();
  await browser.post('/codes', { code: 'AAAA-AAAA' });
  expect(trail().map(([type]) => type)).toEqual(['issued', 'rejected']);
});

test('the answer is the same if the audit trail fails too', async () => {
  await open();
  site.serialize.fails = true;
  watched.before('append', () => {
    throw new Error('the audit is down');
  });
  expect((await browser.post('/codes', { code: codes[0] })).body).toMatchObject({
    error: 'login_unfinished',
    cause: 'serializeUser failed',
  });
});

test('listeners receive the event, so the app can notify the owner', async () => {
  await open();
  const events: unknown[] = [];
  backupCodes.on('login_unfinished', ({ userId, codeId }) => events.push([userId, codeId]));
  site.serialize.fails = true;
  await browser.post('/codes', { code: codes[0] });
  expect(events).toEqual([['ada', trail()[1]?.[1]]]);
});
