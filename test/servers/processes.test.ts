// Four processes on one database, as behind a load balancer.
import { randomUUID } from 'node:crypto';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { describeOn } from '../helpers/sql-databases';
import { ConsumingWorkers } from '../helpers/workers';

const PROCESSES = 4;
const TIMES = 13;
const ROUNDS = 10;

for (const kind of ['SQLite', 'PostgreSQL', 'MariaDB'] as const) describeOn(kind, `four processes on ${kind}`, (database) => {
  let workers: ConsumingWorkers;
  let backupCodes: BackupCodes;

  beforeAll(async () => {
    const db = database().connect();
    await createTables(db);
    workers = await ConsumingWorkers.start(PROCESSES, database().connection, { free: 50 });
    // As the workers hash, so that they read what is issued here.
    backupCodes = new BackupCodes({ store: new SqlStore(db), hasher: countingHasher('quick') });
  }, 60_000);

  afterAll(async () => {
    await workers.stop();
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
  });

  it('consume different codes at once, and none comes back', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = randomUUID();
      const { codes } = await backupCodes.issue(user);
      const outcomes = await workers.consume(user, (worker) => codes[worker]!, 1);
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, true]);
      expect(await backupCodes.status(user)).toMatchObject({ remaining: 6 });
    }
  });

  it('look at no more wrong codes together than one of them would', async () => {
    const user = randomUUID();
    await backupCodes.issue(user);
    const outcomes = await workers.consume(user, () => 'AAAA-AAAA', 50);
    const reasons = outcomes.map(({ reason }) => reason).sort();
    expect(reasons).toEqual([...new Array<string>(150).fill('disabled'), ...new Array<string>(50).fill('mismatch')]);
  });
});
