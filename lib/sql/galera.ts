// MariaDB Galera Cluster, and Percona XtraDB Cluster: a node receives late what another one has
// committed. A write that meets it is undone (certification), but a condition that finds no row
// writes nothing. So a refusal is confirmed once the node has caught up.
import { sql } from 'kysely';
import type { Database, RunStatement } from './database';

/** Which server runs the cluster, or `null` without a cluster. */
export type Galera = 'mariadb' | 'mysql' | null;

/** Waits until the node has everything that was committed on any node before this statement. */
export async function waitForOtherNodes(run: RunStatement, galera: Galera): Promise<void> {
  if (galera === 'mariadb') {
    await run(sql`SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1`);
    return;
  }
  await run(sql`
    SET @backup_code_sync_wait = @@SESSION.wsrep_sync_wait,
      SESSION wsrep_sync_wait = 1`);
  try {
    await run(sql`SELECT 1`);
  } finally {
    // The connection returns to the app's pool.
    await run(sql`SET SESSION wsrep_sync_wait = @backup_code_sync_wait`);
  }
}

/**
 * Decides, and on Galera decides a refusal again on a node that has caught up. A first refusal must
 * have changed nothing.
 */
export async function confirmRefusal<T>(
  database: Database,
  {
    decide,
    isRefusal,
  }: { decide: (on: Database) => Promise<T>; isRefusal: (result: T) => boolean },
): Promise<T> {
  const result = await decide(database);
  return isRefusal(result) && (await database.isGalera())
    ? database.afterOtherNodes(decide)
    : result;
}
