// A failover to a replica in the middle of logins, through the sentinel client of node-redis.
import { createClient, createSentinel } from 'redis';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { issueSet, newCode, newConsumeRequest, type UserSet } from '../../../lib/testing/samples';
import { readRedisEvents } from '../../helpers/read-redis-events';
import { describeWith, redisSentinel, type RedisSentinelGroup } from '../../helpers/servers';

const USERS = 10;
const CODES = 10;
/** The primary is killed after this many answers. */
const KILL_AFTER = 30;

interface OpenClient extends RedisClient {
  destroy(): Promise<unknown>;
}

async function connectTo({ name, sentinel }: RedisSentinelGroup): Promise<OpenClient> {
  const client = createSentinel({
    name,
    sentinelRootNodes: [{ host: sentinel.host, port: sentinel.port }],
    nodeClientOptions: { disableOfflineQueue: true },
    // A command is not sent again.
    maxCommandRediscovers: 0,
    scanInterval: 100,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describeWith(redisSentinel, 'a failover in the middle of logins', (group) => {
  it('no code is accepted twice, except one whose consumption the replica never received', async () => {
    const clients = await Promise.all([connectTo(group()), connectTo(group())]);
    const stores = clients.map((client) => new RedisStore({ client }));
    const sets: UserSet[] = [];
    for (let n = 0; n < USERS; n += 1) sets.push(await issueSet(stores[0]!, { count: CODES }));

    const accepted = new Map<string, number>();
    let answers = 0;
    const kills: Promise<void>[] = [];
    const useAllCodes = async (store: RedisStore, set: UserSet): Promise<void> => {
      for (const [index, { codeId }] of set.codes.entries()) {
        const consumption = await store.consume(newConsumeRequest(set, index)).catch(() => null);
        if (consumption?.outcome === 'consumed') {
          accepted.set(codeId, (accepted.get(codeId) ?? 0) + 1);
        }
        answers += 1;
        if (answers === KILL_AFTER) kills.push(group().primary.kill());
      }
    };
    const useEverything = async (): Promise<void> => {
      await Promise.all(stores.flatMap((store) => sets.map((set) => useAllCodes(store, set))));
    };
    await useEverything();
    expect(kills).toHaveLength(1);
    await kills[0];
    await group().waitForFailover();
    await waitUntil(async () => (await stores[0]!.find(sets[0]!.subject)) !== null);
    await waitUntil(async () => (await stores[1]!.find(sets[0]!.subject)) !== null);
    await useEverything();

    const promoted = await createClient({ url: group().replica.url }).connect();
    for (const set of sets) {
      const trail = await readRedisEvents(promoted, set.subject.userId);
      const recorded = trail.filter(({ type }) => type === 'consumed').map(({ codeId }) => codeId);
      // Every code is consumed now, each has one event, and no store accepts one again.
      expect(recorded.sort()).toEqual(set.codes.map(({ codeId }) => codeId).sort());
      for (const index of set.codes.keys()) {
        expect(await stores[0]!.consume(newConsumeRequest(set, index))).toMatchObject({
          outcome: 'already_consumed',
        });
      }
      const invalid = { ...set, codes: [newCode()] };
      expect(await stores[0]!.consume(newConsumeRequest(invalid, 0))).toEqual({
        outcome: 'gone',
        reason: 'none',
      });
    }
    // Twice at most: by the primary before it was killed, and by the replica that did not know.
    expect(Math.max(...accepted.values())).toBeLessThanOrEqual(2);
    await promoted.close();
    await Promise.all(clients.map((client) => client.destroy()));
  }, 60_000);
});

describeWith(redisSentinel, 'a failover to a replica that is behind', (group) => {
  it('a code whose consumption did not reach the replica works again after the failover', async () => {
    const client = await connectTo(group());
    const store = new RedisStore({ client });
    const set = await issueSet(store);
    const replica = await createClient({ url: group().replica.url }).connect();
    const primary = await createClient({ url: group().primary.url }).connect();
    expect(await primary.wait(1, 10_000)).toBe(1);
    expect(await store.consume(newConsumeRequest(set, 0))).toMatchObject({ outcome: 'consumed' });
    expect(await primary.wait(1, 10_000)).toBe(1);

    // The replica loses its connection, and the primary refuses the next one.
    await replica.configSet('masterauth', 'refused');
    await primary.sendCommand(['CLIENT', 'KILL', 'TYPE', 'replica']);
    expect(await store.consume(newConsumeRequest(set, 1))).toMatchObject({ outcome: 'consumed' });
    primary.destroy();
    replica.destroy();
    await group().primary.kill();
    await group().waitForFailover();
    await waitUntil(async () => (await store.find(set.subject)) !== null);

    expect((await store.consume(newConsumeRequest(set, 0))).outcome).toBe('already_consumed');
    expect((await store.consume(newConsumeRequest(set, 1))).outcome).toBe('consumed');
    await client.destroy();
  }, 60_000);
});

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    if (await isTrue().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('The client did not find the new primary within 30 seconds.');
}
