// A store that returns invalid results: a malformed result is an error and never a login.
import { inspect } from 'node:util';
import fc from 'fast-check';
import type { Outcome } from '../../lib';
import { START } from '../helpers/clock';
import { failure } from '../helpers/errors';
import { openService, openServiceForBoth, WRONG, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';
import { faultyStore, type FaultyStore } from '../helpers/faulty-store';

type Opened = Service & Pick<FaultyStore, 'replaceNext'> & { readonly codes: string[] };

async function open(): Promise<Opened> {
  const opened = await memory.open();
  const { store, replaceNext } = faultyStore(opened.store);
  const service = await openService(() => Promise.resolve({ ...opened, store }));
  const { codes } = await service.backupCodes.issue('ada');
  service.received.length = 0;
  service.watched.reset();
  return { ...service, replaceNext, codes };
}

function named(value: unknown): string {
  return inspect(value, { breakLength: Infinity });
}

/** Results that are malformed for takeAttempt and for consume. */
const nonsense: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  1,
  '',
  'ok',
  'consumed',
  [],
  ['consumed'],
  {},
  { ok: true },
  { ok: 'true' },
  { ok: 1 },
  { ok: false },
  { ok: true, current: null },
  { outcome: 'yes' },
  { outcome: true },
  { outcome: 'consumed' },
  { outcome: ['consumed'], remaining: 9, total: 10 },
  () => ({ outcome: 'consumed', remaining: 9, total: 10 }),
];

describe('takeAttempt', () => {
  it.each(nonsense.map((answer) => [named(answer), answer]))(
    'If takeAttempt returns %s, every attempt is an error before any hash',
    async (_what, answer) => {
      const { backupCodes, codes, hasher, replaceNext, received, watched } = await open();
      hasher.count = 0;
      for (const attempt of [
        () => backupCodes.consume('ada', codes[0]),
        () => backupCodes.consume('ada', WRONG),
        () => backupCodes.consume('bob', WRONG),
        () => backupCodes.rejectUnknownUser('eve', WRONG),
      ]) {
        replaceNext('takeAttempt', () => answer);
        await expect(attempt()).rejects.toEqual(failure('invalid_result'));
      }
      expect([hasher.count, received]).toEqual([0, []]);
      expect(
        watched.calls.filter((method) => !['takeAttempt', 'nameKey'].includes(method)),
      ).toEqual([]);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it.each([
    ['no ticket', { ticket: undefined }],
    ['a ticket of null', { ticket: null }],
    ['an empty ticket', { ticket: {} }],
    ['a ticket that is a string', { ticket: 'granted' }],
    ['ok of 1', { ok: 1 }],
    ["ok of 'true'", { ok: 'true' }],
    ...(['attempt', 'generation', 'nextAt'] as const).flatMap((field) =>
      [NaN, -1, 0.5, '1', null, undefined].map((value) => [
        `${field} of ${String(value)}`,
        { [field]: value },
      ]),
    ),
    ['another channel', { channel: 'back' }],
    ['no channel', { channel: undefined }],
  ] as [string, Record<string, unknown>][])(
    'A ticket with %s is an error, and the attempt stays charged',
    async (_what, altered) => {
      const { backupCodes, codes, hasher, replaceNext, charged } = await open();
      hasher.count = 0;
      replaceNext('takeAttempt', async (call) => {
        const taken = (await call()) as { ticket: object };
        return 'ok' in altered || 'ticket' in altered
          ? { ...taken, ...altered }
          : { ...taken, ticket: { ...taken.ticket, ...altered } };
      });
      await expect(backupCodes.consume('ada', codes[0])).rejects.toEqual(failure('invalid_result'));
      // Without a valid ticket the attempt cannot be given back.
      expect([hasher.count, await charged('ada')]).toEqual([0, 1]);
    },
  );

  it.each([
    ...[undefined, null, 0, ''].map((ok) => [
      `ok of ${String(ok)}`,
      { ok, reason: 'throttled', nextAt: 0, events: [] },
    ]),
    ['no reason', { ok: false, nextAt: 0, events: [] }],
    ['an unknown reason', { ok: false, reason: 'mismatch', nextAt: 0, events: [] }],
    ['no time', { ok: false, reason: 'throttled', events: [] }],
    ['a time of NaN', { ok: false, reason: 'throttled', nextAt: NaN, events: [] }],
    ['no events', { ok: false, reason: 'throttled', nextAt: 0 }],
    ['events that are not events', { ok: false, reason: 'locked', nextAt: 0, events: [null] }],
  ] as [string, unknown][])('A refusal with %s is an error', async (_what, answer) => {
    const { backupCodes, codes, replaceNext, received } = await open();
    replaceNext('takeAttempt', () => answer);
    await expect(backupCodes.consume('ada', codes[0])).rejects.toEqual(failure('invalid_result'));
    expect(received).toEqual([]);
  });

  it.each([
    ['undefined', undefined],
    ['a string', 'set'],
    ['an array', []],
    ['true', true],
    ['an empty object', {}],
    ...(['setId', 'format', 'salt', 'check'] as const).flatMap((field) =>
      [undefined, null, 1, {}].map((value) => [
        `a ${field} of ${JSON.stringify(value)}`,
        { [field]: value },
      ]),
    ),
    ['a pepperId of 1', { pepperId: 1 }],
    ['an expiresAt that is a string', { expiresAt: '2027-01-01' }],
    ...(['remaining', 'total'] as const).flatMap((field) =>
      ['10', null, undefined].map((value) => [`${field} of ${String(value)}`, { [field]: value }]),
    ),
    ...[
      undefined,
      null,
      {},
      'codes',
      10,
      { length: 10 },
      new Set(),
      [null],
      [undefined],
      [{}],
      ['code'],
    ].map((value, place) => [`malformed codes (${place})`, { codes: value }]),
  ] as [string, unknown][])(
    'A malformed set (%s) is an error before any hash, and the attempt is given back',
    async (_what, altered) => {
      const { backupCodes, codes, hasher, replaceNext, charged } = await open();
      hasher.count = 0;
      for (const code of [codes[0], WRONG]) {
        replaceNext('takeAttempt', async (call) => {
          const taken = (await call()) as { current: object };
          const isField =
            typeof altered === 'object' &&
            !Array.isArray(altered) &&
            Object.keys(altered ?? {}).length > 0;
          return { ...taken, current: isField ? { ...taken.current, ...altered } : altered };
        });
        await expect(backupCodes.consume('ada', code)).rejects.toEqual(failure('invalid_result'));
      }
      expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it.each(
    (['codeId', 'salt', 'digest', 'consumedAt'] as const).flatMap((field) =>
      [undefined, ...(field === 'consumedAt' ? ['0'] : [1.5, NaN]), {}, ['x']].map(
        (value) => [field, value] as const,
      ),
    ),
  )(
    'A stored code with a %s of %p is an error before any hash, for each code of the set',
    async (field, value) => {
      const { backupCodes, codes, hasher, replaceNext, charged } = await open();
      hasher.count = 0;
      for (const code of [codes[0], codes[9]]) {
        replaceNext('takeAttempt', async (call) => {
          const taken = (await call()) as { current: { codes: object[] } };
          return {
            ...taken,
            current: {
              ...taken.current,
              codes: taken.current.codes.map((record, place) =>
                place === 4 ? { ...record, [field]: value } : record,
              ),
            },
          };
        });
        await expect(backupCodes.consume('ada', code)).rejects.toEqual(failure('invalid_result'));
      }
      expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
    },
  );

  const halfSalt = 'ab'.repeat(8);
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ...(['remaining', 'total', 'expiresAt'] as const).flatMap((field) =>
      [NaN, -3, 9.5, Infinity].map(
        (value): [string, Record<string, unknown>, Record<string, unknown>] => [
          `${field} ${value}`,
          { [field]: value },
          {},
        ],
      ),
    ),
    ['more codes left than it has', { remaining: 11 }, {}],
    ['consumedAt -5', {}, { consumedAt: -5 }],
    ['consumedAt 1.5', {}, { consumedAt: 1.5 }],
    ['an empty salt', {}, { salt: '' }],
    ['half a salt', {}, { salt: halfSalt }],
    ['a longer salt', {}, { salt: `${halfSalt}${halfSalt}00` }],
    ['a salt that is not hex', {}, { salt: 'x'.repeat(32) }],
    ['the salt of a missing row', {}, { salt: 'null' }],
    ['an empty digest', {}, { digest: '' }],
    ['half a digest', {}, { digest: halfSalt.repeat(2) }],
    ['a digest that is not hex', {}, { digest: 'x'.repeat(64) }],
    ['a digest with a line break after it', {}, { digest: `${halfSalt.repeat(4)}\n` }],
  ])(
    'A set with %s is an error before any hash, which is recorded and charges no attempt',
    async (_what, ofSet, ofCode) => {
      const { backupCodes, codes, hasher, replaceNext, received, charged } = await open();
      hasher.count = 0;
      for (const code of [codes[0], WRONG]) {
        replaceNext('takeAttempt', async (call) => {
          const taken = (await call()) as { current: { codes: object[] } };
          const records = taken.current.codes.map((record, place) =>
            place === 4 ? { ...record, ...ofCode } : record,
          );
          return { ...taken, current: { ...taken.current, codes: records, ...ofSet } };
        });
        await expect(backupCodes.consume('ada', code)).rejects.toEqual(failure('unreadable_set'));
      }
      expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
      expect(received).toMatchObject([
        { type: 'rejected', reason: 'unreadable_set', userId: 'ada', refusals: 1 },
      ]);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it('A set returned for an unknown user name is an error before any hash', async () => {
    const { backupCodes, codes, hasher, replaceNext, watched } = await open();
    let setOfAda: unknown;
    replaceNext('takeAttempt', async (call) => {
      const taken = (await call()) as { current: unknown };
      setOfAda = taken.current;
      return taken;
    });
    await backupCodes.consume('ada', WRONG);
    hasher.count = 0;
    replaceNext('takeAttempt', async (call) => ({
      ...((await call()) as object),
      current: setOfAda,
    }));
    await expect(backupCodes.rejectUnknownUser('eve', codes[0])).rejects.toEqual(
      failure('wrong_pepper'),
    );
    expect([hasher.count, watched.calls.slice(-2)]).toEqual([0, ['giveBack', 'count']]);
  });
});

const CONSUMED = { outcome: 'consumed', remaining: 9, total: 10, events: [], repeated: false };

describe('consume', () => {
  it.each([
    ...nonsense.map((answer) => [named(answer), answer]),
    ...[NaN, -1, 8.5, '9', null, undefined, Infinity, true].flatMap((value) => [
      [`consumed, remaining ${String(value)}`, { ...CONSUMED, remaining: value }],
      [`consumed, total ${String(value)}`, { ...CONSUMED, total: value }],
    ]),
    ["'yes', with a time", { outcome: 'yes', consumedAt: 0 }],
    ["'', with a reason", { outcome: '', reason: 'none' }],
    ['consumed, repeated or not', { ...CONSUMED, repeated: undefined }],
    ['already consumed, without a time', { outcome: 'already_consumed' }],
    ['already consumed at NaN', { outcome: 'already_consumed', consumedAt: NaN }],
    ['gone, without a reason', { outcome: 'gone' }],
    ['gone, with an unknown reason', { outcome: 'gone', reason: 'throttled' }],
  ] as [string, unknown][])(
    'If consume returns %s, there is an error and no event, and no attempt is charged',
    async (_what, answer) => {
      const { backupCodes, codes, replaceNext, received, charged } = await open();
      replaceNext('consume', () => answer);
      await expect(backupCodes.consume('ada', codes[0])).rejects.toEqual(failure('invalid_result'));
      expect([received, await charged('ada')]).toEqual([[], 0]);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it('A consumption with a malformed result is an error, and the code is consumed', async () => {
    const { backupCodes, codes, replaceNext, received } = await open();
    replaceNext('consume', async (call) => {
      await call();
      return { outcome: 'consumed', remaining: '9', total: '10' };
    });
    await expect(backupCodes.consume('ada', codes[0])).rejects.toEqual(failure('invalid_result'));
    expect(received).toEqual([]);
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
    expect(await backupCodes.consume('ada', codes[1])).toMatchObject({ ok: true, remaining: 8 });
  });

  it('An error about a result names the call and the remedy, and repeats no value', async () => {
    const { backupCodes, codes, replaceNext } = await open();
    replaceNext('consume', () => ({ outcome: 'SECRET', remaining: 'SECRET' }));
    const error: unknown = await backupCodes
      .consume('ada', codes[0])
      .catch((thrown: unknown) => thrown);
    expect(error).toEqual(failure('invalid_result'));
    expect((error as Error).message).toMatch(
      /^The store returned a malformed result from consume\. Run storeContract /,
    );
    expect(String((error as Error).stack)).not.toContain('SECRET');
  });
});

describe('well-formed results', () => {
  it.each<[string, object, object]>([
    [
      'refuses for a while',
      { ok: false, reason: 'throttled', nextAt: START + 61_000, events: [] },
      { ok: false, reason: 'throttled', retryAfterSeconds: 61 },
    ],
    [
      'refuses as locked',
      { ok: false, reason: 'locked', nextAt: 0, events: [] },
      { ok: false, reason: 'locked' },
    ],
  ])('A takeAttempt that %s decides the outcome', async (_what, answer, outcome) => {
    const { backupCodes, codes, replaceNext } = await open();
    replaceNext('takeAttempt', () => answer);
    expect(await backupCodes.consume('ada', codes[0])).toEqual(outcome);
  });

  it('A set with a pepper and without expiry is accepted on both channels', async () => {
    for (const channel of ['second_factor', 'recovery'] as const) {
      const { backupCodes } = await openServiceForBoth(memory.open, {
        pepper: [{ id: '2026', key: Buffer.alloc(32) }],
        expiresAfterDays: null,
      });
      const { codes } = await backupCodes.issue('ada');
      expect(await backupCodes.consume('ada', codes[0], { channel })).toMatchObject({
        ok: true,
        expiresAt: null,
      });
    }
  });

  it.each<[object, string]>([
    [{ outcome: 'already_consumed', consumedAt: START - 5000 }, 'reused'],
    [{ outcome: 'gone', reason: 'none' }, 'none'],
    [{ outcome: 'gone', reason: 'expired' }, 'expired'],
    [{ outcome: 'gone', reason: 'locked' }, 'locked'],
  ])('A consumption of %j decides the outcome', async (answer, reason) => {
    const { backupCodes, codes, replaceNext, received } = await open();
    replaceNext('consume', () => answer);
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason });
    expect(received).toMatchObject([
      {
        type: 'rejected',
        reason,
        codeId: expect.any(String),
        consumedSecondsAgo: reason === 'reused' ? 5 : null,
      },
    ]);
  });
});

describe('a new set', () => {
  it.each(['issue', 'stage'] as const)(
    'If the store returns no event of a new set, %s is an error and returns no code',
    async (call) => {
      const { backupCodes, replaceNext, received } = await open();
      const method = call === 'issue' ? 'replace' : 'stage';
      for (const answer of [[], [{ type: 'issued', setId: 'another' }]]) {
        replaceNext(method, () => Promise.resolve(answer));
        await expect(backupCodes[call]('grace')).rejects.toMatchObject({
          code: 'invalid_result',
          message: expect.stringContaining(`no event of the new set from ${method}`) as string,
        });
      }
      expect(received).toEqual([]);
      expect(await backupCodes.status('grace')).toBeNull();
    },
  );

  it('If the store returns an event of another set, adopt and activate are errors', async () => {
    const { backupCodes, replaceNext } = await open();
    const [format] = backupCodes.formats;
    const { setId } = await backupCodes.stage('grace');
    const ofAnother = (): Promise<unknown> =>
      Promise.resolve([{ type: 'issued', setId: 'another' }]);
    replaceNext('activate', ofAnother);
    const activating = backupCodes.activate('grace', setId);
    await expect(activating).rejects.toMatchObject({ code: 'invalid_result' });
    replaceNext('replace', ofAnother);
    const adopting = backupCodes.adopt('grace', ['ABCD-EFGH'], { format: format! });
    await expect(adopting).rejects.toMatchObject({ code: 'invalid_result' });
  });
});

describe('forget and unlock', () => {
  it.each(['forget', 'unlock'] as const)(
    'If %s returns anything except a list of events, the call is an error',
    async (method) => {
      const { backupCodes, replaceNext, received } = await open();
      const calls = {
        forget: () => backupCodes.forget('ada', { audit: 'erase' }),
        unlock: () => backupCodes.unlock('ada', 'recovery', { actor: 'admin-9' }),
      };
      for (const answer of [undefined, null, true, {}, [null], [{ id: 'x' }]]) {
        replaceNext(method, () => answer);
        await expect(calls[method]()).rejects.toEqual(failure('invalid_result'));
      }
      expect(received).toEqual([]);
    },
  );
});

describe('results with one value replaced', () => {
  /** The paths of all values within a result. */
  function places(value: unknown, path: readonly string[] = []): (readonly string[])[] {
    const inner =
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([key, field]) => places(field, [...path, key]))
        : [];
    return [path, ...inner];
  }

  function setAtPath(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
    if (key === undefined) return by;
    const copy = (
      Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
    ) as Record<string, unknown>;
    copy[key] = setAtPath(copy[key], rest, by);
    return copy;
  }

  it.each(['takeAttempt', 'consume'] as const)(
    'Whatever %s returns, only a valid code is accepted, and then it is consumed',
    async (method) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.anything(), fc.boolean(), async (nth, by, isRight) => {
          const { backupCodes, codes, replaceNext, watched } = await open();
          const alterResult = async (call: () => Promise<unknown>): Promise<unknown> => {
            const answer = await call();
            const all = places(answer);
            return setAtPath(answer, all[nth % all.length]!, by);
          };
          replaceNext(method, alterResult);
          const outcome: Outcome | null = await backupCodes
            .consume('ada', isRight ? codes[0] : WRONG)
            .catch(() => null);
          if (outcome?.ok !== true) return;
          expect(isRight).toBe(true);
          expect([outcome.remaining, outcome.total].every(Number.isSafeInteger)).toBe(true);
          expect(watched.calls).toContain('consume');
          expect(await backupCodes.consume('ada', codes[0])).toEqual({
            ok: false,
            reason: 'reused',
          });
        }),
        { numRuns: 'QUICK' in globalThis ? 100 : 500 },
      );
    },
  );
});
