// A PostgreSQL behind PgBouncer from Debian's package: one or more processes that share its
// connections between their clients.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ServerKind } from './describe-with';
import { postgres, type PostgresServer } from './postgres';
import { findProgram, ServerProcess, type Server } from './server-process';

export interface PgbouncerOptions {
  /**
   * When a connection to PostgreSQL is given to another client, for each process to start.
   * @default ['transaction']
   */
  readonly poolModes?: readonly ('session' | 'transaction' | 'statement')[];
  /** Connections to PostgreSQL of each process. @default 5 */
  readonly poolSize?: number;
}

export interface PooledPostgres {
  readonly postgres: PostgresServer;
  readonly bouncers: readonly Pgbouncer[];
  stop(): Promise<void>;
}

export interface Pgbouncer extends Server {
  /** The address of the database `postgres`. */
  readonly url: string;
}

export const pgbouncer: ServerKind<PooledPostgres, PgbouncerOptions> = {
  name: 'PostgreSQL behind PgBouncer',
  missing,
  start: startPooled,
};

async function startPooled({
  poolModes = ['transaction'],
  poolSize = 5,
}: PgbouncerOptions = {}): Promise<PooledPostgres> {
  const started = await postgres.start();
  const bouncers: Pgbouncer[] = [];
  const stop = async (): Promise<void> => {
    for (const server of [...bouncers, started]) await server.stop();
  };
  const configuration = (poolMode: string, port: number): string => `
[databases]
* = host=${started.host} port=${started.port} user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${poolMode}
default_pool_size = ${poolSize}
max_client_conn = 500
`;
  try {
    for (const mode of poolModes) {
      bouncers.push(await startBouncer((port) => configuration(mode, port)));
    }
    return { postgres: started, bouncers, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBouncer(configuration: (port: number) => string): Promise<Pgbouncer> {
  const file = findProgram('pgbouncer') ?? 'pgbouncer';
  const bouncer = await ServerProcess.start({
    name: 'PgBouncer',
    program: (dir, port) => {
      const path = join(dir, 'pgbouncer.ini');
      writeFileSync(path, configuration(port));
      return { file, args: [path] };
    },
    probe: (port) => query(urlOf(port)),
  });
  return Object.assign(bouncer, { url: urlOf(bouncer.port) });
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
  if (findProgram('pgbouncer') === null) return 'pgbouncer is not installed; run .ci/install.';
  return postgres.missing();
}
