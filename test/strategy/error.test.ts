// What is neither a yes nor a no: it ends in the app's error handler, and never lets anybody in.
import type { Request } from 'express';
import {
  BackupCodeError,
  BackupCodeStrategy,
  MemoryStore,
  type BackupCodeStrategyOptions,
  type ConsumeResult,
  type Context,
  type Done,
} from '../../lib';
import { ada, expresses, findUser, openSite, service, type Host, type Person } from './host';

const CODE = 'ABCD-EFGH';

/** No answer of the handler behind the strategy, and the one error. */
async function expectError(
  site: Host,
  body: unknown = { username: 'ada', code: CODE },
): Promise<unknown> {
  const answer = await site.post('/login', body);
  expect(answer.status).toBe(500);
  expect(Object.keys(answer.body)).toEqual(['handledError']);
  expect(site.errors).toHaveLength(1);
  return site.errors[0];
}

describe.each(expresses)('on %s', (_name, express) => {
  const failure = new Error('the database is down');
  const fails = (): never => {
    throw failure;
  };

  it.each<
    [
      string,
      (backupCodes: ReturnType<typeof service>['backupCodes']) => BackupCodeStrategyOptions<Person>,
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
  ])('the app is told where %s', async (_what, options) => {
    const { backupCodes, issue } = service();
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy<Person>(options(backupCodes)));

    expect(await expectError(site, { username: 'ada', code })).toBe(failure);
    expect((await backupCodes.status('ada'))?.remaining).toBe(10);
  });

  it.each(['takeAttempt', 'consume', 'append'] as const)(
    'the app is told where the store fails in %s, and nobody is let in',
    async (method) => {
      const store = new MemoryStore();
      const { backupCodes, issue } = service({ store });
      const [code] = await issue();
      const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));
      jest.spyOn(store, method).mockRejectedValue(failure);

      expect(await expectError(site, { code: method === 'append' ? CODE : code })).toBe(failure);
      jest.restoreAllMocks();
      expect((await backupCodes.status('ada'))?.remaining).toBe(10);
    },
  );

  it('the app is told where a stored set cannot be checked, and nobody is charged', async () => {
    const store = new MemoryStore();
    const { issue, hasher } = service({ store });
    const [code] = await issue();
    const { backupCodes } = service({ store, pepper: [{ id: '2026', key: Buffer.alloc(32, 1) }] });
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));

    expect(await expectError(site, { code })).toMatchObject({ code: 'unknown_pepper' });
    expect(hasher.count).toBe(0);
  });

  it('a user without an id is an error of the app, and not the codes of everybody', async () => {
    const { backupCodes, issue } = service();
    const [code] = await issue('undefined');
    const site = await openSite(
      express,
      new BackupCodeStrategy({ currentUser: () => ({}), backupCodes }),
    );

    expect(await expectError(site, { code })).toMatchObject({ code: 'invalid_user_id' });
  });

  it.each<[string, unknown]>([
    ['a text', 'yes'],
    ['an empty text', ''],
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
    "the app's own consumeCode may not answer %s: an error, never a success",
    async (_what, garbage) => {
      for (const given of [garbage, Promise.resolve(garbage)]) {
        const site = await openSite(
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

  it('what consumeCode answered is not repeated in the error', async () => {
    const site = await openSite(
      express,
      new BackupCodeStrategy({ consumeCode: () => 'SECRET-VALUE' as unknown as boolean }),
    );
    expect(String(await expectError(site))).not.toContain('SECRET');
  });

  describe.each<unknown>([undefined, null, false, 0, '', 'route', 'router', 'some text'])(
    'a bare %p, thrown or rejected, does not go on to the handler',
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
      ])('from %s', async (_where, options) => {
        const site = await openSite(express, new BackupCodeStrategy<Person>(options));
        const error = await expectError(site);
        expect(error).toBeInstanceOf(Error);
        expect((error as Error).cause).toBe(thrown);
      });

      it('from verify', async () => {
        const site = await openSite(
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
  ])('the app is told where verify %s, and nobody is let in', async (_what, fail) => {
    const site = await openSite(
      express,
      new BackupCodeStrategy({ consumeCode: () => true }, (_user, _info, done) => fail(done)),
    );
    expect(await expectError(site)).toBe(failure);
  });

  it('an error that is a plain object, as some apps throw, goes on as it is', async () => {
    const thrown = { status: 503, message: 'maintenance' };
    const site = await openSite(
      express,
      new BackupCodeStrategy({ consumeCode: () => true }, (_user, _info, done) => done(thrown)),
    );
    expect((await site.post('/login', { code: CODE })).status).toBe(503);
    expect(site.errors).toEqual([thrown]);
  });

  it('done() with a text as its error is an error', async () => {
    const site = await openSite(
      express,
      new BackupCodeStrategy({ consumeCode: () => true }, (_user, _info, done) => done('route')),
    );
    expect(await expectError(site)).toMatchObject({ cause: 'route' });
  });

  it.each<[string, (req: Request) => unknown]>([
    ['an unknown field', () => ({ adress: '192.0.2.1' })],
    ['a text', () => 'here'],
  ])(
    'a context of %s is an error of the app, found before anything is charged',
    async (_what, context) => {
      const { backupCodes, issue, charged } = service();
      const [code] = await issue();
      const site = await openSite(
        express,
        new BackupCodeStrategy({ backupCodes, context: context as (req: Request) => Context }),
      );
      expect(await expectError(site, { code })).toMatchObject({ code: 'invalid_option' });
      expect(await charged()).toBe(0);
    },
  );

  it('a custom callback is given the error', async () => {
    const site = await openSite(
      express,
      new BackupCodeStrategy<Person>({ findUser, format: 'any', consumeCode: fails }),
    );
    expect((await site.post('/callback', { username: 'ada', code: CODE })).status).toBe(500);
    expect(site.errors).toEqual([failure]);
  });
});
