// What RedisStore writes, and with which clients it works, on a real Redis.
import { createClient, createCluster, RESP_TYPES } from 'redis';
import { RedisStore } from '../../../lib/redis';
import { userKeys } from '../../../lib/redis/keys';
import {
  newConsumeRequest,
  HOUR_MS,
  newEvent,
  newSet,
  NOW,
  takeAttempt,
  takeGrantedAttempt,
  issueSet,
  type UserSet,
} from '../../../lib/testing/samples';
import { readRedisEvents } from '../../helpers/read-redis-events';
import { readAllKeys, type SingleClient } from '../../helpers/redis-data';
import { describeWith, redis, redisCluster } from '../../helpers/servers';

describeWith(redis, 'RedisStore', (server) => {
  let client: SingleClient;
  let store: RedisStore;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
    store = new RedisStore({ client });
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushDb());

  const endings: readonly (readonly [
    string,
    (set: UserSet, staged: UserSet) => Promise<unknown>,
  ])[] = [
    ['replace', ({ subject }) => store.replace({ ...newSet(subject), now: NOW })],
    [
      'activate',
      ({ subject }, { header: { setId } }) =>
        store.activate({ subject, setId, now: NOW, event: newEvent('activated', subject) }),
    ],
    [
      'revoke',
      ({ subject }) => store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) }),
    ],
  ];

  it.each(endings)(
    'RedisStore erases the salts and digests of a set that %s ends',
    async (method, end) => {
      const set = await issueSet(store);
      const staged = newSet(set.subject);
      await store.stage({ ...staged, until: NOW + HOUR_MS });
      await end(set, staged);
      const stored = JSON.stringify(await readAllKeys(client));
      for (const secret of secretsOf(set)) expect(stored).not.toContain(secret);
      for (const secret of secretsOf(staged)) {
        if (method === 'activate') expect(stored).toContain(secret);
        else expect(stored).not.toContain(secret);
      }
    },
  );

  it('RedisStore lists the users who have a set by when it expires', async () => {
    const { subject } = await issueSet(store, { expiresAt: NOW + HOUR_MS });
    const { user, sets } = userKeys('backup-code:', subject.key);
    expect(await client.zScore(sets, user)).toBe(NOW + HOUR_MS);
    await store.replace({ ...newSet(subject, { expiresAt: null }), now: NOW });
    expect(await client.zScore(sets, user)).toBe(Infinity);
    await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
    expect(await client.zScore(sets, user)).toBeNull();
  });

  it('two instances of RedisStore with different prefixes share nothing', async () => {
    const one = new RedisStore({ client, prefix: 'one:' });
    const other = new RedisStore({ client, prefix: 'other:' });
    const set = await issueSet(one);
    expect(await other.find(set.subject)).toBeNull();
    expect(await other.consume(newConsumeRequest(set, 0))).toEqual({
      outcome: 'gone',
      reason: 'none',
    });
    expect((await one.consume(newConsumeRequest(set, 0))).outcome).toBe('consumed');
    const nameKeys = [Buffer.from(await one.nameKey()), Buffer.from(await other.nameKey())];
    expect(nameKeys[0]!.equals(nameKeys[1]!)).toBe(false);
    const otherKeys = (await client.keys('*')).filter((key) => !key.startsWith('one:'));
    expect(otherKeys).toEqual(['other:name-key']);
  });

  it('twenty concurrent calls of nameKey on Redis return one key', async () => {
    const keys = await Promise.all(
      Array.from({ length: 20 }, () => new RedisStore({ client }).nameKey()),
    );
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  });

  it('a damaged name key on Redis is an error', async () => {
    await client.set('backup-code:name-key', 'short');
    await expect(store.nameKey()).rejects.toThrow(
      expect.objectContaining({ code: 'unreadable_set' }),
    );
  });

  it('RedisStore keeps times to the millisecond, up to the largest safe integer', async () => {
    const late = Number.MAX_SAFE_INTEGER - 120_000;
    const set = await issueSet(store, { expiresAt: Number.MAX_SAFE_INTEGER });
    const waits = [120_000, 0];
    const attempt = await takeGrantedAttempt(store, set.subject, { now: late - 1, waits });
    expect(attempt.ticket.nextAt).toBe(late + 119_999);
    expect(await takeAttempt(store, set.subject, { now: late, waits })).toEqual({
      ok: false,
      reason: 'throttled',
      nextAt: late + 119_999,
      events: [expect.objectContaining({ type: 'throttled', refusals: 1 })],
    });
    await store.consume(newConsumeRequest(set, 0, { now: late }));
    expect(await store.consume(newConsumeRequest(set, 0, { now: late }))).toEqual({
      outcome: 'already_consumed',
      consumedAt: late,
    });
    expect((await store.find(set.subject))?.current).toMatchObject({
      lastConsumedAt: late,
      expiresAt: Number.MAX_SAFE_INTEGER,
    });
  });

  it.each(endings)(
    'RedisStore handles a set of 10,000 codes, also when %s ends it',
    async (_method, end) => {
      const set = await issueSet(store, { count: 10_000 });
      const staged = newSet(set.subject, { count: 10_000 });
      for (const index of [0, 9_999])
        expect(await store.consume(newConsumeRequest(set, index))).toMatchObject({
          outcome: 'consumed',
        });
      const { current } = await takeGrantedAttempt(store, set.subject);
      expect(current?.codes).toHaveLength(10_000);
      await store.stage({ ...staged, until: NOW + HOUR_MS });
      await end(set, staged);
      const fields = await client.hKeys(userKeys('backup-code:', set.subject.key).user);
      for (const { codeId } of [set.codes[0]!, set.codes[5_000]!, set.codes[9_999]!]) {
        expect(fields).not.toContain(`code:${codeId}`);
        expect(fields).not.toContain(`consumed:${codeId}`);
      }
    },
  );

  it('RedisStore removes the times of 10,000 sets that ended long ago', async () => {
    const set = await issueSet(store);
    const { ended } = userKeys('backup-code:', set.subject.key);
    const longAgo = Array.from(
      { length: 10_000 },
      (_, n) => [`set-${n}`, '{"endedAt":1}'] as const,
    );
    await client.hSet(ended, Object.fromEntries(longAgo));
    await store.revoke({ subject: set.subject, now: NOW, event: newEvent('revoked', set.subject) });
    expect(await client.hKeys(ended)).toEqual([set.header.setId]);
  });

  it('RedisStore returns the events as stored, with nothing but its fields filled in', async () => {
    const set = await issueSet(store);
    const event = newEvent('consumed', set.subject, {
      setId: set.header.setId,
      codeId: set.codes[0]!.codeId,
      details: { empty: null, number: 0.1, text: '\u0000' },
      context: {
        ip: null,
        userAgent: '\u{1f511} "\\/',
        requestId: '',
        actor: null,
        channel: 'recovery',
      },
    });
    const consumed = await store.consume({ ...newConsumeRequest(set, 0), events: [event] });
    const stored = (await readRedisEvents(client, set.subject.userId)).at(-1);
    expect(stored).toEqual({ ...event, remaining: 9, total: 10 });
    expect(consumed).toEqual({
      outcome: 'consumed',
      remaining: 9,
      total: 10,
      events: [stored],
      repeated: false,
    });
  });

  const otherClients: readonly (readonly [string, () => SingleClient])[] = [
    [
      'returns buffers instead of strings',
      () =>
        createClient({ url: server().url }).withTypeMapping({
          [RESP_TYPES.BLOB_STRING]: Buffer,
        }) as unknown as SingleClient,
    ],
    [
      'speaks version 2 of the protocol',
      () => createClient({ url: server().url, RESP: 2 }) as unknown as SingleClient,
    ],
  ];

  it.each(otherClients)('RedisStore works with a client that %s', async (_name, create) => {
    const other = create();
    await other.connect();
    try {
      const otherStore = new RedisStore({ client: other });
      const set = await issueSet(otherStore);
      const { current } = await takeGrantedAttempt(otherStore, set.subject);
      expect(current).toMatchObject({ setId: set.header.setId, remaining: 10 });
      expect(await otherStore.consume(newConsumeRequest(set, 0))).toMatchObject({
        outcome: 'consumed',
        remaining: 9,
        total: 10,
      });
    } finally {
      other.destroy();
    }
  });
});

describeWith(redisCluster, 'RedisStore on a cluster', (cluster) => {
  it('RedisStore spreads the users over all nodes of a cluster', async () => {
    const nodes = cluster().nodes;
    const client = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
    await client.connect();
    const store = new RedisStore({ client });
    for (let n = 0; n < 200; n += 1) await issueSet(store);
    await client.close();
    const usersByNode = await Promise.all(nodes.map(({ url }) => countUsers(url)));
    expect(usersByNode.reduce((sum, users) => sum + users, 0)).toBe(200);
    expect(Math.min(...usersByNode)).toBeGreaterThan(20);
  });
});

async function countUsers(url: string): Promise<number> {
  const client = await createClient({ url }).connect();
  const keys = await client.keys('*:user:*');
  await client.close();
  return keys.length;
}

function secretsOf({ header, codes }: UserSet): string[] {
  return [header.salt, header.check, ...codes.flatMap(({ salt, digest }) => [salt, digest])];
}
