// Redis whose answer is lost on the way. A client of `createSentinel` sends the command again: the
// script runs twice, and its second answer is the one that arrives.
import { createClient, createSentinel } from 'redis';
import { BackupCodes } from '../../../lib';
import type { Channel } from '../../../lib/audit/context';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import type { AttemptResult } from '../../../lib/stores/requests';
import { userSubject } from '../../../lib/stores/subject';
import { takeAttempt } from '../../../lib/testing/samples';
import { countingHasher } from '../../helpers/counting-hasher';
import { readRedisEvents } from '../../helpers/read-redis-events';
import type { SingleClient } from '../../helpers/redis-data';
import { describeWith, LossyProxy, redis, startSentinel, type Server } from '../../helpers/servers';

/** What the request of the script that consumes a code contains, and no other. */
const CONSUMPTION = '"milestones"';

/** The same, of the script that takes an attempt. */
const TAKEN_ATTEMPT = '"refusedsource"';

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

  it('If the answer to an attempt is lost, and it is sent again, it is counted once', async () => {
    const client = await connect();
    try {
      const store = new RedisStore({ client });
      const take = (channel: Channel, user: string): Promise<AttemptResult> =>
        takeAttempt(store, userSubject(user), {
          channel,
          waits: [1000, 1000],
          network: '192.0.2.0',
        });
      await take('second_factor', 'dan');
      await take('recovery', 'dan');
      for (const channel of ['second_factor', 'recovery'] as const) {
        const user = `new-${channel}`;
        proxy.loseAnswerTo(TAKEN_ATTEMPT);
        expect(await take(channel, user)).toMatchObject({ ok: true, ticket: { attempt: 1 } });
        expect(await take(channel, user)).toMatchObject({ ok: false, reason: 'throttled' });
      }
      expect(proxy.lost).toBeGreaterThanOrEqual(2);
    } finally {
      client.destroy();
    }
  }, 60_000);

  it('If the answer to a change is lost, and it is sent again, it is made and recorded once', async () => {
    const client = await connect();
    try {
      const backupCodes = open(client);
      // Each script is loaded before its answer is lost.
      const change = async (user: string, prepare: () => void): Promise<unknown> => {
        const changed: unknown[] = [];
        prepare();
        await backupCodes.issue(user);
        prepare();
        const { setId } = await backupCodes.stage(user);
        prepare();
        changed.push(await backupCodes.activate(user, setId));
        await backupCodes.consume(user, 'AAAA-AAAA');
        prepare();
        changed.push(await backupCodes.unlock(user, 'second_factor', { actor: 'root' }));
        prepare();
        changed.push(await backupCodes.revoke(user));
        return changed;
      };
      await change('eva', () => undefined);
      const lostBefore = proxy.lost;
      const changed = await change('fay', () => proxy.loseAnswerTo('"event":'));
      expect(proxy.lost).toBe(lostBefore + 5);
      expect(changed).toEqual([true, true, true]);
      const types = ['issued', 'staged', 'activated', 'rejected', 'unlocked', 'revoked'];
      expect(await trailOf('fay')).toEqual(types);
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
