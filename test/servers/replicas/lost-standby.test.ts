// A primary whose only synchronous standby is gone: PostgreSQL then lets each COMMIT wait, until
// the standby is back.
import { sql, type Kysely } from 'kysely';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastHasher, type BackupCodes, type Hasher } from '../../../lib';
import { describeOnPair } from './failover-app';
import { countConsumed, issueCodes, sendAll, type SentCode } from './many-consumptions';

/** The time limits of the server, for statements and transactions. */
const LIMIT_SECONDS = 2;
/** Long enough for a call while the standby is there, also on a busy machine. */
const STORE_TIMEOUT_SECONDS = 3;

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

    it('with storeTimeoutSeconds every caller is answered, and no user is let in', async () => {
      const hasher = pausingHasher();
      const { backupCodes, db, pair } = await open({
        service: { hasher, storeTimeoutSeconds: STORE_TIMEOUT_SECONDS },
        pool: { max: 5 },
      });
      const issued = await issueCodes(backupCodes, { users: 12, each: 1 });
      const [first, ...others] = issued;
      const sendFirst = (to: BackupCodes): Promise<SentCode[]> =>
        sendAll(to, [first!], { login: 'first' });
      const sendOthers = (to: BackupCodes): Promise<SentCode[]> =>
        sendAll(to, others, { login: 'other' });

      // The first caller waits in the COMMIT of the consumption. The others wait in that of the
      // attempt, or for a connection of the pool.
      hasher.beforeHash = () => pair.standby.kill();
      expect(await sendFirst(backupCodes)).toMatchObject([{ answer: 'store_timeout' }]);
      hasher.beforeHash = () => Promise.resolve();
      const answers = await sendOthers(backupCodes);
      expect(new Set(answers.map(({ answer }) => answer))).toEqual(new Set(['store_timeout']));
      expect((await countConsumed(db, issued)).size).toBe(0);

      // The COMMIT that was given up is done when the standby is back.
      await pair.standby.restart();
      await waitUntilAllCommitted(db);
      const events = await countConsumed(db, issued);
      expect([...events.values()]).toEqual([1]);
      const { backupCodes: withoutLimit } = await open();
      expect(await sendFirst(withoutLimit)).toMatchObject([
        { answer: 'repeated', codeId: [...events.keys()][0] },
      ]);
      expect(await sendAll(withoutLimit, [first!])).toMatchObject([{ answer: 'reused' }]);
      expect((await sendOthers(withoutLimit)).filter(({ codeId }) => codeId === null)).toEqual([]);
      expect([...(await countConsumed(db, issued)).values()]).toEqual(new Array(12).fill(1));
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
        AND query ILIKE '%consumed_at%'
        AND query_start < now() - make_interval(secs => ${seconds})`.execute(db);
    if (rows.length > 0) return;
    await sleep(100);
  }
}

/** Resolves when no COMMIT waits for the standby any more. */
async function waitUntilAllCommitted(db: Kysely<unknown>): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      SELECT pid
      FROM pg_stat_activity
      WHERE wait_event = 'SyncRep'`.execute(db);
    if (rows.length === 0) return;
    await sleep(100);
  }
}
