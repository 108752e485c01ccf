// The contract of a store on Redis, as a user with exactly the rights that docs/redis.md lists.
import { createClient, createCluster } from 'redis';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { storeContract } from '../../../lib/testing';
import { readRedisEvents, type StreamClient } from '../../helpers/read-redis-events';
import { clusterWithListedRights, urlWithListedRights } from '../../helpers/redis-users';
import { expectSameAsMemory } from '../../helpers/same-as-memory';
import { describeWith, redis, redisCluster } from '../../helpers/servers';

type ConnectedClient = RedisClient & StreamClient & { close(): Promise<unknown> };

describeWith(redis, 'RedisStore on one server', (server) => {
  const connect = async (): Promise<ConnectedClient> =>
    createClient({ url: await urlWithListedRights(server()) }).connect();

  testContract(connect);

  it('any sequence of calls returns the same on RedisStore as on MemoryStore', async () => {
    const client = await connect();
    try {
      await expectSameAsMemory(new RedisStore({ client }), (userId) =>
        readRedisEvents(client, userId),
      );
    } finally {
      await client.close();
    }
  }, 60_000);
});

describeWith(redisCluster, 'RedisStore on a cluster of three', (cluster) => {
  testContract(async () => createCluster(await clusterWithListedRights(cluster().nodes)).connect());
});

function testContract(connect: () => Promise<ConnectedClient>): void {
  storeContract(
    { describe, it },
    {
      connect: async () => {
        const client = await connect();
        return {
          store: new RedisStore({ client }),
          close: async () => {
            await client.close();
          },
        };
      },
      readEvents: async (userId) => {
        const client = await connect();
        try {
          return await readRedisEvents(client, userId);
        } finally {
          await client.close();
        }
      },
    },
  );
}
