import { createClient, createCluster } from 'redis';
import { RedisStore } from '../../../lib/redis';
import { storeContract } from '../../../lib/testing';
import { readRedisEvents } from '../../helpers/read-redis-events';
import { expectSameAsMemory } from '../../helpers/same-as-memory';
import { describeWith, redis, redisCluster } from '../../helpers/servers';

describeWith(redis, 'RedisStore on one server', (server) => {
  storeContract(
    { describe, it },
    {
      connect: async () => {
        const client = await createClient({ url: server().url }).connect();
        return { store: new RedisStore({ client }), close: () => client.close() };
      },
      readEvents: async (userId) => {
        const client = await createClient({ url: server().url }).connect();
        try {
          return await readRedisEvents(client, userId);
        } finally {
          await client.close();
        }
      },
    },
  );

  it('gives for any sequence of calls what MemoryStore gives', async () => {
    const client = await createClient({ url: server().url }).connect();
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
  const connectCluster = async () => {
    const client = createCluster({ rootNodes: cluster().nodes.map(({ url }) => ({ url })) });
    await client.connect();
    return client;
  };

  storeContract(
    { describe, it },
    {
      connect: async () => {
        const client = await connectCluster();
        return { store: new RedisStore({ client }), close: () => client.close() };
      },
      readEvents: async (userId) => {
        const client = await connectCluster();
        try {
          return await readRedisEvents(client, userId);
        } finally {
          await client.close();
        }
      },
    },
  );
});
