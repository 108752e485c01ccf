// Events, pruning, reminders, the report and races over a set's life, on one Redis and on a cluster, over two clients.
import { randomUUID } from 'node:crypto';
import { createClient, createCluster } from 'redis';
import { BackupCodes, type EventsQuery } from '../../../lib';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { partitionOf } from '../../../lib/redis/keys';
import { newEvent, newUser } from '../../../lib/testing/samples';
import { countingHasher } from '../../helpers/counting-hasher';
import { lifecycleRaces } from '../../helpers/lifecycle-races';
import { reportTests } from '../../helpers/report-tests';
import { describeWith, redis, redisCluster } from '../../helpers/servers';

describeWith(redis, 'reports on one Redis', (server) => {
  testReports(async () => createClient({ url: server().url }).connect());
});

describeWith(redisCluster, 'reports on a Redis cluster of three', (cluster) => {
  testReports(async () =>
    createCluster({ rootNodes: cluster().nodes.map(({ url }) => ({ url })) }).connect(),
  );
});

function testReports(connect: () => Promise<RedisClient & { close(): unknown }>): void {
  let clients: Awaited<ReturnType<typeof connect>>[] = [];
  /** Each prefix holds nothing yet. */
  const open = async () => {
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

  it('the events of a quiet user are found among the many of a busy one in the same partition', async () => {
    const { store } = await open();
    const quiet = newUser();
    let busy = newUser();
    while (partitionOf(busy.key) !== partitionOf(quiet.key)) busy = newUser();
    const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
    const written: string[] = [];
    for (const [user, type, times] of [
      [quiet, 'issued', 1],
      [busy, 'rejected', 1200],
      [quiet, 'low', 1],
      [busy, 'rejected', 700],
      [quiet, 'exhausted', 1],
    ] as const) {
      await store.append(Array.from({ length: times }, () => newEvent(type, user)));
      if (user === quiet) written.push(type);
    }
    const read = async (query: EventsQuery): Promise<string[]> => {
      const types: string[] = [];
      for (let after: string | null = null; ;) {
        const page = await backupCodes.audit.events({ ...query, after, limit: 1 });
        if (page.events.length === 0) return types;
        types.push(...page.events.map(({ type }) => type));
        after = page.cursor;
      }
    };
    expect(await read({ userId: quiet.userId })).toEqual(written);
    expect(await read({ userId: quiet.userId, order: 'newest-first' })).toEqual(
      written.toReversed(),
    );
    expect(await read({ types: ['low', 'exhausted'] })).toEqual(['low', 'exhausted']);
    expect(await read({ userId: quiet.userId, types: ['low', 'rejected'] })).toEqual(['low']);
  });

  describe('over the life of a set', () => lifecycleRaces({ open }));
}
