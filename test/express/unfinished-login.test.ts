// A code that was consumed for a login that then failed: nobody gets in, the code stays consumed, and the audit trail says so.
import type { Express, NextFunction, Request, Response } from 'express';
import { BackupCodes, BackupCodeStrategy, MemoryStore, type Verify } from '../../lib';
import { completeLogin, pendingLogin } from '../../lib/express';
import { watchStore, type WatchedStore } from '../helpers/watched-store';
import { countingHasher } from '../helpers/counting-hasher';
import { Site, type Browser } from './login-site';

let site: Site;
let browser: Browser;
let watched: WatchedStore;
let backupCodes: BackupCodes;
let codes: readonly string[];
const store = { current: new MemoryStore() };

/** A site whose `/codes` is a real backup code after a password. */
async function open(verify?: Verify<Express.User>): Promise<void> {
  store.current = new MemoryStore();
  watched = watchStore(store.current);
  backupCodes = new BackupCodes({ store: watched.store, hasher: countingHasher() });
  site = await Site.open({
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
  [', with a last word of the app', (user, _info, done) => done(null, user)],
])('a login that succeeds is no unfinished one%s', async (_how, verify) => {
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
  'where %s, the event names the code, which is spent, and the next one works',
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
  ['gives an error', (_user, _info, done) => done(new Error('the last word failed')), 500],
  [
    'throws',
    () => {
      throw new Error('the last word failed');
    },
    500,
  ],
])(
  'where verify %s after the code was consumed, the event says so',
  async (_what, verify, expected) => {
    await open(verify);
    expect((await browser.post('/codes', { code: codes[0] })).status).toBe(expected);
    expect(trail().map(([type]) => type)).toEqual(['issued', 'consumed', 'login_unfinished']);
  },
);

test('a code that was wrong leaves no login unfinished', async () => {
  await open();
  await browser.post('/codes', { code: 'AAAA-AAAA' });
  expect(trail().map(([type]) => type)).toEqual(['issued', 'rejected']);
});

test('an audit that fails too changes nothing of the answer', async () => {
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

test('listeners are told, so that the owner can be', async () => {
  await open();
  const told: unknown[] = [];
  backupCodes.on('login_unfinished', ({ userId, codeId }) => told.push([userId, codeId]));
  site.serialize.fails = true;
  await browser.post('/codes', { code: codes[0] });
  expect(told).toEqual([['ada', trail()[1]?.[1]]]);
});
