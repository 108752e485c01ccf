// PgBouncer from Debian's package, in front of a PostgreSQL for tests.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import type { ServerKind } from './describe-with';
import { postgres } from './postgres';
import { findProgram, ServerProcess, type Server } from './server-process';

type PoolMode = 'transaction' | 'statement';

export interface BouncedPostgres {
  /** The address of the database `postgres` through a PgBouncer of this mode. */
  readonly urls: Readonly<Record<PoolMode, string>>;
  stop(): Promise<void>;
}

/** A PostgreSQL, with a PgBouncer of each mode in front of it. */
export const pgBouncer: ServerKind<BouncedPostgres, Record<string, never>> = {
  name: 'PgBouncer',
  missing: () =>
    findProgram('pgbouncer') === null
      ? 'pgbouncer is not installed; run .ci/install.'
      : postgres.missing(),
  start: startAll,
};

async function startAll(): Promise<BouncedPostgres> {
  const server = await postgres.start();
  const started: Server[] = [server];
  const stop = async (): Promise<void> => {
    for (const each of started.reverse()) await each.stop();
  };
  try {
    const urls = { transaction: '', statement: '' };
    for (const mode of ['transaction', 'statement'] as const) {
      const bouncer = await startPgBouncer(server.port, mode);
      started.push(bouncer);
      urls[mode] = urlOf(bouncer.port);
    }
    return { urls, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startPgBouncer(serverPort: number, mode: PoolMode): Promise<Server> {
  return ServerProcess.start({
    name: 'PgBouncer',
    program: (dir, port) => {
      const file = join(dir, 'pgbouncer.ini');
      const lines = [
        '[databases]',
        `* = host=127.0.0.1 port=${serverPort} user=postgres`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${port}`,
        'unix_socket_dir =',
        'auth_type = any',
        `pool_mode = ${mode}\n`,
      ];
      writeFileSync(file, lines.join('\n'));
      return { file: findProgram('pgbouncer') ?? 'pgbouncer', args: [file] };
    },
    probe: (port) => connectOnce(urlOf(port)),
  });
}

async function connectOnce(url: string): Promise<void> {
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
