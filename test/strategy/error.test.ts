// Errors: they reach the app's error handler, and never let a user in.
import type { Request } from 'express';
import {
  BackupCodeError,
  BackupCodeStrategy,
  MemoryStore,
  type BackupCodeStrategyOptions,
  type ConsumeResult,
  type Context,
  type Done,
  type Verify,
} from '../../lib';
import {
  ada,
  expressVersions,
  findUser,
  openLoginApp,
  makeService,
  type TestApp,
  type Person,
} from './test-app';

const CODE = 'ABCD-EFGH';

/** Expects one answer, from the error handler and not from the route. Returns the error. */
async function expectError(
  site: TestApp,
  body: unknown = { username: 'ada', code: CODE },
): Promise<unknown> {
  const answer = await site.post('/login', body);
  expect(answer.status).toBe(500);
  expect(Object.keys(answer.body)).toEqual(['handledError']);
  expect(site.errors).toHaveLength(1);
  return site.errors[0];
}

describe.each(expressVersions)('on %s', (_name, express) => {
  const failure = new Error('the database is down');
  const fails = (): never => {
    throw failure;
  };

  it.each<
    [
      string,
      (
        backupCodes: ReturnType<typeof makeService>['backupCodes'],
      ) => BackupCodeStrategyOptions<Person>,
    ]
  >([
    ['currentUser throws', (backupCodes) => ({ currentUser: fails, backupCodes })],
    [
      'currentUser rejects',
      (backupCodes) => ({ currentUser: () => Promise.reject(failure), backupCodes }),
    ],
    ['context throws', (backupCodes) => ({ context: fails, backupCodes })],
    ['userId throws', (backupCodes) => ({ userId: fails, backupCodes })],
    ['consumeCode throws', () => ({ consumeCode: fails })],
    ['consumeCode rejects', () => ({ consumeCode: () => Promise.reject(failure) })],
    ['findUser throws', () => ({ findUser: fails, format: 'any', consumeCode: () => true })],
    [
      'findUser rejects',
      () => ({ findUser: () => Promise.reject(failure), format: 'any', consumeCode: () => true }),
    ],
  ])('an error reaches the app if %s', async (_what, options) => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy<Person>(options(backupCodes)));

    expect(await expectError(site, { username: 'ada', code })).toBe(failure);
    expect((await backupCodes.status('ada'))?.remaining).toBe(10);
  });

  it.each(['takeAttempt', 'consume', 'append'] as const)(
    'a store that fails in %s is an error, and no user is let in',
    async (method) => {
      const store = new MemoryStore();
      const { backupCodes, issue } = makeService({ store });
      const [code] = await issue();
      const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));
      jest.spyOn(store, method).mockRejectedValue(failure);

      expect(await expectError(site, { code: method === 'append' ? CODE : code })).toBe(failure);
      jest.restoreAllMocks();
      expect((await backupCodes.status('ada'))?.remaining).toBe(10);
    },
  );

  it('a stored set that cannot be checked is an error, and no code is hashed', async () => {
    const store = new MemoryStore();
    const { issue, hasher } = makeService({ store });
    const [code] = await issue();
    const { backupCodes } = makeService({
      store,
      pepper: [{ id: '2026', key: Buffer.alloc(32, 1) }],
    });
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));

    expect(await expectError(site, { code })).toMatchObject({ code: 'unknown_pepper' });
    expect(hasher.count).toBe(0);
  });

  it('a user without an id is an error, and never shares codes with other users', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue('undefined');
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({ currentUser: () => ({}), backupCodes }),
    );

    expect(await expectError(site, { code })).toMatchObject({ code: 'invalid_user_id' });
  });

  it.each<[string, object, string]>([
    ['no id', {}, 'user.id must be a string, an integer or a bigint, but was undefined.'],
    [
      'an object as its id, as MongoDB has it',
      { id: { toHexString: () => '65f1' } },
      'but was an object. For a MongoDB ObjectId set userId: (user) => String(user._id).',
    ],
  ])('a user with %s is an error that says how to set userId', async (_what, user, message) => {
    const { backupCodes } = makeService();
    const app = await openLoginApp(
      express,
      new BackupCodeStrategy({ currentUser: () => user, backupCodes }),
    );
    expect(await expectError(app)).toMatchObject({
      code: 'invalid_user_id',
      message: expect.stringContaining(message),
    });
  });

  it.each<[string, unknown]>([
    ['a string', 'yes'],
    ['an empty string', ''],
    ['1', 1],
    ['0', 0],
    ['undefined', undefined],
    ['null', null],
    ['an empty object', {}],
    ['the user', ada],
    ['a row count', { affectedRows: 1 }],
    ['an array', [true]],
    ['{ ok: 1 }', { ok: 1 }],
    ["{ ok: 'true' }", { ok: 'true' }],
    ['{ ok: false } without a reason', { ok: false }],
    ['an unknown reason', { ok: false, reason: 'toString' }],
    ['a function', () => true],
    ['a promise in an array', [Promise.resolve(true)]],
    ['a boxed true', Object(true)],
  ])(
    "an app's own consumeCode that returns %s causes an error, never a success",
    async (_what, garbage) => {
      for (const given of [garbage, Promise.resolve(garbage)]) {
        const site = await openLoginApp(
          express,
          new BackupCodeStrategy({ consumeCode: () => given as ConsumeResult }),
        );
        const error = await expectError(site);
        expect(error).toBeInstanceOf(BackupCodeError);
        expect(error).toMatchObject({
          code: 'invalid_result',
          message: expect.stringContaining('Only true or { ok: true }'),
        });
      }
    },
  );

  it.each([
    ['{ ok: false } without a reason', { ok: false }],
    ['{ ok: false } with an unknown reason', { ok: false, reason: 'SECRET' }],
    ['an object', { rowCount: 1 }],
    ['undefined', undefined],
  ])('the error says that consumeCode returned %s', async (what, result) => {
    const app = await openLoginApp(
      express,
      new BackupCodeStrategy({ consumeCode: () => result as unknown as ConsumeResult }),
    );
    expect(await expectError(app)).toMatchObject({
      message: expect.stringContaining(
        'consumeCode must return true, false, { ok: true } or { ok: false, reason }, ' +
          `but returned ${what}. Only true or { ok: true } means that the code was consumed.`,
      ) as string,
    });
  });

  it('the error does not repeat what consumeCode returned', async () => {
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({ consumeCode: () => 'SECRET-VALUE' as unknown as boolean }),
    );
    expect(String(await expectError(site))).not.toContain('SECRET');
  });

  describe.each<unknown>([undefined, null, false, 0, '', 'route', 'router', 'some string'])(
    'if the app throws or rejects with a bare %p,',
    (thrown) => {
      const throwIt = (): never => {
        throw thrown as Error;
      };
      const rejectIt = async (): Promise<never> => throwIt();

      it.each<[string, BackupCodeStrategyOptions<Person>]>([
        ['currentUser', { currentUser: rejectIt, consumeCode: () => true }],
        ['findUser', { findUser: throwIt, format: 'any', consumeCode: () => true }],
        ['context', { context: throwIt, consumeCode: () => true }],
        ['consumeCode', { consumeCode: rejectIt }],
      ])(
        'Express gets an Error from %s, and the handler is not reached',
        async (_where, options) => {
          const site = await openLoginApp(express, new BackupCodeStrategy<Person>(options));
          const error = await expectError(site);
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).cause).toBe(thrown);
        },
      );

      it('Express gets an Error from verify, and the handler is not reached', async () => {
        const site = await openLoginApp(
          express,
          new BackupCodeStrategy({ consumeCode: () => true }, rejectIt),
        );
        expect(await expectError(site)).toBeInstanceOf(Error);
      });
    },
  );

  it.each<[string, (done: Done) => unknown]>([
    ['throws', fails],
    ['rejects', () => Promise.reject(failure)],
    ['calls done(error)', (done) => done(failure)],
    ['calls done(error) later, with a user', (done) => setImmediate(done, failure, ada)],
  ])('an error reaches the app if verify %s, and no user is let in', async (_what, fail) => {
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({ consumeCode: () => true }, (_user, _info, done) => fail(done)),
    );
    expect(await expectError(site)).toBe(failure);
  });

  it('an error that is a plain object, as some apps throw, is passed on unchanged', async () => {
    const thrown = { status: 503, message: 'maintenance' };
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({ consumeCode: () => true }, (_user, _info, done) => done(thrown)),
    );
    expect((await site.post('/login', { code: CODE })).status).toBe(503);
    expect(site.errors).toEqual([thrown]);
  });

  it('a string that done() gets as its error becomes an Error', async () => {
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy({ consumeCode: () => true }, (_user, _info, done) => done('route')),
    );
    expect(await expectError(site)).toMatchObject({ cause: 'route' });
  });

  it.each<[string, (req: Request) => unknown]>([
    ['an unknown field', () => ({ adress: '192.0.2.1' })],
    ['a string', () => 'here'],
  ])(
    'a context function that returns %s is an error, found before an attempt is counted',
    async (_what, context) => {
      const { backupCodes, issue, countAttempts } = makeService();
      const [code] = await issue();
      const site = await openLoginApp(
        express,
        new BackupCodeStrategy({ backupCodes, context: context as (req: Request) => Context }),
      );
      expect(await expectError(site, { code })).toMatchObject({ code: 'invalid_option' });
      expect(await countAttempts()).toBe(0);
    },
  );

  describe('a messages function', () => {
    const answers: [string, () => unknown, string][] = [
      ['an empty string', () => '', 'an empty string'],
      ['undefined', () => undefined, 'undefined'],
      ['null', () => null, 'null'],
      ['true', () => true, 'true'],
      ['a boxed string', () => Object('text'), 'an object'],
      ['a promise', () => Promise.resolve('text'), 'an object'],
      ['a promise that is rejected', () => Promise.reject(failure), 'an object'],
    ];
    const make = (
      messages: () => unknown,
      options: BackupCodeStrategyOptions<Person> = { consumeCode: () => false },
      verify?: Verify<Person>,
    ): BackupCodeStrategy<Person> =>
      new BackupCodeStrategy<Person>({ ...options, messages: messages as () => string }, verify);

    it.each(answers)(
      'a messages function that returns %s is an error, and no user is let in',
      async (_what, messages, kind) => {
        for (const code of [CODE, 'not a code']) {
          const app = await openLoginApp(express, make(messages));
          expect(await expectError(app, { code })).toMatchObject({
            code: 'invalid_result',
            message:
              `messages must return a string that is not empty, but returned ${kind}. ` +
              '(docs/errors.md#invalid_result)',
          });
        }
      },
    );

    it('a messages function that throws is an error, and no user is let in', async () => {
      const app = await openLoginApp(express, make(fails));
      expect(await expectError(app)).toBe(failure);
    });

    it('a messages function that throws a bare value causes an Error, and no login', async () => {
      const throwRoute = (): never => {
        throw 'route' as unknown as Error;
      };
      const app = await openLoginApp(express, make(throwRoute));
      expect(await expectError(app)).toMatchObject({ cause: 'route' });
    });

    it('a messages function that fails announces no wait', async () => {
      const options = {
        consumeCode: () => ({ ok: false, reason: 'busy', retryAfterSeconds: 5 }) as const,
      };
      const app = await openLoginApp(
        express,
        make(() => '', options),
      );
      const answer = await app.post('/login', { code: CODE });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([500, null]);
    });

    it('a messages function that fails after a veto leaves an unfinished login', async () => {
      const { backupCodes, issue, store } = makeService();
      const [code] = await issue();
      const app = await openLoginApp(
        express,
        make(fails, { backupCodes, currentUser: () => ada }, (_user, _info, done) =>
          done(null, false),
        ),
      );
      expect(await expectError(app, { code })).toBe(failure);
      expect(store.auditTrail.map(({ type }) => type)).toEqual([
        'issued',
        'consumed',
        'login_unfinished',
      ]);
    });
  });

  it('a custom callback gets the error', async () => {
    const site = await openLoginApp(
      express,
      new BackupCodeStrategy<Person>({ findUser, format: 'any', consumeCode: fails }),
    );
    expect((await site.post('/callback', { username: 'ada', code: CODE })).status).toBe(500);
    expect(site.errors).toEqual([failure]);
  });
});
