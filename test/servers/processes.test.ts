// Four processes on one database, as they run behind a load balancer.
import { randomUUID } from 'node:crypto';
import { createClient } from 'redis';
import { BackupCodes, type BackupCodeStore } from '../../lib';
import { RedisStore } from '../../lib/redis';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { describeWith, redis } from '../helpers/servers';
import { describeOn } from '../helpers/sql-databases';
import { ConsumingWorkers, type Connection } from '../helpers/workers';

const PROCESSES = 4;
const TIMES = 13;
const ROUNDS = 10;

/** The store of the test itself, on the data that the processes share. */
interface Opened {
  readonly store: BackupCodeStore;
  readonly connection: Connection;
  readonly close: () => Promise<void>;
}

for (const kind of ['SQLite', 'PostgreSQL', 'MariaDB'] as const)
  describeOn(kind, `four processes on ${kind}`, (database) => {
    fourProcessesTests(async () => {
      const { connect, connection } = database();
      const db = connect();
      await createTables({ database: db });
      return { store: new SqlStore({ database: db }), connection, close: () => Promise.resolve() };
    });
  });

describeWith(redis, 'four processes on Redis', (server) => {
  fourProcessesTests(async () => {
    const { url } = server();
    const client = createClient({ url });
    await client.connect();
    return {
      store: new RedisStore({ client }),
      connection: { kind: 'redis', url },
      close: () => client.close(),
    };
  });
});

function fourProcessesTests(open: () => Promise<Opened>): void {
  let opened: Opened;
  let workers: ConsumingWorkers;
  let backupCodes: BackupCodes;

  beforeAll(async () => {
    opened = await open();
    workers = await ConsumingWorkers.start(PROCESSES, opened.connection, { free: 50 });
    // The workers read what is issued here, so they hash the same way.
    backupCodes = new BackupCodes({ store: opened.store, hasher: countingHasher('quick') });
  }, 60_000);

  afterAll(async () => {
    await workers.stop();
    await opened.close();
  });

  it('Four processes accept one code exactly once', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = randomUUID();
      const { codes } = await backupCodes.issue(user);
      const outcomes = await workers.consume(user, () => codes[0]!, TIMES);
      expect(outcomes).toHaveLength(PROCESSES * TIMES);
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
      expect(await backupCodes.status(user)).toMatchObject({ remaining: 9 });
    }
  });

  it('Codes that four processes consume at once stay consumed', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const user = randomUUID();
      const { codes } = await backupCodes.issue(user);
      const outcomes = await workers.consume(user, (worker) => codes[worker]!, 1);
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true, true]);
      expect(await backupCodes.status(user)).toMatchObject({ remaining: 6 });
    }
  });

  it('Four processes compare no more invalid codes than one process does', async () => {
    const user = randomUUID();
    await backupCodes.issue(user);
    const outcomes = await workers.consume(user, () => 'AAAA-AAAA', 50);
    const reasons = outcomes.map(({ reason }) => reason).sort();
    expect(reasons).toEqual([
      ...new Array<string>(150).fill('locked'),
      ...new Array<string>(50).fill('mismatch'),
    ]);
  });
}
