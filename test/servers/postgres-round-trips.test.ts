// How many round trips to PostgreSQL a verification takes. Each statement is one, BEGIN and COMMIT
// included.
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely';
import { BackupCodes, formats } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { WRONG_ON_BOTH } from '../helpers/service';
import { describeOn } from '../helpers/sql-databases';

for (const isolation of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const) {
  describeOn(
    'PostgreSQL',
    `round trips to PostgreSQL, whose default is ${isolation}`,
    (database) => {
      const sent: string[] = [];
      let backupCodes: BackupCodes;

      beforeAll(async () => {
        const pool: unknown = database().open();
        const kysely = new Kysely<unknown>({
          dialect: new PostgresDialect({ pool: pool as PostgresPool }),
          log: ({ query }) => {
            sent.push(query.sql.trim());
          },
        });
        await createTables({ database: kysely });
        backupCodes = new BackupCodes({
          store: new SqlStore({ database: kysely }),
          hasher: countingHasher(),
          format: formats.recovery,
          attempts: { free: 3 },
        });
        // The first call of all checks the server, and makes the key of unknown names.
        await backupCodes.rejectUnknownUser('an early stranger', WRONG_ON_BOTH);
      });
      const countTrips = async (verify: () => ReturnType<BackupCodes['consume']>) => {
        sent.length = 0;
        const outcome = await verify();
        return [outcome.ok ? 'ok' : outcome.reason, sent.length];
      };

      for (const channel of ['second_factor', 'recovery'] as const) {
        it(`on ${channel}, every verification takes two round trips`, async () => {
          const user = `ada ${channel}`;
          const { codes } = await backupCodes.issue(user);
          const verifications: unknown[] = [];
          const [first, second, third] = codes;
          const wrong = WRONG_ON_BOTH;
          for (const typed of [first, first, wrong, second, wrong, wrong, wrong, third, third]) {
            verifications.push(
              await countTrips(() => backupCodes.consume(user, typed, { channel })),
            );
          }
          expect(verifications).toEqual([
            ['ok', 2],
            ['reused', 2],
            ['mismatch', 2],
            ['ok', 2],
            ['mismatch', 2],
            ['mismatch', 2],
            ['mismatch', 2],
            ['throttled', 2],
            ['throttled', 2],
          ]);
        });
      }

      it('an unknown user name takes two round trips, and during a wait too', async () => {
        // A name that was tried before: the first attempt also begins a sweep in the background.
        const verify = () => backupCodes.rejectUnknownUser('an early stranger', WRONG_ON_BOTH);
        const verifications: unknown[] = [];
        for (let n = 0; n < 4; n += 1) verifications.push(await countTrips(verify));
        expect(verifications).toEqual([
          ['unknown_user', 2],
          ['unknown_user', 2],
          ['throttled', 2],
          ['throttled', 2],
        ]);
      });

      it('the first code for an unknown user name takes two round trips before the answer', async () => {
        sent.length = 0;
        await backupCodes.rejectUnknownUser('a late stranger', WRONG_ON_BOTH);
        // Expired counters are removed in the background, in transactions.
        const beforeAnswer = sent.filter((text) => /^(?:WITH|INSERT|UPDATE|SELECT)/.test(text));
        expect(beforeAnswer).toEqual([
          expect.stringContaining('INSERT INTO "backup_code_networks"'),
          expect.stringContaining('INSERT INTO "backup_code_events"'),
        ]);
      });
    },
    { isolation },
  );
}
