// A database that does what it was asked, and whose answer is lost on the way: the owner of the
// code gets in, once.
import { Kysely, MysqlDialect, PostgresDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore, type SqlDatabase } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { readSqlEvents } from '../helpers/read-events';
import { describeOn } from '../helpers/sql-databases';
import { LossyProxy } from '../helpers/servers';
import { WRONG } from '../helpers/service';

/** The statement as it is sent, so that READ COMMITTED is not taken for it. */
const COMMIT = { PostgreSQL: '\x0bcommit\0', MariaDB: '\x03commit' } as const;
/** What consumes a code. On MariaDB it is the second COMMIT, after that of the attempt. */
const CONSUMPTION = {
  PostgreSQL: { text: 'WITH locked AS', nth: 1 },
  MariaDB: { text: COMMIT.MariaDB, nth: 2 },
} as const;

/** What records an invalid code. */
const INVALID = {
  PostgreSQL: { text: 'INSERT INTO "backup_code_events"', nth: 1 },
  MariaDB: { text: COMMIT.MariaDB, nth: 2 },
} as const;

interface Client {
  readonly database: SqlDatabase;
  close(): Promise<void>;
}

for (const kind of ['PostgreSQL', 'MariaDB'] as const) {
  describeOn(kind, `${kind} behind a proxy that loses answers`, (database) => {
    let proxy: LossyProxy;
    let client: Client;
    let backupCodes: BackupCodes;
    let direct: Kysely<unknown>;

    beforeAll(async () => {
      direct = database().connect();
      await createTables({ database: direct });
    });
    beforeEach(async () => {
      const { server } = database();
      proxy = await LossyProxy.start(server!);
      const url = database().connection.url.replace(`:${server!.port}/`, `:${proxy.port}/`);
      client = kind === 'PostgreSQL' ? openPostgres(url) : openMariadb(url);
      backupCodes = new BackupCodes({
        store: new SqlStore({ database: client.database }),
        hasher: countingHasher(),
      });
    });
    afterEach(async () => {
      await client.close();
      await proxy.stop();
    });

    const trailOf = async (user: string): Promise<string[]> =>
      (await readSqlEvents(direct, user)).map(({ type }) => type);

    it('If the answer to a consumption is lost, the owner gets in, once', async () => {
      const { codes } = await backupCodes.issue('ada');
      const { text, nth } = CONSUMPTION[kind];
      proxy.loseAnswerTo(text, nth);
      const outcome = await backupCodes.consume('ada', codes[0]);
      expect([proxy.lost, outcome]).toMatchObject([1, { ok: true, remaining: 9, repeated: true }]);
      expect(await trailOf('ada')).toEqual(['issued', 'consumed']);
      expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
    });

    it('If the answer to the record of an invalid code is lost, it is recorded once', async () => {
      await backupCodes.issue('mallory');
      proxy.loseAnswerTo(INVALID[kind].text, INVALID[kind].nth);
      const outcome = await backupCodes.consume('mallory', WRONG);
      expect([proxy.lost, outcome]).toEqual([1, { ok: false, reason: 'mismatch' }]);
      expect(await trailOf('mallory')).toEqual(['issued', 'rejected']);
    });

    it('If the answer to the COMMIT of a new set is lost, its codes work', async () => {
      await backupCodes.issue('bob');
      proxy.loseAnswerTo(COMMIT[kind]);
      const { codes } = await backupCodes.issue('bob');
      expect(proxy.lost).toBe(1);
      expect(await backupCodes.consume('bob', codes[0])).toMatchObject({ ok: true, remaining: 9 });
      expect(await trailOf('bob')).toEqual(['issued', 'issued', 'consumed']);
    });

    it('If the answer to the COMMIT of a revocation is lost, it is recorded once', async () => {
      await backupCodes.issue('eve');
      proxy.loseAnswerTo(COMMIT[kind]);
      expect(await backupCodes.revoke('eve')).toBe(true);
      expect(proxy.lost).toBe(1);
      expect(await trailOf('eve')).toEqual(['issued', 'revoked']);
    });

    it('If the answer to the COMMIT of an activation is lost, the staged set works', async () => {
      const { setId, codes } = await backupCodes.stage('dan');
      proxy.loseAnswerTo(COMMIT[kind]);
      expect(await backupCodes.activate('dan', setId)).toBe(true);
      expect(proxy.lost).toBe(1);
      expect(await backupCodes.activate('dan', setId)).toBe(false);
      expect(await backupCodes.consume('dan', codes[0])).toMatchObject({ ok: true, remaining: 9 });
      expect(await trailOf('dan')).toEqual(['staged', 'activated', 'consumed']);
    });

    if (kind === 'PostgreSQL') {
      it('A COMMIT that the server receives after the transaction ran again counts as its own', async () => {
        const { setId, codes } = await backupCodes.stage('fay');
        proxy.holdBack(COMMIT[kind]);
        const activation = backupCodes.activate('fay', setId);
        await waitForLock(direct);
        proxy.sendHeld();
        expect([await activation, proxy.lost]).toEqual([true, 1]);
        expect(await backupCodes.consume('fay', codes[0])).toMatchObject({ ok: true });
        expect(await trailOf('fay')).toEqual(['staged', 'activated', 'consumed']);
      });
    }
  });
}

/** Waits until a transaction waits for a row that another one holds. */
async function waitForLock(direct: Kysely<unknown>): Promise<void> {
  for (;;) {
    const { rows } = await sql`
      SELECT 1
      FROM pg_stat_activity
      WHERE datname = current_database()
        AND wait_event_type = 'Lock'`.execute(direct);
    if (rows.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function openPostgres(url: string): Client {
  const pool = new Pool({ connectionString: url, max: 3 });
  pool.on('error', () => undefined);
  pool.on('connect', (connection) => {
    connection.on('error', () => undefined);
  });
  const database = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  return { database, close: () => pool.end() };
}

function openMariadb(url: string): Client {
  const pool = createPool({ uri: url, connectionLimit: 3 });
  const database = new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) });
  return { database, close: () => pool.promise().end() };
}
