// How many round trips to Redis a verification takes.
import { createClient } from 'redis';
import { BackupCodes } from '../../../lib';
import { RedisStore, type RedisClient } from '../../../lib/redis';
import { newConsumeRequest, issueSet } from '../../../lib/testing/samples';
import { countingHasher } from '../../helpers/counting-hasher';
import type { SingleClient } from '../../helpers/redis-data';
import { describeWith, redis } from '../../helpers/servers';
import { WRONG } from '../../helpers/service';

describeWith(redis, 'round trips to Redis', (server) => {
  let client: SingleClient;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushDb());

  it('every verification takes two round trips to Redis, and a refusal takes one', async () => {
    const counting = countTrips(client);
    const backupCodes = new BackupCodes({
      store: new RedisStore({ client: counting.client }),
      hasher: countingHasher(),
      attempts: { free: 3 },
    });
    const { codes } = await backupCodes.issue('ada');
    const [used, second, third, fourth] = codes;
    // The first calls send each script to the server; from then on its hash is enough.
    await backupCodes.consume('ada', used);
    await backupCodes.consume('ada', used);
    const verifications: unknown[] = [];
    for (const typed of [second, used, WRONG, third, WRONG, WRONG, WRONG, fourth]) {
      counting.trips = 0;
      const outcome = await backupCodes.consume('ada', typed);
      verifications.push([outcome.ok ? 'ok' : outcome.reason, counting.trips]);
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

  it('if the server lost its scripts, the next call takes one more round trip', async () => {
    const set = await issueSet(new RedisStore({ client }));
    await client.scriptFlush();
    const counting = countTrips(client);
    const store = new RedisStore({ client: counting.client });
    expect((await store.consume(newConsumeRequest(set, 1))).outcome).toBe('consumed');
    expect(counting.trips).toBe(2);
    expect((await store.consume(newConsumeRequest(set, 2))).outcome).toBe('consumed');
    expect(counting.trips).toBe(3);
  });
});

interface TripCounter {
  trips: number;
  readonly client: RedisClient;
}

function countTrips(client: SingleClient): TripCounter {
  const counter: TripCounter = {
    trips: 0,
    client: {
      eval: (script, options) => {
        counter.trips += 1;
        return client.eval(script, options);
      },
      evalSha: (sha1, options) => {
        counter.trips += 1;
        return client.evalSha(sha1, options);
      },
    },
  };
  return counter;
}
