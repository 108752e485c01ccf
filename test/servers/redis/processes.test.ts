// Four processes on one Redis, as behind a load balancer.
import { randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import { BackupCodes } from '../../../lib';
import { RedisStore } from '../../../lib/redis';
import { countingHasher } from '../../helpers/counting-hasher';
import { describeWith, redis } from '../../helpers/servers';
import { ConsumingWorkers } from '../../helpers/workers';

const PROCESSES = 4;
const TIMES = 13;
const ROUNDS = 20;

describeWith(redis, 'four processes on Redis', (server) => {
  let workers: ConsumingWorkers;
  let backupCodes: BackupCodes;
  let client: ReturnType<typeof createClient>;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
    workers = await ConsumingWorkers.start(PROCESSES, { kind: 'redis', url: server().url }, { free: 50 });
    // As the workers hash, so that they read what is issued here.
    backupCodes = new BackupCodes({ store: new RedisStore({ client }), hasher: countingHasher('quick') });
  }, 60_000);

  afterAll(async () => {
    await workers.stop();
    await client.close();
  });

  it('let one code in exactly once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = randomUUID();
      const { codes } = await backupCodes.issue(user);
      const outcomes = await workers.consume(user, () => codes[0]!, TIMES);
      expect(outcomes).toHaveLength(PROCESSES * TIMES);
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      expect(await backupCodes.status(user)).toMatchObject({ remaining: 9 });
    }
  }, 60_000);

  it('consume different codes at once, and none comes back', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = randomUUID();
      const { codes } = await backupCodes.issue(user);
      const outcomes = await workers.consume(user, (worker) => codes[worker]!, 1);
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, true]);
      expect(await backupCodes.status(user)).toMatchObject({ remaining: 6 });
    }
  }, 60_000);

  it('look at no more wrong codes together than one of them would', async () => {
    const user = randomUUID();
    await backupCodes.issue(user);
    const outcomes = await workers.consume(user, () => 'AAAA-AAAA', 50);
    const reasons = outcomes.map(({ reason }) => reason).sort();
    expect(reasons).toEqual([...new Array<string>(150).fill('disabled'), ...new Array<string>(50).fill('mismatch')]);
  }, 60_000);
});
