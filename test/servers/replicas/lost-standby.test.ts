// A primary whose only synchronous standby is gone: PostgreSQL then lets each COMMIT wait, until
// the standby is back.
import { sql, type Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastHasher, type Hasher } from '../../../lib';
import { describeOnPair } from './failover-app';
import { countConsumed, issueCodes, sendAll } from './many-consumptions';

/** The time limits of the server, for statements and transactions. */
const LIMIT_SECONDS = 2;

describeOnPair(
  'a synchronous standby that is lost',
  (open) => {
    it('no time limit of PostgreSQL ends the COMMIT of a consumption', async () => {
      const hasher = pausingHasher();
      const { backupCodes, db, pair } = await open({
        service: { hasher },
        pool: {
          options: ['statement_timeout', 'transaction_timeout', 'lock_timeout']
            .map((name) => `-c ${name}=${LIMIT_SECONDS}s`)
            .join(' '),
        },
      });
      const issued = await issueCodes(backupCodes, { users: 1, each: 1 });
      hasher.beforeHash = () => pair.standby.kill();

      let isAnswered = false;
      const sending = sendAll(backupCodes, issued).finally(() => {
        isAnswered = true;
      });
      await waitForCommit(db, 2 * LIMIT_SECONDS);
      expect(isAnswered).toBe(false);
      expect((await countConsumed(db, issued)).size).toBe(0);

      await pair.standby.restart();
      expect(await sending).toMatchObject([{ answer: 'accepted' }]);
      expect([...(await countConsumed(db, issued)).values()]).toEqual([1]);
    });
  },
  { commit: 'on' },
);

interface PausingHasher extends Hasher {
  /** Called after the attempt was taken, and before the code is consumed. */
  beforeHash: () => Promise<void>;
}

function pausingHasher(): PausingHasher {
  const hasher = {
    ...fastHasher(),
    beforeHash: () => Promise.resolve(),
    hash: async (code: string, salt: string) => {
      await hasher.beforeHash();
      return fastHasher().hash(code, salt);
    },
  };
  return hasher;
}

/** Resolves when a COMMIT has waited for the standby for so long, by the clock of the server. */
async function waitForCommit(db: Kysely<unknown>, seconds: number): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      SELECT pid
      FROM pg_stat_activity
      WHERE wait_event = 'SyncRep'
        AND query ILIKE 'commit'
        AND query_start < now() - make_interval(secs => ${seconds})`.execute(db);
    if (rows.length > 0) return;
    await sleep(100);
  }
}
