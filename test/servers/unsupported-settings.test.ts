// Settings of real servers on which the store refuses to work, with the fix in the message.
import { createPool, type Pool } from 'mysql2';
import { Kysely, MysqlDialect } from 'kysely';
import { Pool as PostgresPool } from 'pg';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore, type SqlDatabase } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { describeWith, mariadb, pgbouncer } from '../helpers/servers';

const REFUSED = { code: 'unsupported_database' };

function serviceOn(database: SqlDatabase): BackupCodes {
  return new BackupCodes({
    store: new SqlStore({ database, tables: 'create' }),
    hasher: countingHasher(),
  });
}

describeWith(mariadb, 'a MariaDB with the sql_mode NO_BACKSLASH_ESCAPES', (server) => {
  const pools: Pool[] = [];
  const open = (): Pool => {
    const pool = createPool({ uri: server().url, connectionLimit: 2 });
    pools.push(pool);
    return pool;
  };
  const setMode = async (mode: string): Promise<void> => {
    await pools[0]!.promise().query(`SET GLOBAL sql_mode = '${mode}'`);
  };
  /** Opens a second connection, and leaves both in the pool. */
  const fill = async (pool: Pool): Promise<void> => {
    const taken = [await pool.promise().getConnection(), await pool.promise().getConnection()];
    for (const connection of taken) connection.release();
  };

  beforeAll(() => createTables({ database: open() }));
  beforeEach(() => setMode('NO_BACKSLASH_ESCAPES'));
  afterAll(async () => {
    for (const pool of pools) await pool.promise().end();
  });

  it('is refused by the first call, on a pool and on a Kysely, and the message names the mode', async () => {
    const kysely = new Kysely<unknown>({ dialect: new MysqlDialect({ pool: open() }) });
    for (const database of [open(), open().promise(), kysely]) {
      const backupCodes = serviceOn(database);
      const refused = {
        ...REFUSED,
        message: expect.stringContaining('Remove the mode from sql_mode') as string,
      };
      await expect(backupCodes.issue('ada')).rejects.toMatchObject(refused);
      await expect(backupCodes.status('ada')).rejects.toMatchObject(refused);
    }
    await setMode('');
    expect(await serviceOn(open()).status('ada')).toBeNull();
  });

  it('a refused pool works as soon as the mode is gone, and loses no connection', async () => {
    const pool = open();
    const backupCodes = serviceOn(pool);
    for (let call = 0; call < 5; call += 1) {
      await expect(backupCodes.issue('ada')).rejects.toMatchObject(REFUSED);
    }
    await pool.promise().query("SET SESSION sql_mode = ''");
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  it('a pool that removes the mode on each new connection is accepted, and keeps text as it is', async () => {
    const pool = open();
    pool.on('connection', (connection) => {
      connection.query("SET SESSION sql_mode = ''");
    });
    const backupCodes = serviceOn(pool);
    const userAgent = `a "browser" \\' OR 1 = 1 -- \\`;
    await backupCodes.issue('grace', { userAgent });
    const { events } = await backupCodes.audit.events({ userId: 'grace', order: 'newest-first' });
    expect(events.map(({ context }) => context.userAgent)).toEqual([userAgent]);
  });

  it('each new connection of a pool is checked, after the server was changed too', async () => {
    await setMode('');
    const pool = open();
    const backupCodes = serviceOn(pool);
    await backupCodes.issue('bob');
    await setMode('NO_BACKSLASH_ESCAPES');
    await fill(pool);
    const calls = ['bob', 'bob', 'bob', 'bob'].map((userId) => backupCodes.status(userId));
    const results = await Promise.allSettled(calls);
    const refusals = results.filter(({ status }) => status === 'rejected');
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) expect(refusal).toMatchObject({ reason: REFUSED });
  });
});

describeWith(
  pgbouncer,
  'PostgreSQL behind PgBouncer',
  (server) => {
    const transaction = (): string => server().bouncers[0]?.url ?? '';
    const statement = (): string => server().bouncers[1]?.url ?? '';
    const pools: PostgresPool[] = [];
    const open = (url: string): PostgresPool => {
      const pool = new PostgresPool({ connectionString: url, max: 2 });
      pool.on('error', () => undefined);
      pools.push(pool);
      return pool;
    };
    afterAll(async () => {
      for (const pool of pools) await pool.end();
    });

    it('a PgBouncer that pools transactions lets one of many callers in with a code', async () => {
      const backupCodes = serviceOn(open(transaction()));
      const { codes } = await backupCodes.issue('ada');
      const calls = Array.from({ length: 5 }, () => backupCodes.consume('ada', codes[0]));
      const outcomes = await Promise.all(calls);
      expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    });

    it('a PgBouncer that pools statements is refused, and the message names the setting', async () => {
      const backupCodes = serviceOn(open(statement()));
      await expect(backupCodes.issue('bob')).rejects.toMatchObject({
        ...REFUSED,
        message: expect.stringContaining('pool_mode = transaction') as string,
      });
      const trusted = serviceOn(open(transaction()));
      expect(await trusted.status('bob')).toBeNull();
    });
  },
  { poolModes: ['transaction', 'statement'] },
);
