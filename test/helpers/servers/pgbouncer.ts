// PgBouncer from Debian's package, in front of a PostgreSQL that is already running.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ServerKind } from './describe-with';
import type { PostgresServer } from './postgres';
import { findProgram, ServerProcess, type Server } from './server-process';

export interface PgbouncerOptions {
  readonly server: PostgresServer;
  /** When a connection of the server is given to another client. @default 'transaction' */
  readonly poolMode?: 'session' | 'transaction' | 'statement';
  /** Connections to the server, for all clients together. @default 5 */
  readonly poolSize?: number;
}

export interface Pgbouncer extends Server {
  /** The address of the database `postgres`. */
  readonly url: string;
}

export const pgbouncer: Pick<ServerKind<Pgbouncer, never>, 'name' | 'missing'> & {
  start(options: PgbouncerOptions): Promise<Pgbouncer>;
} = {
  name: 'PgBouncer',
  missing,
  start: startPgbouncer,
};

async function startPgbouncer({
  server,
  poolMode = 'transaction',
  poolSize = 5,
}: PgbouncerOptions): Promise<Pgbouncer> {
  const file = findProgram('pgbouncer') ?? 'pgbouncer';
  const started = await ServerProcess.start({
    name: 'PgBouncer',
    program: (dir, port) => {
      const config = join(dir, 'pgbouncer.ini');
      writeFileSync(
        config,
        [
          '[databases]',
          `* = host=${server.host} port=${server.port} user=postgres`,
          '[pgbouncer]',
          'listen_addr = 127.0.0.1',
          `listen_port = ${port}`,
          'unix_socket_dir =',
          'auth_type = any',
          `pool_mode = ${poolMode}`,
          `default_pool_size = ${poolSize}`,
          'max_client_conn = 500\n',
        ].join('\n'),
      );
      return { file, args: [config] };
    },
    probe: (port) => query(urlOf(port)),
    stopSignal: 'SIGTERM',
  });
  return Object.assign(started, { url: urlOf(started.port) });
}

async function query(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}

function urlOf(port: number): string {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

function missing(): string | null {
  return findProgram('pgbouncer') === null
    ? 'pgbouncer is not installed; run .ci/install.'
    : null;
}
