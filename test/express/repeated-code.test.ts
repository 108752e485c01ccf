// A code that is sent again for the pending login that it was consumed for: after the process died,
// by a proxy, or by a double click. The login is completed once.
import type { Express, NextFunction, Request, Response } from 'express';
import { BackupCodes, BackupCodeStrategy, MemoryStore } from '../../lib';
import { completeLogin, pendingLogin } from '../../lib/express';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher } from '../helpers/counting-hasher';
import type { Browser } from './browser';
import { LoginSite } from './login-site';

const SECONDS = 1000;

let site: LoginSite;
let browser: Browser;
let store: MemoryStore;
let backupCodes: BackupCodes;
let codes: readonly string[];
/** What the route does between the code and the session. */
let beforeSession: (req: Request, res: Response) => Promise<void>;

beforeEach(async () => {
  beforeSession = () => Promise.resolve();
  store = new MemoryStore();
  backupCodes = new BackupCodes({ store, hasher: countingHasher() });
  site = await LoginSite.open({ routes: addRoute });
  browser = site.browser();
  ({ codes } = await backupCodes.issue('ada'));
  await browser.post('/login', { user: 'ada' });
});

afterEach(() => site.shut());

function addRoute(app: Express, { passport, now, userById }: LoginSite): void {
  passport.use(
    'real',
    new BackupCodeStrategy<Express.User>({
      backupCodes,
      currentUser: (req) => {
        const pending = pendingLogin(req, { now });
        return pending === null ? undefined : userById.call(site, pending.userId);
      },
      userId: (user) => Reflect.get(user, 'id') as string,
    }),
  );
  app.post(
    '/codes',
    passport.authenticate('real', { session: false }),
    (req: Request, res: Response, next: NextFunction) => {
      beforeSession(req, res)
        .then(() => completeLogin(req, { now }))
        .then((done) => res.json(done), next);
    },
  );
}

/** The process dies: the request is neither answered nor continued. */
function dieOnce(): void {
  beforeSession = (req) => {
    beforeSession = () => Promise.resolve();
    req.socket.destroy();
    return new Promise(() => undefined);
  };
}

const sendCode = (from: Browser = browser, code = codes[0]): ReturnType<Browser['post']> =>
  from.post('/codes', { code });
const trail = (): string[] => store.auditTrail.map(({ type }) => type);

async function remaining(): Promise<number | undefined> {
  return (await backupCodes.status('ada'))?.remaining;
}

test(
  'after the process died, the same code completes the same pending login, once',
  async () => {
    dieOnce();
    await expect(sendCode()).rejects.toThrow('fetch failed');
    const otherTab = browser.copy();
    expect((await sendCode()).status).toBe(200);
    expect((await browser.get('/whoami')).body).toMatchObject({
      user: 'ada',
      isAuthenticated: true,
    });
    expect(await remaining()).toBe(9);
    expect(trail()).toEqual(['issued', 'consumed', 'login_resumed']);
    expect((await sendCode(otherTab)).status).toBe(401);
  },
  20 * SECONDS,
);

test(
  'the attempt with a repeated code is not charged',
  async () => {
    dieOnce();
    await expect(sendCode()).rejects.toThrow('fetch failed');
    await sendCode();
    expect((await store.find(userSubject('ada')))?.secondFactor.attempts).toBe(0);
  },
  20 * SECONDS,
);

test(
  'of several repeated codes after the process died, one completes the login',
  async () => {
    dieOnce();
    await expect(sendCode()).rejects.toThrow('fetch failed');
    const tabs = [browser, browser.copy(), browser.copy()];
    const answers = await Promise.all(tabs.map((tab) => sendCode(tab)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 500, 500]);
    expect(answers.map(({ body }) => body.error).filter(Boolean)).toEqual([
      'no_pending_login',
      'no_pending_login',
    ]);
    expect(trail()).toEqual(['issued', 'consumed', 'login_resumed']);
  },
  20 * SECONDS,
);

test('of two clicks at once, one completes the login, and none counts as unfinished', async () => {
  let continueFirst: () => void = () => undefined;
  const isSecondHere = new Promise<void>((resolve) => (continueFirst = resolve));
  beforeSession = () => {
    beforeSession = () => {
      continueFirst();
      return Promise.resolve();
    };
    return isSecondHere;
  };
  const answers = await Promise.all([sendCode(), sendCode(browser.copy())]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 500]);
  expect(answers.map(({ body }) => body.error).filter(Boolean)).toEqual(['no_pending_login']);
  expect(trail()).toEqual(['issued', 'consumed']);
});

test(
  'a first request that is late completes no login that a repeated one completed',
  async () => {
    let finishFirst: () => void = () => undefined;
    beforeSession = () => {
      beforeSession = () => Promise.resolve();
      return new Promise((resolve) => (finishFirst = resolve));
    };
    const first = sendCode(browser.copy());
    while (!trail().includes('consumed')) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await sendCode()).status).toBe(200);
    finishFirst();
    const { status, body } = await first;
    expect([status, body.error]).toEqual([500, 'no_pending_login']);
    expect((await browser.get('/whoami')).body).toMatchObject({ user: 'ada' });
    expect(trail()).toEqual(['issued', 'consumed', 'login_resumed']);
  },
  20 * SECONDS,
);

test('a repeated request in another process does not write the pending login back', async () => {
  // Two processes share the sessions, and each knows which of them it has ended itself.
  const sites = await Promise.all([1, 2].map(() => openSharedSite()));
  const [here, there] = sites.map((shared) => shared.browser()) as [Browser, Browser];
  await here.post('/login', { user: 'ada' });
  there.cookie = here.cookie;
  let finishFirst: () => void = () => undefined;
  beforeSession = () => {
    beforeSession = () => Promise.resolve();
    return new Promise((resolve) => (finishFirst = resolve));
  };
  const first = sendCode(here.copy());
  while (!trail().includes('consumed')) await new Promise((resolve) => setTimeout(resolve, 5));
  beforeSession = () => {
    finishFirst();
    return Promise.resolve();
  };
  expect((await sendCode(there)).body).toMatchObject({ error: 'no_pending_login' });
  expect((await first).status).toBe(200);
  expect((await sendCode(there)).status).toBe(401);
  await Promise.all(sites.map((shared) => shared.shut()));
});

/** A process of its own, with `resave` on: each request writes its session when it ends. */
async function openSharedSite(): Promise<LoginSite> {
  const shared = await LoginSite.open({ routes: addRoute, sessionOptions: { resave: true } });
  Reflect.set(shared.store, 'sessions', Reflect.get(site.store, 'sessions'));
  return shared;
}

test('a session store of files has no session that the first request ended', async () => {
  let finishFirst: () => void = () => undefined;
  beforeSession = () => {
    beforeSession = () => Promise.resolve();
    return new Promise((resolve) => (finishFirst = resolve));
  };
  const first = sendCode(browser.copy());
  while (!trail().includes('consumed')) await new Promise((resolve) => setTimeout(resolve, 5));
  beforeSession = () => {
    // As session-file-store answers. express-session reads it as no session.
    Reflect.set(site.store, 'get', (_id: string, done: (error: unknown) => void) =>
      done(Object.assign(new Error('no such file'), { code: 'ENOENT' })),
    );
    return Promise.resolve();
  };
  expect((await sendCode()).body).toMatchObject({ error: 'no_pending_login' });
  finishFirst();
  expect((await first).status).toBe(200);
});

test(
  'a login that a repeated code claimed and could not complete is unfinished',
  async () => {
    dieOnce();
    await expect(sendCode()).rejects.toThrow('fetch failed');
    site.serialize.fails = true;
    expect((await sendCode()).body).toMatchObject({ error: 'login_unfinished' });
    expect(trail()).toEqual(['issued', 'consumed', 'login_resumed', 'login_unfinished']);
  },
  20 * SECONDS,
);

test(
  'a late first request that no other one overtook claims the login and completes it',
  async () => {
    beforeSession = () => new Promise((resolve) => setTimeout(resolve, 5.2 * SECONDS));
    expect((await sendCode()).status).toBe(200);
    expect(trail()).toEqual(['issued', 'consumed', 'login_resumed']);
  },
  20 * SECONDS,
);

test('in another pending login the code is spent', async () => {
  dieOnce();
  await expect(sendCode()).rejects.toThrow('fetch failed');
  await browser.post('/login', { user: 'ada' });
  expect((await sendCode()).status).toBe(401);
  expect(trail()).toEqual(['issued', 'consumed', 'rejected']);
});

test('another code of the same pending login is another consumption', async () => {
  dieOnce();
  await expect(sendCode()).rejects.toThrow('fetch failed');
  expect((await sendCode(browser, codes[1])).status).toBe(200);
  expect(await remaining()).toBe(8);
  expect(trail()).toEqual(['issued', 'consumed', 'consumed']);
});

test(
  'a response that a time-out sent first leaves the pending login, and the code completes it',
  async () => {
    beforeSession = (_req, res) => {
      beforeSession = () => Promise.resolve();
      res.status(503).json({});
      return Promise.resolve();
    };
    expect((await sendCode()).status).toBe(503);
    expect((await sendCode()).status).toBe(200);
    expect(trail()).toEqual(['issued', 'consumed', 'login_unfinished', 'login_resumed']);
  },
  20 * SECONDS,
);
