// Each fault fails closed: no code is accepted, nothing is left half done, and the attempt is
// charged or not as it must be.
import type { BackupCodesOptions, Hasher, Outcome } from '../../lib';
import { auditEvent } from '../../lib/audit/events';
import { userSubject } from '../../lib/stores/subject';
import { DAY_MS, START } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { openService, WRONG, type Service } from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';
import { storeFault, type StoreMethod } from '../helpers/watched-store';

type Opened = Service & { readonly codes: string[] };

interface Faulty {
  readonly what: string;
  /** The store calls of the attempt. */
  readonly calls: readonly StoreMethod[];
  /** The calls after whose failure the attempt stays charged. */
  readonly charging: readonly StoreMethod[];
  readonly options?: Partial<BackupCodesOptions>;
  readonly attempt: (service: Opened) => Promise<Outcome>;
}

const outOfMemory = new Error('out of memory');

const attempts: readonly Faulty[] = [
  {
    what: 'a valid code',
    calls: ['takeAttempt', 'consume'],
    charging: [],
    attempt: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
  },
  {
    what: 'an invalid code',
    calls: ['takeAttempt', 'append'],
    charging: ['append'],
    attempt: ({ backupCodes }) => backupCodes.consume('ada', WRONG),
  },
  {
    what: 'a valid code of an expired set',
    calls: ['takeAttempt', 'consume', 'append'],
    charging: ['append'],
    attempt: ({ backupCodes, codes, clock }) => {
      clock.set(START + 366 * DAY_MS);
      return backupCodes.consume('ada', codes[0]);
    },
  },
  {
    what: 'a code that the risk hook denies',
    calls: ['takeAttempt', 'giveBack', 'count'],
    charging: ['giveBack'],
    options: { assessRisk: () => 'deny' },
    attempt: ({ backupCodes, codes }) => backupCodes.consume('ada', codes[0]),
  },
  {
    what: 'a code whose hash fails',
    calls: ['takeAttempt', 'giveBack'],
    charging: ['giveBack'],
    attempt: ({ backupCodes, codes, hasher }) => {
      hasher.hash = () => Promise.reject(outOfMemory);
      return backupCodes.consume('ada', codes[0]);
    },
  },
];

onEachStore('a store that fails', (open) => {
  async function withSet(options: Partial<BackupCodesOptions> = {}): Promise<Opened> {
    const service = await openService(open, options);
    const { codes } = await service.backupCodes.issue('ada');
    service.watched.reset();
    service.received.length = 0;
    return { ...service, codes };
  }

  describe.each(attempts)('during $what', ({ what, calls, charging, options, attempt }) => {
    it.each(calls.map((method, index): [StoreMethod, number] => [method, index + 1]))(
      'A fault of %s accepts no code, and the code stays unconsumed',
      async (method, nth) => {
        const service = await withSet(options);
        service.watched.failAt(nth, 'before');
        // The first fault is thrown, even if the attempt then cannot be given back.
        await expect(attempt(service)).rejects.toBe(
          what === 'a code whose hash fails' && method === 'giveBack' ? outOfMemory : storeFault,
        );
        expect(service.watched.calls[nth - 1]).toBe(method);
        expect(service.watched.reset()).toBe(true);
        // Listeners receive no event that was not written.
        expect(service.received).toEqual([]);
        expect(await service.backupCodes.status('ada')).toMatchObject({
          remaining: 10,
          lastConsumedAt: null,
        });
        expect(await service.charged('ada')).toBe(charging.includes(method) ? 1 : 0);
      },
    );
  });

  it('A fault after the consumption was stored accepts no code, which stays consumed', async () => {
    const service = await withSet();
    service.watched.failAt(2, 'after');
    await expect(service.backupCodes.consume('ada', service.codes[0])).rejects.toBe(storeFault);
    service.watched.reset();
    expect(await service.backupCodes.consume('ada', service.codes[0])).toEqual({
      ok: false,
      reason: 'reused',
    });
    expect(await service.backupCodes.status('ada')).toMatchObject({ remaining: 9 });
  });

  it('Faults while a valid code is consumed begin no wait and lock nothing', async () => {
    const service = await withSet({ attempts: { free: 1, lockAfter: 2 } });
    for (let n = 0; n < 5; n += 1) {
      service.watched.failAt(2, 'before');
      await expect(service.backupCodes.consume('ada', service.codes[0])).rejects.toBe(storeFault);
      service.watched.reset();
    }
    expect(await service.backupCodes.consume('ada', service.codes[0])).toMatchObject({
      ok: true,
      remaining: 9,
    });
  });

  it.each(['issue', 'stage', 'revoke'] as const)(
    'A fault during %s leaves the old set working, and no listener is notified',
    async (call) => {
      const { backupCodes, codes, watched, received } = await withSet();
      watched.failAt(1, 'before');
      await expect(backupCodes[call]('ada')).rejects.toBe(storeFault);
      watched.reset();
      expect(received).toEqual([]);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it('A fault during activate leaves both sets as they were', async () => {
    const { backupCodes, codes, watched } = await withSet();
    const staged = await backupCodes.stage('ada');
    watched.failAt(1, 'before');
    await expect(backupCodes.activate('ada', staged.setId)).rejects.toBe(storeFault);
    watched.reset();
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    expect(await backupCodes.activate('ada', staged.setId)).toBe(true);
  });

  it('If reading the name key fails, it is read again at the next call', async () => {
    const { backupCodes, watched } = await withSet();
    watched.failAt(1, 'before');
    await expect(backupCodes.rejectUnknownUser('eve', WRONG)).rejects.toBe(storeFault);
    watched.reset();
    expect(await backupCodes.rejectUnknownUser('eve', WRONG)).toEqual({
      ok: false,
      reason: 'unknown_user',
    });
    expect(await backupCodes.rejectUnknownUser('eve', WRONG)).toEqual({
      ok: false,
      reason: 'unknown_user',
    });
    expect(watched.calls.filter((method) => method === 'nameKey')).toHaveLength(1);
  });
});

describe('a slow hash that fails', () => {
  it.each<[string, () => unknown]>([
    ['rejects', () => Promise.reject(new Error('out of memory'))],
    [
      'throws',
      () => {
        throw new Error('out of memory');
      },
    ],
    ['returns undefined', () => undefined],
    ['returns a string', () => 'x'.repeat(64)],
    ['returns 15 bytes', () => Buffer.alloc(15)],
  ])(
    'If the slow hash %s, no code is accepted and the attempt is given back',
    async (_how, hash) => {
      const good = countingHasher();
      let isFaulty = false;
      const hasher: Hasher = {
        ...good,
        hash: (code, salt) => (isFaulty ? (hash() as Promise<Buffer>) : good.hash(code, salt)),
      };
      const { backupCodes, charged } = await openService(memory.open, { hasher });
      const { codes } = await backupCodes.issue('ada');
      isFaulty = true;
      for (const code of [codes[0], WRONG]) {
        const error = (await backupCodes
          .consume('ada', code)
          .catch((thrown: unknown) => thrown)) as {
          message: string;
          code?: string;
        };
        expect([error.message, error.code]).toEqual(
          error.message === 'out of memory'
            ? [expect.any(String), undefined]
            : [
                expect.stringMatching(
                  /^A hasher must return 16 bytes or more\. hash\(\) returned (?:undefined|a string|15 bytes)\. \(docs\/errors\.md#invalid_result\)$/,
                ),
                'invalid_result',
              ],
        );
      }
      expect(await charged('ada')).toBe(0);
      isFaulty = false;
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );
});

describe('too many slow hashes', () => {
  it('With a full hash queue, the outcome is `busy` and costs no attempt', async () => {
    const good = countingHasher();
    const waiting: (() => void)[] = [];
    let isSlow = false;
    const hasher: Hasher = {
      ...good,
      hash: async (code, salt) => {
        if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve));
        return good.hash(code, salt);
      },
    };
    const { backupCodes, charged, received, written } = await openService(memory.open, {
      hasher,
      hashConcurrency: 1,
      maxQueuedHashes: 1,
    });
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.issue('carol');
    isSlow = true;
    const queued = [
      backupCodes.consume('carol', WRONG),
      backupCodes.consume('carol', WRONG),
      backupCodes.rejectUnknownUser('mallory', WRONG),
    ];
    await new Promise((resolve) => setImmediate(resolve));
    expect(await backupCodes.consume('ada', codes[0])).toEqual({
      ok: false,
      reason: 'busy',
      retryAfterSeconds: 5,
    });
    expect(await backupCodes.consume('bob', WRONG)).toEqual({
      ok: false,
      reason: 'busy',
      retryAfterSeconds: 5,
    });
    expect(await backupCodes.rejectUnknownUser('eve', WRONG)).toEqual({
      ok: false,
      reason: 'busy',
      retryAfterSeconds: 5,
    });
    expect([await charged('ada'), await charged('bob')]).toEqual([0, 0]);
    expect(received.slice(2).map(({ type, reason, userId }) => [type, reason, userId])).toEqual([
      ['rejected', 'busy', 'ada'],
      ['rejected', 'busy', 'bob'],
      ['rejected', 'busy', null],
    ]);
    expect(await written()).toEqual(received);
    isSlow = false;
    waiting[0]?.();
    expect(await Promise.all(queued)).toEqual([
      { ok: false, reason: 'mismatch' },
      { ok: false, reason: 'mismatch' },
      { ok: false, reason: 'unknown_user' },
    ]);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });
});

describe('an invalid clock', () => {
  it.each([NaN, Infinity, -1, 1e300, '2026-11-21', undefined, null])(
    'A clock that returns %p accepts no code and issues no set',
    async (nonsense) => {
      const { backupCodes, clock, watched, charged } = await openService(memory.open);
      const { codes } = await backupCodes.issue('ada');
      clock.set(nonsense);
      watched.reset();
      for (const call of [
        () => backupCodes.consume('ada', codes[0]),
        () => backupCodes.consume('ada', WRONG),
        () => backupCodes.issue('ada'),
        () => backupCodes.stage('ada'),
        () => backupCodes.activate('ada', '0'.repeat(32)),
        () => backupCodes.revoke('ada'),
        () => backupCodes.status('ada'),
      ])
        await expect(call()).rejects.toEqual(failure('invalid_result'));
      expect(watched.calls.filter((method) => method !== 'find')).toEqual([]);
      clock.set(START);
      expect(await charged('ada')).toBe(0);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    },
  );

  it('A clock fault after the comparison charges an invalid code only', async () => {
    let isInvalid = false;
    const good = countingHasher();
    const hasher: Hasher = {
      ...good,
      hash: (code, salt) => {
        isInvalid = hasIssued;
        return good.hash(code, salt);
      },
    };
    let hasIssued = false;
    const { backupCodes, charged } = await openService(memory.open, {
      hasher,
      now: () => (isInvalid ? NaN : START),
    });
    const { codes } = await backupCodes.issue('ada');
    hasIssued = true;
    for (const [n, code] of [codes[0], WRONG].entries()) {
      await expect(backupCodes.consume('ada', code)).rejects.toEqual(failure('invalid_result'));
      expect(await charged('ada')).toBe(n);
      isInvalid = false;
    }
    hasIssued = false;
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });
});

describe('a damaged set', () => {
  it.each([
    ['format', { format: '{' }, 'unreadable_set'],
    ['slow hash', { salt: '$2b$31$abcdefghijklmnopqrstuu' }, 'unreadable_hash'],
    ['check', { check: 'ff' }, 'wrong_pepper'],
    ['pepper id', { pepperId: '2020' }, 'unknown_pepper'],
    ['set id', { setId: 'other' }, 'wrong_pepper'],
  ] as const)(
    'A set with an altered %s is an error before any hash, and costs no attempt',
    async (_what, damage, code) => {
      const { backupCodes, hasher, watched, charged } = await openService(memory.open);
      const subject = userSubject('ada');
      const replace = jest.spyOn(watched.store, 'replace');
      const { codes } = await backupCodes.issue('ada');
      const [{ header, codes: records }] = replace.mock.calls[0]!;
      const event = auditEvent('issued', {
        at: START,
        userId: 'ada',
        context: { ip: null, userAgent: null, requestId: null, actor: null, channel: 'recovery' },
      });
      await watched.store.replace({
        subject,
        header: { ...header, ...damage },
        codes: records,
        event,
        now: START,
      });
      hasher.count = 0;
      for (const typed of [codes[0], WRONG])
        await expect(backupCodes.consume('ada', typed)).rejects.toEqual(failure(code));
      expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
    },
  );

  it('A set with one damaged digest is an error for each of its codes, until there is a new one', async () => {
    const { backupCodes, watched, charged } = await openService(memory.open);
    const replace = jest.spyOn(watched.store, 'replace');
    const { codes } = await backupCodes.issue('ada');
    const [set] = replace.mock.calls[0]!;
    await watched.store.replace({
      ...set,
      codes: set.codes.map((record, place) => (place === 0 ? { ...record, digest: 'zz' } : record)),
    });
    for (const code of [codes[0], codes[1]])
      await expect(backupCodes.consume('ada', code)).rejects.toEqual(failure('unreadable_set'));
    expect(await charged('ada')).toBe(0);
    const renewed = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', renewed.codes[1])).toMatchObject({ ok: true });
  });

  it('A set that was copied to another user does not verify for that user', async () => {
    const { backupCodes, watched } = await openService(memory.open);
    const replace = jest.spyOn(watched.store, 'replace');
    const { codes } = await backupCodes.issue('ada');
    const [set] = replace.mock.calls[0]!;
    await watched.store.replace({ ...set, subject: userSubject('mallory') });
    await expect(backupCodes.consume('mallory', codes[0])).rejects.toEqual(failure('wrong_pepper'));
  });
});
