// Redis whose answer is lost on the way. A client of `createSentinel` sends the command again: the
// script runs twice, and its second answer is the one that arrives.
import { createClient, createSentinel } from 'redis';
import { BackupCodes } from '../../../lib';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { countingHasher } from '../../helpers/counting-hasher';
import { readRedisEvents } from '../../helpers/read-redis-events';
import type { SingleClient } from '../../helpers/redis-data';
import { describeWith, LossyProxy, redis, startSentinel, type Server } from '../../helpers/servers';

/** What the request of the script that consumes a code contains, and no other. */
const CONSUMPTION = '"milestones"';

type Sentinel = RedisClient & { destroy(): unknown };

describeWith(redis, 'a Redis sentinel behind a proxy that loses answers', (server) => {
  let proxy: LossyProxy;
  let sentinel: Server;
  let direct: SingleClient;

  beforeAll(async () => {
    direct = createClient({ url: server().url });
    await direct.connect();
    proxy = await LossyProxy.start(server());
    sentinel = await startSentinel({ masterPort: proxy.port });
  }, 60_000);
  afterAll(async () => {
    await direct.close();
    await sentinel.stop();
    await proxy.stop();
  });

  const connect = async (options: { maxCommandRediscovers?: number } = {}): Promise<Sentinel> => {
    const client = createSentinel({
      name: 'codes',
      sentinelRootNodes: [{ host: '127.0.0.1', port: sentinel.port }],
      ...options,
    });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  const open = (client: RedisClient): BackupCodes =>
    new BackupCodes({ store: new RedisStore({ client }), hasher: countingHasher() });
  const trailOf = async (user: string): Promise<string[]> =>
    (await readRedisEvents(direct, user)).map(({ type }) => type);

  it('If the answer to a consumption is lost, and it is sent again, the owner gets in, once', async () => {
    const client = await connect();
    try {
      const backupCodes = open(client);
      const { codes } = await backupCodes.issue('ada');
      await backupCodes.consume('ada', codes[0]);
      const lostBefore = proxy.lost;
      proxy.loseAnswerTo(CONSUMPTION);
      const outcome = await backupCodes.consume('ada', codes[1]);
      expect(proxy.lost).toBe(lostBefore + 1);
      expect(outcome).toMatchObject({ ok: true, remaining: 8, repeated: true });
      expect(await trailOf('ada')).toEqual(['issued', 'consumed', 'consumed']);
      expect(await backupCodes.consume('ada', codes[1])).toEqual({ ok: false, reason: 'reused' });
    } finally {
      client.destroy();
    }
  }, 60_000);

  it('With maxCommandRediscovers: 0 no command is sent again, and the same login gets in', async () => {
    const client = await connect({ maxCommandRediscovers: 0 });
    try {
      const backupCodes = open(client);
      const { codes } = await backupCodes.issue('bob');
      proxy.loseAnswerTo(CONSUMPTION);
      const context = { loginId: 'login-1' };
      await expect(backupCodes.consume('bob', codes[0], context)).rejects.toThrow();
      const outcome = await backupCodes.consume('bob', codes[0], context);
      expect(outcome).toMatchObject({ ok: true, remaining: 9, repeated: true });
      expect(await trailOf('bob')).toEqual(['issued', 'consumed']);
    } finally {
      client.destroy();
    }
  }, 60_000);
});
