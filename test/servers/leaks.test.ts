// An error of a database may quote the row that it refuses. The error that is thrown contains no
// digest and no salt.
import { sql } from 'kysely';
import { createClient } from 'redis';
import { BackupCodes, type BackupCodeStore } from '../../lib';
import { RedisStore } from '../../lib/redis';
import { createTables, SqlStore } from '../../lib/sql';
import { Canary, printed } from '../helpers/canary';
import { fakeClock, SECOND_MS, START, type FakeClock } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { describeWith, redis } from '../helpers/servers';
import { describeOn } from '../helpers/sql-databases';
import { learnSecrets, recordOutput } from '../leaks/record-output';

const errors: unknown[] = [];
const canary = new Canary();
recordOutput({
  learn: (code) => canary.addCode(code, 'a code'),
  record: (place, value) => (place === 'errors' ? errors.push(value) : 0),
});

beforeEach(() => errors.splice(0));

function serve(store: BackupCodeStore, { now }: FakeClock): BackupCodes {
  return new BackupCodes({ store: learnSecrets(store, canary), hasher: countingHasher(), now });
}

/** Expects errors, none of which contains a secret. */
async function expectToFailQuietly(calls: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const call of calls) await call().catch(() => undefined);
  expect(errors.length).toBeGreaterThan(0);
  expect(errors.flatMap((error) => canary.findIn(printed(error)))).toEqual([]);
}

/** Faults of the tables, such as those of a failed migration. */
const FAULTS = [
  [
    'refuses a row of codes',
    `ALTER TABLE backup_codes ADD CONSTRAINT refused CHECK (created_at <= ${START})`,
    'ALTER TABLE backup_codes DROP CONSTRAINT refused',
  ],
  [
    'refuses the header of a set',
    `ALTER TABLE backup_code_users ADD CONSTRAINT refused CHECK (created_at <= ${START})`,
    'ALTER TABLE backup_code_users DROP CONSTRAINT refused',
  ],
  [
    'lacks a column of codes',
    'ALTER TABLE backup_codes RENAME COLUMN digest TO elsewhere',
    'ALTER TABLE backup_codes RENAME COLUMN elsewhere TO digest',
  ],
  [
    'lacks the table of events',
    'ALTER TABLE backup_code_events RENAME TO elsewhere',
    'ALTER TABLE elsewhere RENAME TO backup_code_events',
  ],
] as const;

for (const kind of ['SQLite', 'PostgreSQL', 'MariaDB'] as const) {
  describeOn(kind, `an error of ${kind}`, (database) => {
    // SQLite cannot add a constraint to a table.
    it.each(FAULTS.filter(([, statement]) => kind !== 'SQLite' || !statement.includes('CHECK')))(
      'An error holds no secret if the database %s',
      async (_what, breakIt, mendIt) => {
        const db = database().connect();
        await createTables({ database: db });
        const clock = fakeClock();
        const backupCodes = serve(new SqlStore({ database: db }), clock);
        const { codes } = await backupCodes.issue('ada');
        clock.advance(SECOND_MS);
        await sql.raw(breakIt).execute(db);
        try {
          await expectToFailQuietly([
            () => backupCodes.consume('ada', codes[0]),
            () => backupCodes.issue('ada'),
            () => backupCodes.stage('bea'),
          ]);
        } finally {
          await sql.raw(mendIt).execute(db);
        }
      },
    );
  });
}

describeWith(redis, 'an error of Redis', (server) => {
  it('An error holds no secret if Redis has no memory left', async () => {
    const client = await createClient({ url: server().url }).connect();
    const backupCodes = serve(new RedisStore({ client }), fakeClock());
    const { codes } = await backupCodes.issue('ada');
    await client.configSet('maxmemory', '1');
    await expectToFailQuietly([
      () => backupCodes.consume('ada', codes[0]),
      () => backupCodes.issue('ada'),
      () => backupCodes.stage('bea'),
    ]);
    await client.close();
  });
});
