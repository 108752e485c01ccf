// A Redis that is killed and started again while the store is in use.
import { createClient } from 'redis';
import { RedisStore } from '../../../lib/redis';
import {
  newConsumeRequest,
  takeAttempt,
  takeGrantedAttempt,
  issueSet,
  type UserSet,
} from '../../../lib/testing/samples';
import { readRedisEvents } from '../../helpers/read-redis-events';
import type { SingleClient } from '../../helpers/redis-data';
import { describeWith, redis } from '../../helpers/servers';

const ROUNDS = 10;
const USERS = 20;

describeWith(redis, 'a Redis that is killed', (server) => {
  let client: SingleClient;
  let store: RedisStore;

  beforeAll(async () => {
    // As the documentation of the option says: a login fails at once instead of waiting.
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

  const restart = async (): Promise<void> => {
    await server().restart();
    await waitUntil(async () => (await client.ping()) === 'PONG');
  };

  it('RedisStore throws while its server is down, and works when it is back', async () => {
    const set = await issueSet(store);
    await takeGrantedAttempt(store, set.subject);
    await server().kill();
    await expect(store.consume(newConsumeRequest(set, 0))).rejects.toThrow();
    await expect(takeAttempt(store, set.subject)).rejects.toThrow();
    await restart();
    expect((await takeGrantedAttempt(store, set.subject)).ticket.attempt).toBe(2);
    expect(await store.consume(newConsumeRequest(set, 0))).toMatchObject({
      outcome: 'consumed',
      remaining: 9,
      total: 10,
    });
  });

  it('a code that RedisStore consumed stays consumed when its server is killed', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const sets = await Promise.all(Array.from({ length: USERS }, () => issueSet(store)));
      const reported = new Map<string, string[]>();
      // At most 172 of 200 answers come before the kill. Each user waits for one answer at a time,
      // so at least nine calls are made after the kill. They fail, however busy the machine is.
      const lastAnswer = 1 + 19 * round;
      let answers = 0;
      const kills: Promise<void>[] = [];
      const consumeAll = async (set: UserSet): Promise<void> => {
        const consumed: string[] = [];
        reported.set(set.header.setId, consumed);
        for (const [index, { codeId }] of set.codes.entries()) {
          const { outcome } = await store.consume(newConsumeRequest(set, index));
          if (outcome === 'consumed') consumed.push(codeId);
          answers += 1;
          // Do not await anything before this: the server would continue to answer.
          if (answers === lastAnswer) kills.push(server().kill());
        }
      };
      const calls = await Promise.allSettled(sets.map(consumeAll));
      expect(kills).toHaveLength(1);
      await kills[0];
      expect(calls.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(0);
      await restart();
      for (const set of sets) await expectConsistent(set, reported.get(set.header.setId)!);
    }
  }, 120_000);

  /** At least the reported codes are consumed, and the count and the trail agree with the set. */
  const expectConsistent = async (set: UserSet, reported: readonly string[]): Promise<void> => {
    const { current } = await takeGrantedAttempt(store, set.subject);
    const consumed: string[] = [];
    for (const { codeId, consumedAt } of current!.codes) {
      if (consumedAt !== null) consumed.push(codeId);
    }
    expect(consumed).toEqual(expect.arrayContaining([...reported]));
    expect(current!.remaining).toBe(10 - consumed.length);
    const trail = await readRedisEvents(client, set.subject.userId);
    const recorded = trail.filter(({ type }) => type === 'consumed').map(({ codeId }) => codeId);
    expect(recorded.sort()).toEqual(consumed.sort());
  };
});

async function waitUntil(isTrue: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (await isTrue().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('Redis did not answer within ten seconds of its restart.');
}
