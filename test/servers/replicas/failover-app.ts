// An app on a PostgreSQL pair: one pool, whose address a failover moves from the primary to the
// standby.
import { Kysely, PostgresDialect } from 'kysely';
import { Pool, type PoolConfig } from 'pg';
import { BackupCodes, fastHasher, formats, type BackupCodesOptions } from '../../../lib';
import { createTables, SqlStore } from '../../../lib/sql';
import {
  describeWith,
  Forwarder,
  postgresPair,
  type PostgresPair,
  type PostgresPairOptions,
} from '../../helpers/servers';

export interface FailoverAppOptions {
  readonly service?: Partial<BackupCodesOptions>;
  readonly pool?: PoolConfig;
}

export interface FailoverApp {
  readonly backupCodes: BackupCodes;
  /** Connections of the test's own, which it has even if the pool of the app has none left. */
  readonly db: Kysely<unknown>;
  readonly pair: PostgresPair;
  /** Kills the primary, promotes the standby and moves the address. */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

const POOL_SIZE = 20;

/** Declares tests on a pair of their own. The apps that they open are closed after them. */
export function describeOnPair(
  title: string,
  body: (open: (options?: FailoverAppOptions) => Promise<FailoverApp>) => void,
  options: PostgresPairOptions = {},
): void {
  describeWith(
    postgresPair,
    title,
    (pair) => {
      const apps: FailoverApp[] = [];
      afterAll(async () => {
        for (const app of apps) await app.close();
      });
      body(async (appOptions) => {
        const app = await openApp(pair(), appOptions);
        apps.push(app);
        return app;
      });
    },
    options,
  );
}

async function openApp(
  pair: PostgresPair,
  { service, pool: poolOptions }: FailoverAppOptions = {},
): Promise<FailoverApp> {
  const { primary, standby, promote } = pair;
  const address = await Forwarder.start(primary.port);
  const pool = openPool(address, { max: POOL_SIZE, ...poolOptions });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: openPool(address) }) });
  await createTables({ database: pool });
  const backupCodes = new BackupCodes({
    store: new SqlStore({ database: pool }),
    format: formats.long,
    hasher: fastHasher(),
    attempts: { free: 50 },
    maxQueuedHashes: 1000,
    ...service,
  });
  return {
    backupCodes,
    db,
    pair,
    failOver: async () => {
      await primary.kill();
      await promote();
      address.pointAt(standby.port);
    },
    close: async () => {
      // First, because a pool waits for a COMMIT that waits for a standby.
      await address.stop();
      await pool.end();
      await db.destroy();
    },
  };
}

function openPool({ host, port }: Forwarder, options: PoolConfig = {}): Pool {
  const pool = new Pool({ host, port, user: 'postgres', database: 'postgres', ...options });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
}
