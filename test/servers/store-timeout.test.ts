// A database that receives what it is asked, and answers no more.
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { LossyProxy } from '../helpers/servers';
import { describeOn } from '../helpers/sql-databases';

describeOn('PostgreSQL', 'PostgreSQL behind a proxy that falls silent', (database) => {
  let proxy: LossyProxy;
  let pool: Pool;

  beforeEach(async () => {
    const { server, connection } = database();
    await createTables({ database: database().connect() });
    proxy = await LossyProxy.start(server!);
    const connectionString = connection.url.replace(`:${server!.port}/`, `:${proxy.port}/`);
    // The setting that docs/time-limits.md names: it frees the connections of the pool.
    pool = new Pool({ connectionString, query_timeout: 2000, connectionTimeoutMillis: 2000 });
    pool.on('error', () => undefined);
    pool.on('connect', (client) => {
      client.on('error', () => undefined);
    });
  });
  afterEach(async () => {
    await proxy.stop();
    await pool.end();
  });

  it('A database that stops answering is a store_timeout, and lets no user in', async () => {
    const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
    const backupCodes = new BackupCodes({
      store: new SqlStore({ database: kysely }),
      hasher: countingHasher(),
      storeTimeoutSeconds: 1,
    });
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    proxy.fallSilent();
    const attempts = codes.slice(1, 4).map((code) => backupCodes.consume('ada', code));
    for (const { status, ...rest } of await Promise.allSettled(attempts)) {
      expect([status, rest]).toEqual(['rejected', { reason: failure('store_timeout') }]);
    }
  }, 60_000);
});
