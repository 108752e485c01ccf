// The example's own tables on PostgreSQL and MariaDB with the strictest default isolation. Names
// are compared byte by byte, a TOTP code and an answer of a security key are accepted once,
// concurrent guesses do not exceed the limit, and sessions survive concurrent requests.
import { randomBytes, randomUUID } from 'node:crypto';
import type { SessionData } from 'express-session';
import { BackupCodes } from 'passport-backup-code';
import { SqlStore } from 'passport-backup-code/sql';
import { type Database, openDatabase } from '../../example-app/src/data/database';
import type { DatabaseServer } from '../../example-app/src/data/server-urls';
import { Authenticators, createTotpSecret } from '../../example-app/src/factors/authenticators';
import { SecondFactors } from '../../example-app/src/factors/second-factors';
import { SecurityKeys } from '../../example-app/src/factors/security-keys';
import { type Account, Users } from '../../example-app/src/login/users';
import { openSessions } from '../../example-app/src/sessions/session-store';
import { quickHasher } from '../../example-app/test/helpers/quick-hasher';
import { SoftKey } from '../../example-app/test/helpers/soft-key';
import { totpAt } from '../../example-app/test/helpers/visitor';
import { describeWith, mariadb, postgres } from '../helpers/servers';

const AT_ONCE = 20;
const PASSWORD = 'correct horse battery staple';
const ORIGIN = 'https://codes.example.com';
const queueNotice = async (): Promise<void> => undefined;

function exampleTests(open: () => DatabaseServer): void {
  let db: Database;
  let users: Users;
  let authenticators: Authenticators;
  let securityKeys: SecurityKeys;
  let nowMs = Date.UTC(2026, 10, 21);
  const now = (): number => nowMs;

  beforeAll(async () => {
    // Opened four times at once, as when four processes start together.
    const opened = await Promise.all(
      Array.from({ length: 4 }, () =>
        openDatabase({ database: open(), dataDir: '' }, () => undefined),
      ),
    );
    db = opened[0]!;
    await Promise.all(opened.slice(1).map((other) => other.destroy()));
    users = new Users({ db, passwordCost: 4, now });
    authenticators = new Authenticators({ db, now });
    securityKeys = new SecurityKeys({ db, publicUrl: ORIGIN, now });
  });
  afterAll(() => db.destroy());

  const signUp = (username: string): Promise<Account | null> =>
    users.create({ username, email: 'a@example.com', password: PASSWORD });
  const enroll = async (): Promise<{ userId: string; secret: string }> => {
    const { id: userId } = (await signUp(randomUUID()))!;
    const secret = createTotpSecret();
    expect(
      await authenticators.enroll(userId, { secret, code: totpAt(secret, nowMs), queueNotice }),
    ).toBe(true);
    nowMs += 30_000;
    return { userId, secret };
  };
  const atOnce = <T>(act: () => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, act));

  it('An account is read as it was stored', async () => {
    const made = await signUp('Ada');
    expect(made).toEqual({
      id: expect.any(String),
      username: 'Ada',
      email: 'a@example.com',
      createdAt: nowMs,
    });
    expect(await users.findById(made!.id)).toEqual(made);
    expect(await users.findByPassword(' ADA ', PASSWORD)).toEqual(made);
  });

  it('Names that differ in an accent are different accounts', async () => {
    const [plain, accented] = [await signUp('jose'), await signUp('josé')];
    expect(accented).not.toBeNull();
    expect([
      await users.findByPassword('jose', PASSWORD),
      await users.findByPassword('josé', PASSWORD),
    ]).toEqual([plain, accented]);
    expect(await users.findById(plain!.id.toUpperCase())).toBeNull();
  });

  it('Of many sign-ups with one name at once, one succeeds', async () => {
    const made = await atOnce(() => signUp('wanted'));
    expect(made.filter((account) => account !== null)).toHaveLength(1);
  });

  it.each([
    ['with a NUL', 'a\0b'],
    ['with half a character', '\uD800'],
    ['too long', 'x'.repeat(10_000)],
  ])('A name %s matches no account', async (_what, name) => {
    expect(await users.findByPassword(name, PASSWORD)).toBeNull();
  });

  it('A TOTP secret that is sent many times at once is enrolled once', async () => {
    const { id } = (await signUp('enrolling'))!;
    for (const secret of [createTotpSecret(), createTotpSecret()]) {
      const enrolled = await atOnce(() =>
        authenticators.enroll(id, { secret, code: totpAt(secret, nowMs), queueNotice }),
      );
      expect(enrolled.filter(Boolean)).toHaveLength(1);
    }
  });

  it('A TOTP code that is sent many times at once is accepted once', async () => {
    const { userId, secret } = await enroll();
    const verdicts = await Promise.all(
      Array.from({ length: 4 }, () => authenticators.check(userId, totpAt(secret, nowMs))),
    );
    expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await authenticators.check(userId, totpAt(secret, nowMs))).toEqual({
      ok: false,
      reason: 'invalid',
    });
  });

  it('Of many invalid TOTP codes at once five are checked, then waits double', async () => {
    const { userId, secret } = await enroll();
    const verdicts = await atOnce(() => authenticators.check(userId, '000000'));
    expect(verdicts.filter((verdict) => !verdict.ok && verdict.reason === 'invalid')).toHaveLength(
      5,
    );
    const waits: number[] = [];
    for (let round = 0; round < 9; round += 1) {
      const refused = await authenticators.check(userId, '000000');
      const seconds = !refused.ok && refused.reason === 'throttled' ? refused.retryAfterSeconds : 0;
      waits.push(seconds);
      nowMs += seconds * 1000;
      expect(await authenticators.check(userId, '000000')).toEqual({
        ok: false,
        reason: 'invalid',
      });
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    nowMs += 3_600_000;
    expect(await authenticators.check(userId, totpAt(secret, nowMs))).toEqual({ ok: true });
  });

  const challenge = (): { value: string; at: number } => ({
    value: randomBytes(32).toString('base64url'),
    at: (nowMs += 1000),
  });
  const addKey = async (key: SoftKey): Promise<string> => {
    const [{ id }, asked] = [(await signUp(randomUUID()))!, challenge()];
    const added = await securityKeys.add(id, {
      response: key.register({ challenge: asked.value }),
      challenge: asked,
      name: 'Clé bleue 🔑',
      queueNotice,
    });
    expect(added).toEqual({ ok: true, amr: key.isSynced ? 'swk' : 'hwk' });
    return id;
  };

  it.each([{ counts: true }, { counts: false }, { counts: false, isSynced: true }])(
    'An answer of a security key that is sent many times at once is accepted once: %j',
    async (kind) => {
      const key = new SoftKey(ORIGIN, kind);
      const userId = await addKey(key);
      expect(await securityKeys.list(userId)).toEqual([
        { id: expect.any(String), name: 'Clé bleue 🔑', createdAt: nowMs, lastUsedAt: null },
      ]);
      for (let login = 0; login < 2; login += 1) {
        const asked = challenge();
        const response = key.answer({ challenge: asked.value });
        const verdicts = await atOnce(() =>
          securityKeys.check(userId, { response, challenge: asked }),
        );
        expect(verdicts.filter(({ ok }) => ok)).toEqual([
          { ok: true, amr: key.isSynced ? 'swk' : 'hwk' },
        ]);
        expect((await securityKeys.list(userId))[0]).toMatchObject({ lastUsedAt: asked.at });
      }
    },
  );

  it('A security key that is added to many accounts at once belongs to one', async () => {
    const key = new SoftKey(ORIGIN);
    const asked = challenge();
    const added = await atOnce(async () => {
      const { id } = (await signUp(randomUUID()))!;
      return securityKeys.add(id, {
        response: key.register({ challenge: asked.value }),
        challenge: asked,
        name: '',
        queueNotice,
      });
    });
    expect(added.filter(({ ok }) => ok)).toHaveLength(1);
    expect(added.filter((one) => !one.ok && one.reason === 'duplicate')).toHaveLength(AT_ONCE - 1);
  });

  it('The codes end when the last two factors are turned off at once', async () => {
    const backupCodes = new BackupCodes({
      store: new SqlStore({ database: db }),
      hasher: quickHasher,
      pepper: [{ id: 'test', key: randomBytes(32) }],
      now,
    });
    const { userId } = await enroll();
    const [key, asked] = [new SoftKey(ORIGIN), challenge()];
    await securityKeys.add(userId, {
      response: key.register({ challenge: asked.value }),
      challenge: asked,
      name: '',
      queueNotice,
    });
    await backupCodes.issue(userId);

    let arrived = 0;
    let open = (): void => undefined;
    const bothAreThere = new Promise<void>((resolve) => (open = resolve));
    const late = <T extends { remove: (...given: never[]) => Promise<void> }>(real: T): T =>
      Object.assign(Object.create(real) as T, {
        remove: async (...given: Parameters<T['remove']>) => {
          arrived += 1;
          if (arrived === 2) open();
          await bothAreThere;
          await real.remove(...given);
        },
      });
    const factors = new SecondFactors({
      authenticators: late(authenticators),
      securityKeys: late(securityKeys),
      backupCodes,
    });
    await Promise.all([
      factors.turnOffTotp(userId, { queueNotice, context: {} }),
      factors.removeKey(userId, {
        id: (await securityKeys.list(userId))[0]!.id,
        queueNotice,
        context: {},
      }),
    ]);
    expect([await factors.list(userId), await backupCodes.status(userId)]).toEqual([
      { hasTotp: false, keys: [], hasAny: false },
      null,
    ]);
  });

  it('Concurrent requests of one session all find it and keep it', async () => {
    const faults: unknown[] = [];
    const report = (error: unknown): void => void faults.push(error);
    const opened = await Promise.all(
      Array.from({ length: 4 }, () =>
        openSessions({ database: open(), dataDir: '' }, { redis: null, report }),
      ),
    );
    const [{ store }] = opened as [(typeof opened)[0]];
    const session = {
      cookie: { maxAge: 60_000, expires: new Date(Date.now() + 60_000) },
      notice: 'ünd \u0000 \uD83D\uDE00',
    } as unknown as SessionData;
    const resultOf = (
      act: (done: (error?: unknown, value?: unknown) => void) => void,
    ): Promise<unknown> =>
      new Promise((resolve, reject) => {
        act((error, value) => (error instanceof Error ? reject(error) : resolve(value)));
      });
    await resultOf((done) => store.set('id', session, done));
    await atOnce(() => resultOf((done) => store.touch!('id', session, () => done())));
    await atOnce(() => resultOf((done) => store.set('id', session, done)));
    expect(await resultOf((done) => store.get('id', done))).toMatchObject({
      notice: 'ünd \u0000 \uD83D\uDE00',
    });
    await resultOf((done) => store.destroy('id', done));
    expect(await resultOf((done) => store.get('id', done))).toBeNull();
    await Promise.all(opened.map(({ check, close }) => check().then(close)));
    expect(faults).toEqual([]);
  });

  it('The factors of an account are deleted with it', async () => {
    const { userId } = await enroll();
    const key = new SoftKey(ORIGIN);
    const asked = challenge();
    await securityKeys.add(userId, {
      response: key.register({ challenge: asked.value }),
      challenge: asked,
      name: '',
      queueNotice,
    });
    await db.deleteFrom('users').where('id', '=', userId).execute();
    expect([await authenticators.has(userId), await securityKeys.list(userId)]).toEqual([
      false,
      [],
    ]);
  });
}

describeWith(
  postgres,
  'the example on PostgreSQL',
  (server) => exampleTests(() => ({ kind: 'postgres', url: server().url })),
  { isolation: 'SERIALIZABLE' },
);
describeWith(
  mariadb,
  'the example on MariaDB',
  (server) => exampleTests(() => ({ kind: 'mysql', url: server().url })),
  { isolation: 'SERIALIZABLE' },
);
