// The audit trail, pruning, reminders, the report, and races over the life of a set: on one Redis
// and on a cluster, with two clients, with the rights that docs/redis.md lists.
import { randomUUID } from 'node:crypto';
import { createClient, createCluster } from 'redis';
import { BackupCodes, type EventsPage, type EventsQuery, type EventType } from '../../../lib';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { partitionOf } from '../../../lib/redis/keys';
import { newEvent, newUser, type User } from '../../../lib/testing/samples';
import { countingHasher } from '../../helpers/counting-hasher';
import { lifecycleRaces } from '../../helpers/lifecycle-races';
import { clusterWithListedRights, urlWithListedRights } from '../../helpers/redis-users';
import { reportTests } from '../../helpers/report-tests';
import { describeWith, redis, redisCluster } from '../../helpers/servers';

describeWith(redis, 'reports on one Redis', (server) => {
  testReports(async () => createClient({ url: await urlWithListedRights(server()) }).connect());
});

describeWith(redisCluster, 'reports on a Redis cluster of three', (cluster) => {
  testReports(async () => createCluster(await clusterWithListedRights(cluster().nodes)).connect());
});

type ConnectedClient = RedisClient & { close(): unknown };

function testReports(connect: () => Promise<ConnectedClient>): void {
  let clients: ConnectedClient[] = [];
  /** Each call uses a new prefix, so that the store is empty. */
  const open = async (): Promise<{ store: RedisStore; another: () => RedisStore }> => {
    const prefix = `${randomUUID()}:`;
    return {
      store: new RedisStore({ client: clients[0]!, prefix }),
      another: () => new RedisStore({ client: clients[1]!, prefix }),
    };
  };

  beforeAll(async () => {
    clients = await Promise.all([connect(), connect()]);
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
  });

  reportTests({ open });

  it('events finds a user among the many events of another in the same partition', async () => {
    const { store } = await open();
    const quiet = newUser();
    const busy = newUserInPartition(partitionOf(quiet.key));
    const append = async (user: User, type: EventType, times = 1): Promise<void> => {
      await store.append(Array.from({ length: times }, () => newEvent(type, user)));
    };
    await append(quiet, 'issued');
    await append(busy, 'rejected', 1200);
    await append(quiet, 'low');
    await append(busy, 'rejected', 700);
    await append(quiet, 'exhausted');

    const { userId } = quiet;
    expect(await readTypes(store, { userId })).toEqual(['issued', 'low', 'exhausted']);
    expect(await readTypes(store, { userId, order: 'newest-first' })).toEqual([
      'exhausted',
      'low',
      'issued',
    ]);
    expect(await readTypes(store, { types: ['low', 'exhausted'] })).toEqual(['low', 'exhausted']);
    expect(await readTypes(store, { userId, types: ['low', 'rejected'] })).toEqual(['low']);
  });

  it('events ignores a user id or type that is only in the details of an event', async () => {
    const { store } = await open();
    const user = newUser();
    const other = newUserInPartition(partitionOf(user.key));
    const details = { userId: user.userId, type: 'low' };
    await store.append([newEvent('app_note', other, { details })]);
    await store.append([newEvent('app_note', user)]);

    expect(await readTypes(store, { userId: user.userId })).toEqual(['app_note']);
    expect(await readTypes(store, { userId: other.userId })).toEqual(['app_note']);
    expect(await readTypes(store, { types: ['low'] })).toEqual([]);
    expect(await readTypes(store, { types: ['app_note'] })).toEqual(['app_note', 'app_note']);
  });

  describe('races over the life of a set', () => lifecycleRaces({ open }));
}

function newUserInPartition(partition: number): User {
  for (;;) {
    const user = newUser();
    if (partitionOf(user.key) === partition) return user;
  }
}

/** The types of the events that the query returns, one event a page. */
async function readTypes(store: RedisStore, query: EventsQuery): Promise<string[]> {
  const { audit } = new BackupCodes({ store, hasher: countingHasher() });
  const types: string[] = [];
  let after: string | null = null;
  for (;;) {
    const page: EventsPage = await audit.events({ ...query, after, limit: 1 });
    if (page.events.length === 0) return types;
    types.push(...page.events.map(({ type }) => type));
    after = page.cursor;
  }
}
