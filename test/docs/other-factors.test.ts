// Runs the code of docs/other-factors.md: backup codes beside an authenticator app, codes by SMS
// and a security key.
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import session from 'express-session';
import Database from 'libsql';
import { generateSync } from 'otplib';
import { Authenticator } from 'passport';
import { BackupCodes, MemoryStore } from '../../lib';
import { beginLogin, requireAssurance } from '../../lib/express';
import { SoftKey } from '../../example-app/test/helpers/soft-key';
import { Browser, type Answer } from '../express/browser';
import { countingHasher } from '../helpers/counting-hasher';
import { recipesOf, runRecipe } from '../helpers/recipes';

const ORIGIN = 'https://example.com';
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const recipes = recipesOf('docs/other-factors.md');
const people = [
  { id: 'ada', phone: '+44 1' },
  { id: 'eve', phone: '+44 2' },
];

let texts: { phone: string; text: string }[];
let db: InstanceType<typeof Database>;
let key: SoftKey;
let backupCodes: BackupCodes;
let site: { origin: string; shut: () => Promise<void> };

beforeEach(async () => {
  jest.useFakeTimers({
    doNotFake: [
      'nextTick',
      'setImmediate',
      'clearImmediate',
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'clearInterval',
      'queueMicrotask',
    ],
    now: Date.UTC(2026, 10, 22),
  });
  texts = [];
  key = new SoftKey(ORIGIN);
  backupCodes = new BackupCodes({ store: new MemoryStore(), hasher: countingHasher() });
  db = new Database(':memory:');
  db.exec(
    `create table totp (
      user_id text primary key,
      secret text not null,
      last_step integer not null,
      failures integer not null
    )`,
  );
  db.prepare("insert into totp values ('ada', ?, 0, 0), ('eve', ?, 0, 0)").run(SECRET, SECRET);
  db.exec(
    `create table keys (
      id text primary key,
      user_id text not null,
      public_key text not null,
      counter integer not null,
      used_at integer not null
    )`,
  );
  db.prepare("insert into keys values (?, 'ada', ?, 1, 0)").run(
    key.id,
    key.cose().toString('base64url'),
  );
  site = await open();
});
afterEach(async () => {
  await site.shut();
  db.close();
  jest.useRealTimers();
});

/** Opens an app with all recipes of the page, and a page that needs a second factor. */
async function open(): Promise<typeof site> {
  const app: Express = express();
  const passport = new Authenticator();
  passport.serializeUser((user, done) => done(null, (user as { id: string }).id));
  passport.deserializeUser((id, done) =>
    done(null, people.find((person) => person.id === id) as Express.User),
  );
  app.use(
    express.json(),
    session({ secret: 'test', resave: false, saveUninitialized: false }),
    passport.session(),
  );
  app.post('/login', async (req, res) => {
    await beginLogin(
      req,
      people.find(({ id }) => id === (req.body as { user: string }).user),
      { amr: ['pwd'] },
    );
    res.json({});
  });
  const users = { byId: async (id: string) => people.find((person) => person.id === id) };
  const common = await runRecipe(recipes.get('chain')!, { app, passport, backupCodes, users }, [
    'SecondFactor',
    'currentUser',
  ]);
  const sendText = async (phone: string, text: string): Promise<void> =>
    void texts.push({ phone, text });
  const scope = {
    app,
    passport,
    db,
    sendText,
    key: Buffer.alloc(32, 7),
    origin: ORIGIN,
    ...common,
  };
  for (const name of ['totp', 'sms', 'security-key']) await runRecipe(recipes.get(name)!, scope);
  app.get('/account', requireAssurance({ factors: 2 }), (req, res) => {
    res.json(Reflect.get(Reflect.get(req.session, 'passport-backup-code') as object, 'login'));
  });
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const shut = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, shut };
}

async function givePassword(user = 'ada'): Promise<Browser> {
  const browser = new Browser(site.origin);
  await browser.post('/login', { user });
  expect((await browser.get('/account')).status).toBe(401);
  return browser;
}

const later = (seconds: number): void => {
  jest.setSystemTime(Date.now() + seconds * 1000);
};
const totp = (): string => generateSync({ secret: SECRET, epoch: Math.floor(Date.now() / 1000) });
const askForText = (browser: Browser): Promise<Answer> => browser.post('/login/sms/send');
const codeIn = (index: number): string => /^\d{6}/.exec(texts[index]!.text)![0];
const wrong = (code: string): string =>
  code.replace(/^./, (digit) => String((Number(digit) + 1) % 10));

async function answerOf(browser: Browser, of = key): Promise<object> {
  const { body } = await browser.post('/login/webauthn/options');
  return JSON.parse(of.answer(body as { challenge: string })) as object;
}

async function expectLoggedIn(
  browser: Browser,
  { methods, amr }: { methods: string[]; amr: string[] },
): Promise<void> {
  expect((await browser.get('/account')).body).toMatchObject({
    userId: 'ada',
    methods,
    amr,
    acr: 'aal2',
  });
}

test('Every recipe of docs/other-factors.md runs in this file', () => {
  expect([...recipes.keys()]).toEqual(['chain', 'totp', 'sms', 'security-key']);
});

describe('a backup code after another factor', () => {
  test.each(['totp', 'sms', 'webauthn'])(
    'A backup code logs in, once, after an invalid code for %s',
    async (other) => {
      const { codes } = await backupCodes.issue('ada');
      const browser = await givePassword();
      expect((await browser.post(`/login/${other}`, { code: '000000' })).status).toBe(401);
      expect((await browser.post('/login/backup-code', { code: codes[0] })).status).toBe(303);
      await expectLoggedIn(browser, {
        methods: ['pwd', 'backup-code'],
        amr: ['pwd', 'otp', 'mfa'],
      });
      expect(
        (await (await givePassword()).post('/login/backup-code', { code: codes[0] })).status,
      ).toBe(401);
    },
  );
});

describe('authenticator app', () => {
  test('A code of an authenticator app logs in once', async () => {
    const browser = await givePassword();
    expect((await browser.post('/login/totp', { code: totp() })).status).toBe(303);
    await expectLoggedIn(browser, { methods: ['pwd', 'totp'], amr: ['pwd', 'otp', 'mfa'] });
    expect((await (await givePassword()).post('/login/totp', { code: totp() })).status).toBe(401);
  });

  test('After a hundred failures a code of an authenticator app is not checked', async () => {
    const browser = await givePassword();
    for (let guess = 0; guess < 100; guess += 1)
      await browser.post('/login/totp', { code: wrong(totp()) });
    expect((await browser.post('/login/totp', { code: totp() })).status).toBe(401);
    expect((await (await givePassword('eve')).post('/login/totp', { code: totp() })).status).toBe(
      303,
    );
  });
});

describe('code by SMS', () => {
  test('A code by SMS goes to the phone of the pending user, and logs in once', async () => {
    const browser = await givePassword();
    await askForText(browser);
    expect(texts).toEqual([
      {
        phone: '+44 1',
        text: `${codeIn(0)} is your code for example.com. We never ask you for it.`,
      },
    ]);
    expect(
      (await browser.post('/login/sms', { code: `${codeIn(0).slice(0, 3)} ${codeIn(0).slice(3)}` }))
        .status,
    ).toBe(303);
    await expectLoggedIn(browser, { methods: ['pwd', 'sms'], amr: ['pwd', 'sms', 'mfa'] });
    expect((await (await givePassword()).post('/login/sms', { code: codeIn(0) })).status).toBe(401);
  });

  test('The database does not contain the code that was sent by SMS', async () => {
    await askForText(await givePassword());
    expect(JSON.stringify(db.prepare('select * from texts').all())).not.toContain(codeIn(0));
  });

  test('No SMS is sent before the password, or twice to one user in a minute', async () => {
    expect((await askForText(new Browser(site.origin))).headers.get('location')).toBe('/login');
    const browser = await givePassword();
    for (const seconds of [0, 59, 1]) {
      later(seconds);
      await askForText(browser);
    }
    expect(texts).toHaveLength(2);
    // Only the newest code works.
    expect((await browser.post('/login/sms', { code: codeIn(0) })).status).toBe(
      codeIn(0) === codeIn(1) ? 303 : 401,
    );
  });

  test('A code by SMS expires after five minutes', async () => {
    const browser = await givePassword();
    await askForText(browser);
    later(300);
    expect((await browser.post('/login/sms', { code: codeIn(0) })).status).toBe(401);
  });

  test('A code by SMS does not work for another user', async () => {
    await askForText(await givePassword());
    const eve = await givePassword('eve');
    await askForText(eve);
    expect((await eve.post('/login/sms', { code: codeIn(0) })).status).toBe(
      codeIn(0) === codeIn(1) ? 303 : 401,
    );
  });

  test('Of ten browsers that send one code by SMS at once, one logs in', async () => {
    const browsers = await Promise.all(Array.from({ length: 10 }, () => givePassword()));
    await askForText(browsers[0]!);
    const answers = await Promise.all(
      browsers.map((browser) => browser.post('/login/sms', { code: codeIn(0) })),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  test('After a hundred failures only a backup code is checked, not a new SMS', async () => {
    const { codes } = await backupCodes.issue('ada');
    const browser = await givePassword();
    for (let guess = 0; guess < 100; guess += 1) {
      if (guess % 20 === 0) {
        await askForText(browser);
        later(60);
      }
      await browser.post('/login/sms', { code: wrong(codeIn(texts.length - 1)) });
    }
    expect((await browser.post('/login/sms', { code: codeIn(texts.length - 1) })).status).toBe(401);
    expect((await browser.post('/login/backup-code', { code: codes[0] })).status).toBe(303);
  });
});

describe('security key', () => {
  test('An answer of a security key logs in once', async () => {
    const browser = await givePassword();
    const answer = await answerOf(browser);
    expect((await browser.post('/login/webauthn', answer)).status).toBe(303);
    await expectLoggedIn(browser, { methods: ['pwd', 'webauthn'], amr: ['pwd', 'hwk', 'mfa'] });
    const again = await givePassword();
    await answerOf(again, new SoftKey(ORIGIN));
    expect((await again.post('/login/webauthn', answer)).status).toBe(401);
  });

  test('A key of another user, an answer for another site and a copied key fail', async () => {
    const eve = await givePassword('eve');
    expect((await eve.post('/login/webauthn', await answerOf(eve))).status).toBe(401);
    const phished = await givePassword();
    expect(
      (
        await phished.post(
          '/login/webauthn',
          await answerOf(
            phished,
            Object.assign(Object.create(key) as SoftKey, { origin: 'https://example.org' }),
          ),
        )
      ).status,
    ).toBe(401);
    const browser = await givePassword();
    later(1);
    expect((await browser.post('/login/webauthn', await answerOf(browser))).status).toBe(303);
    key.counter -= 1;
    later(1);
    const copied = await givePassword();
    expect((await copied.post('/login/webauthn', await answerOf(copied))).status).toBe(401);
  });

  test('Without a counter, one of ten equal answers of a key at once logs in', async () => {
    key.counter = 0;
    db.exec('update keys set counter = 0');
    const browser = await givePassword();
    const answer = await answerOf(browser);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => browser.copy().post('/login/webauthn', answer)),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  test('An answer of a security key expires after five minutes', async () => {
    const browser = await givePassword();
    const answer = await answerOf(browser);
    later(301);
    expect((await browser.post('/login/webauthn', answer)).status).toBe(401);
  });
});
