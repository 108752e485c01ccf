import { createClient, RESP_TYPES } from 'redis';
import { BackupCodes } from '../../../lib';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { keysOf } from '../../../lib/redis/keys';
import type { BackupCodeStore } from '../../../lib/stores/contract';
import { nameSubject } from '../../../lib/stores/subject';
import {
  consumption,
  HOUR_MS,
  newCode,
  newEvent,
  newSet,
  NOW,
  take,
  taken,
  userWithSet,
  type UserSet,
} from '../../../lib/testing/samples';
import { countingHasher } from '../../helpers/counting-hasher';
import { readRedisEvents } from '../../helpers/read-redis-events';
import { describeWith, redis, redisCluster } from '../../helpers/servers';

const DAY_MS = 86_400_000;
/** All that changes something, or could. */
const CALLS: readonly (readonly [
  name: string,
  call: (store: BackupCodeStore, set: UserSet) => Promise<unknown>,
])[] = [
  ['replace', (store, { subject }) => store.replace({ ...newSet(subject), now: NOW })],
  ['stage', (store, { subject }) => store.stage({ ...newSet(subject), until: NOW + HOUR_MS })],
  [
    'activate',
    (store, { subject, header: { setId } }) =>
      store.activate({ subject, setId, now: NOW, event: newEvent('activated', subject) }),
  ],
  ['find', (store, { subject }) => store.find(subject)],
  ['takeAttempt', (store, { subject }) => take(store, subject)],
  [
    'giveBack',
    (store, { subject }) =>
      store.giveBack({
        subject,
        ticket: { channel: 'second_factor', attempt: 1, generation: 1, nextAt: NOW },
      }),
  ],
  ['consume', (store, set) => store.consume(consumption(set, 0, { replacement: newCode() }))],
  [
    'revoke',
    (store, { subject }) =>
      store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) }),
  ],
  [
    'append',
    (store, { subject }) =>
      store.append([], {
        subject,
        ticket: { channel: 'second_factor', attempt: 1, generation: 1, nextAt: NOW },
        now: NOW,
        event: newEvent('locked', subject),
      }),
  ],
];
type Client = ReturnType<typeof createClient>;

describeWith(redis, 'RedisStore', (server) => {
  let client: Client;
  let store: RedisStore;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
    store = new RedisStore({ client });
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushDb());

  describe('round trips', () => {
    it('are two for a verification, whatever comes of it, and one for a refusal', async () => {
      const counted = countTrips(client);
      const backupCodes = new BackupCodes({
        store: new RedisStore({ client: counted.client }),
        hasher: countingHasher(),
        attempts: { free: 3 },
      });
      const {
        codes: [code = '', ...others],
      } = await backupCodes.issue('ada');
      // The server is told each script once; from then on its name is enough.
      await backupCodes.consume('ada', code);
      await backupCodes.consume('ada', code);
      const verifications = [];
      for (const typed of [
        others[0]!,
        code,
        'AAAA-AAAA',
        others[1]!,
        'AAAA-AAAA',
        'AAAA-AAAA',
        'AAAA-AAAA',
        others[2]!,
      ]) {
        counted.trips = 0;
        const outcome = await backupCodes.consume('ada', typed);
        verifications.push([outcome.ok ? 'ok' : outcome.reason, counted.trips]);
      }
      expect(verifications).toEqual([
        ['ok', 2],
        ['reused', 2],
        ['mismatch', 2],
        ['ok', 2],
        ['mismatch', 2],
        ['mismatch', 2],
        ['mismatch', 2],
        ['throttled', 1],
      ]);
    });

    it('are one more where the server forgot the scripts, once', async () => {
      const set = await userWithSet(store);
      await store.consume(consumption(set, 0));
      await client.scriptFlush();
      const counted = countTrips(client);
      const fresh = new RedisStore({ client: counted.client });
      expect((await fresh.consume(consumption(set, 1))).outcome).toBe('consumed');
      expect(counted.trips).toBe(2);
      expect((await fresh.consume(consumption(set, 2))).outcome).toBe('consumed');
      expect(counted.trips).toBe(3);
    });
  });

  describe('a fault', () => {
    it.each(CALLS)('before the first write of %s leaves all as it was', async (_, call) => {
      const set = await userWithSet(store);
      for (const key of keysOf('backup-code:', set.subject.key)) {
        const kept = (await client.exists(key)) === 1 ? `${key}:kept` : null;
        if (kept) await client.rename(key, kept);
        await client.set(key, 'of another kind');
        const before = await snapshot(client);
        await expect(call(store, set)).rejects.toThrow(
          /WRONGTYPE .* is a string\. Nothing was changed/,
        );
        expect(await snapshot(client)).toEqual(before);
        await client.del(key);
        if (kept) await client.rename(kept, key);
      }
    });

    it.each([
      ['remaining', /damaged/],
      ['total', /damaged/],
      ['expiresAt', /damaged/],
      ['second_factor:generation', /damaged/],
    ])('in the stored field %s is thrown, and no code is consumed', async (field, message) => {
      const set = await userWithSet(store);
      await client.hSet(keysOf('backup-code:', set.subject.key)[0]!, field, 'damaged');
      const before = await snapshot(client);
      await expect(store.consume(consumption(set, 0))).rejects.toThrow(message);
      expect(await snapshot(client)).toEqual(before);
    });

    it.each(['header', 'remaining'])('in the stored field %s is no missing set', async (field) => {
      const set = await userWithSet(store);
      await client.hSet(keysOf('backup-code:', set.subject.key)[0]!, field, 'damaged');
      await expect(store.find(set.subject)).rejects.toThrow(
        expect.objectContaining({ code: 'unreadable_set' }),
      );
      await expect(take(store, set.subject)).rejects.toThrow(
        expect.objectContaining({ code: 'unreadable_set' }),
      );
    });

    it('of a full server is thrown, and nothing is changed; a set can still be ended', async () => {
      const set = await userWithSet(store);
      const before = await snapshot(client);
      await client.configSet('maxmemory', '1');
      try {
        await expect(store.stage({ ...newSet(set.subject), until: NOW + HOUR_MS })).rejects.toThrow(
          /OOM/,
        );
        await expect(store.consume(consumption(set, 0))).rejects.toThrow(/OOM/);
        await expect(take(store, set.subject)).rejects.toThrow(/OOM/);
        expect(await snapshot(client)).toEqual(before);
        expect(
          await store.revoke({
            subject: set.subject,
            now: NOW,
            event: newEvent('revoked', set.subject),
          }),
        ).toEqual([expect.objectContaining({ type: 'revoked', setId: set.header.setId })]);
      } finally {
        await client.configSet('maxmemory', '0');
      }
      expect((await readRedisEvents(client, set.subject.userId)).map(({ type }) => type)).toEqual([
        'issued',
        'revoked',
      ]);
    });
  });

  describe('what leaves by itself', () => {
    it('is the count of a name that belongs to nobody, 30 days after its last attempt', async () => {
      const name = nameSubject('eve', await store.nameKey());
      const [key = ''] = keysOf('backup-code:', name.key);
      const expectThirtyDays = async (): Promise<void> => {
        const left = await client.pTTL(key);
        expect(left).toBeGreaterThan(30 * DAY_MS - 60_000);
        expect(left).toBeLessThanOrEqual(30 * DAY_MS);
      };
      await take(store, name, { waits: [60_000] });
      await expectThirtyDays();
      await client.pExpire(key, 1000);
      expect((await take(store, name, { waits: [60_000], now: NOW + DAY_MS })).ok).toBe(false);
      await expectThirtyDays();
    });

    it("by the caller's clock too, so that the count begins again", async () => {
      const name = nameSubject('eve', await store.nameKey());
      await taken(store, name, { waits: [0] });
      expect((await take(store, name, { waits: [0], now: NOW + 30 * DAY_MS - 1 })).ok).toBe(false);
      expect(
        (await taken(store, name, { waits: [0], now: NOW + 60 * DAY_MS - 1 })).ticket.attempt,
      ).toBe(1);
    });

    it("is no user's count and no set", async () => {
      const set = await userWithSet(store);
      await taken(store, set.subject);
      await store.consume(consumption(set, 0));
      for (const key of await client.keys('*'))
        expect([key, await client.pTTL(key)]).toEqual([key, -1]);
    });

    it('is what stays of an ended set, times alone, after 400 days', async () => {
      const first = await userWithSet(store);
      const [user = '', ended = ''] = keysOf('backup-code:', first.subject.key);
      await store.consume(consumption(first, 0, { now: NOW + 1 }));
      const second = newSet(first.subject, { expiresAt: null });
      await store.replace({ ...second, now: NOW + 2 });
      await store.revoke({
        subject: first.subject,
        now: NOW + 3,
        event: newEvent('revoked', first.subject),
      });
      const read = async (): Promise<Record<string, unknown>> =>
        Object.fromEntries(
          Object.entries(await client.hGetAll(ended)).map(([setId, times]) => [
            setId,
            JSON.parse(times),
          ]),
        );
      const { createdAt, expiresAt } = first.header;
      expect(await read()).toEqual({
        [first.header.setId]: { endedAt: NOW + 2, createdAt, expiresAt, consumedAt: [NOW + 1] },
        [second.header.setId]: { endedAt: NOW + 3, createdAt, expiresAt: null, consumedAt: [] },
      });
      expect(await client.pTTL(ended)).toBeGreaterThan(400 * DAY_MS - 60_000);
      expect(
        Object.keys(await client.hGetAll(user)).filter((field) =>
          /^(code|consumed|set|header)/.test(field),
        ),
      ).toEqual([]);

      const third = newSet(first.subject);
      await store.replace({ ...third, now: NOW + 4 });
      await store.replace({ ...newSet(first.subject), now: NOW + 400 * DAY_MS + 2 });
      expect(Object.keys(await read()).sort()).toEqual(
        [second.header.setId, third.header.setId].sort(),
      );
    });
  });

  it('erases the salts and digests of a set with its end', async () => {
    for (const end of ['replace', 'activate', 'revoke'] as const) {
      const set = await userWithSet(store);
      const { subject } = set;
      const staged = newSet(subject);
      if (end !== 'replace') await store.stage({ ...staged, until: NOW + HOUR_MS });
      if (end === 'replace') await store.replace({ ...newSet(subject), now: NOW });
      else if (end === 'activate')
        await store.activate({
          subject,
          setId: staged.header.setId,
          now: NOW,
          event: newEvent('activated', subject),
        });
      else await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
      const all = await everything(client);
      const erased = end === 'revoke' ? [set, staged] : [set];
      for (const { header, codes } of erased)
        for (const secret of [
          header.salt,
          header.check,
          ...codes.flatMap(({ salt, digest }) => [salt, digest]),
        ])
          expect(all).not.toContain(secret);
    }
  });

  it('lists the users who have a set by when it expires', async () => {
    const set = await userWithSet(store, { expiresAt: NOW + HOUR_MS });
    const [user = '', , , , sets = ''] = keysOf('backup-code:', set.subject.key);
    expect(await client.zScore(sets, user)).toBe(NOW + HOUR_MS);
    await store.replace({ ...newSet(set.subject, { expiresAt: null }), now: NOW });
    expect(await client.zScore(sets, user)).toBe(Infinity);
    await store.revoke({ subject: set.subject, now: NOW, event: newEvent('revoked', set.subject) });
    expect(await client.zScore(sets, user)).toBeNull();
  });

  it('keeps apart what has another prefix', async () => {
    const [one, other] = [
      new RedisStore({ client, prefix: 'one:' }),
      new RedisStore({ client, prefix: 'other:' }),
    ];
    const set = await userWithSet(one);
    expect(await other.find(set.subject)).toBeNull();
    expect(await other.consume(consumption(set, 0))).toEqual({ outcome: 'gone', reason: 'none' });
    expect((await one.consume(consumption(set, 0))).outcome).toBe('consumed');
    expect(Buffer.from(await one.nameKey()).equals(Buffer.from(await other.nameKey()))).toBe(false);
    expect(
      (await client.keys('*')).filter((key) => !key.startsWith('one:') && key !== 'other:name-key'),
    ).toEqual([]);
  });

  it('makes one key for names, however many ask at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 20 }, () => new RedisStore({ client }).nameKey()),
    );
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
    await client.set('backup-code:name-key', 'short');
    await expect(store.nameKey()).rejects.toThrow(
      expect.objectContaining({ code: 'unreadable_set' }),
    );
  });

  it('keeps times to the millisecond, however late', async () => {
    const late = Number.MAX_SAFE_INTEGER - 120_000;
    const set = await userWithSet(store, { expiresAt: Number.MAX_SAFE_INTEGER });
    const waits = [120_000, 0];
    expect((await taken(store, set.subject, { now: late - 1, waits })).ticket.nextAt).toBe(
      late + 119_999,
    );
    expect(await take(store, set.subject, { now: late, waits })).toEqual({
      ok: false,
      reason: 'throttled',
      nextAt: late + 119_999,
      events: [expect.objectContaining({ type: 'throttled', refusals: 1 })],
    });
    await store.consume(consumption(set, 0, { now: late }));
    expect(await store.consume(consumption(set, 0, { now: late }))).toEqual({
      outcome: 'already_consumed',
      consumedAt: late,
    });
    expect((await store.find(set.subject))?.current).toMatchObject({
      lastConsumedAt: late,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
  });

  it('fills in the events that it writes, and alters nothing else in them', async () => {
    const set = await userWithSet(store);
    const { userId } = set.subject;
    const events = [
      newEvent('consumed', set.subject, {
        setId: set.header.setId,
        codeId: set.codes[0]!.codeId,
        context: {
          ip: null,
          userAgent: '\u{1f511} "\\/',
          requestId: '',
          actor: null,
          channel: 'recovery',
        },
      }),
    ];
    const consumed = await store.consume({ ...consumption(set, 0), events });
    const stored = (await readRedisEvents(client, userId)).at(-1);
    expect(stored).toEqual({ ...events[0], remaining: 9, total: 10 });
    expect(consumed).toMatchObject({ events: [stored] });
  });

  it.each([
    [
      'gives bytes for text',
      (url: string) =>
        createClient({ url }).withTypeMapping({
          [RESP_TYPES.BLOB_STRING]: Buffer,
        }) as unknown as Client,
    ],
    [
      'speaks the older protocol',
      (url: string) => createClient({ url, RESP: 2 }) as unknown as Client,
    ],
  ])('works with a client that %s', async (_, connect) => {
    const other = connect(server().url);
    await other.connect();
    try {
      const set = await userWithSet(new RedisStore({ client: other }));
      const { current } = await taken(new RedisStore({ client: other }), set.subject);
      expect(current).toMatchObject({ setId: set.header.setId, remaining: 10 });
      expect(await new RedisStore({ client: other }).consume(consumption(set, 0))).toMatchObject({
        outcome: 'consumed',
        remaining: 9,
        total: 10,
      });
    } finally {
      other.destroy();
    }
  });
});

describeWith(redis, 'RedisStore, when its server goes away', (server) => {
  let client: Client;
  let store: RedisStore;

  beforeAll(async () => {
    // As the option's doc says: a login should fail at once, not wait.
    client = createClient({
      url: server().url,
      disableOfflineQueue: true,
      socket: { reconnectStrategy: () => 20 },
    });
    client.on('error', () => undefined);
    await client.connect();
    store = new RedisStore({ client });
  });
  afterAll(() => client.destroy());

  const comeBack = async (): Promise<void> => {
    await server().restart();
    await until(async () => (await client.ping()) === 'PONG');
  };

  it('throws between take and consume, and lets the person in when it is back', async () => {
    const set = await userWithSet(store);
    await taken(store, set.subject);
    await server().kill();
    await expect(store.consume(consumption(set, 0))).rejects.toThrow();
    await expect(take(store, set.subject)).rejects.toThrow();
    await comeBack();
    expect((await taken(store, set.subject)).ticket.attempt).toBe(2);
    expect(await store.consume(consumption(set, 0))).toMatchObject({
      outcome: 'consumed',
      remaining: 9,
      total: 10,
    });
  });

  it('keeps what it said it had done, when it is killed in the middle of much', async () => {
    for (let round = 0; round < 10; round += 1) {
      const sets = await Promise.all(Array.from({ length: 20 }, () => userWithSet(store)));
      const told = new Map<string, string[]>(sets.map(({ header }) => [header.setId, []]));
      // At most 172 of 200 answers come before the kill. Each user waits for one answer at a time, so at least nine calls are
      // made after the kill. They fail, however busy the machine is.
      const lastAnswer = 1 + 19 * round;
      let answers = 0;
      const kills: Promise<void>[] = [];
      const consumeAll = async (set: UserSet): Promise<void> => {
        for (const [index, { codeId }] of set.codes.entries()) {
          const { outcome } = await store.consume(consumption(set, index));
          if (outcome === 'consumed') told.get(set.header.setId)!.push(codeId);
          answers += 1;
          // Do not await anything before this: the server would go on answering.
          if (answers === lastAnswer) kills.push(server().kill());
        }
      };
      const consumed = await Promise.allSettled(sets.map(consumeAll));
      expect(kills).toHaveLength(1);
      await kills[0];
      expect(consumed.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
      await comeBack();
      for (const set of sets) {
        const { current } = await taken(store, set.subject);
        const spent = current!.codes
          .filter(({ consumedAt }) => consumedAt !== null)
          .map(({ codeId }) => codeId);
        expect(spent).toEqual(expect.arrayContaining(told.get(set.header.setId)!));
        expect(current!.remaining).toBe(10 - spent.length);
        const trail = (await readRedisEvents(client, set.subject.userId)).flatMap(
          ({ type, codeId }) => (type === 'consumed' ? [codeId] : []),
        );
        expect(trail.sort()).toEqual(spent.sort());
      }
    }
  }, 120_000);
});

describeWith(redisCluster, 'RedisStore on a cluster', (cluster) => {
  it('spreads the users over all nodes', async () => {
    const { createCluster } = await import('redis');
    const client = createCluster({ rootNodes: cluster().nodes.map(({ url }) => ({ url })) });
    await client.connect();
    const store = new RedisStore({ client });
    for (let n = 0; n < 200; n += 1) await userWithSet(store);
    await client.close();
    const sizes = await Promise.all(
      cluster().nodes.map(async ({ url }) => {
        const node = await createClient({ url }).connect();
        const keys = await node.keys('*:user:*');
        await node.close();
        return keys.length;
      }),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(200);
    expect(Math.min(...sizes)).toBeGreaterThan(20);
  });
});

/** Counts what is sent, which is what is waited for. */
function countTrips(client: Client): { trips: number; client: RedisClient } {
  const counted = {
    trips: 0,
    client: {
      eval: (...args: Parameters<RedisClient['eval']>) => {
        counted.trips += 1;
        return client.eval(...args);
      },
      evalSha: (...args: Parameters<RedisClient['evalSha']>) => {
        counted.trips += 1;
        return client.evalSha(...args);
      },
    },
  };
  return counted;
}

/** Every key with all that it holds. */
async function snapshot(client: Client): Promise<Record<string, unknown>> {
  const keys = (await client.keys('*')).sort();
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, await contents(client, key)] as const)),
  );
}

async function contents(client: Client, key: string): Promise<unknown> {
  const type = await client.type(key);
  if (type === 'hash') return { ...(await client.hGetAll(key)) };
  if (type === 'stream') return client.xRange(key, '-', '+');
  if (type === 'zset') return client.zRangeWithScores(key, 0, -1);
  return client.get(key);
}

async function everything(client: Client): Promise<string> {
  return JSON.stringify(await snapshot(client));
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; ; waited += 1) {
    if (await isSo().catch(() => false)) return;
    if (waited > 500) throw new Error('It did not come to be.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
