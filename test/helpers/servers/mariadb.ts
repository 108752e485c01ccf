// MariaDB from Debian's mariadb-server. In tests it represents the whole MySQL family.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import type { ServerKind } from './describe-with';
import { findProgram, run, ServerProcess, type Server } from './server-process';
import { fillFromTemplate } from './template';

export interface MariadbOptions {
  /** The default isolation level of transactions. @default 'REPEATABLE READ', as in MariaDB */
  readonly isolation?: 'READ COMMITTED' | 'REPEATABLE READ' | 'SERIALIZABLE';
  /**
   * `on` waits for the disk at each commit, as a bench must. With `off`, committed data survives a
   * crash of the server, but not of the machine.
   *
   * @default 'off'
   */
  readonly fsync?: 'on' | 'off';
  /** More options of mariadbd, such as `['--sql-mode=ANSI']`. */
  readonly args?: readonly string[];
  /** A node of a cluster that copies its data from another one starts without data. */
  readonly isEmpty?: boolean;
}

export interface MariadbServer extends Server {
  /** The address of the database `test`, with every right. */
  readonly url: string;
  /** Makes an empty database and returns its address. */
  createDatabase(name: string): Promise<string>;
}

export const mariadb: ServerKind<MariadbServer, MariadbOptions> = {
  name: 'MariaDB',
  missing,
  start: startMariadb,
};

export async function startMariadb({
  isolation = 'REPEATABLE READ',
  fsync = 'off',
  args = [],
  isEmpty = false,
}: MariadbOptions = {}): Promise<MariadbServer> {
  const server = findProgram('mariadbd') ?? '';
  const started = await ServerProcess.start({
    name: 'MariaDB',
    prepare: (dir) => {
      if (isEmpty) run({ file: 'mkdir', args: [join(dir, 'data')] }, dir);
      else
        fillFromTemplate(join(dir, 'data'), {
          program: server,
          make: (data) => install(data, dir),
        });
      writeFileSync(
        join(dir, 'init.sql'),
        [
          "CREATE USER IF NOT EXISTS 'test'@'127.0.0.1' IDENTIFIED BY 'test';",
          "GRANT ALL ON *.* TO 'test'@'127.0.0.1' WITH GRANT OPTION;",
          'CREATE DATABASE IF NOT EXISTS test;\n',
        ].join('\n'),
      );
    },
    program: (dir, port) => ({
      file: server,
      args: [
        '--no-defaults',
        `--datadir=${join(dir, 'data')}`,
        '--bind-address=127.0.0.1',
        `--port=${port}`,
        `--socket=${join(dir, 'socket')}`,
        `--pid-file=${join(dir, 'pid')}`,
        `--init-file=${join(dir, 'init.sql')}`,
        '--skip-name-resolve',
        `--transaction-isolation=${isolation.replace(' ', '-')}`,
        `--innodb-flush-log-at-trx-commit=${fsync === 'on' ? 1 : 2}`,
        '--max-connections=300',
        '--character-set-server=utf8mb4',
        ...args,
      ],
    }),
    probe: (port) => query(urlOf(port, 'test'), 'SELECT 1'),
  });
  return Object.assign(started, {
    url: urlOf(started.port, 'test'),
    createDatabase: async (name: string): Promise<string> => {
      await query(urlOf(started.port, 'test'), `CREATE DATABASE \`${name}\``);
      return urlOf(started.port, name);
    },
  });
}

/** Makes an empty data directory. */
function install(data: string, dir: string): void {
  run(
    {
      file: findProgram('mariadb-install-db') ?? '',
      args: [
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ],
    },
    dir,
  );
}

async function query(url: string, statement: string): Promise<void> {
  const connection = await createConnection(url);
  try {
    await connection.query(statement);
  } finally {
    connection.destroy();
  }
}

function urlOf(port: number, database: string): string {
  return `mysql://test:test@127.0.0.1:${port}/${database}`;
}

function missing(): string | null {
  const absent = ['mariadbd', 'mariadb-install-db'].filter((name) => findProgram(name) === null);
  return absent.length === 0 ? null : `${absent.join(' and ')} is not installed; run .ci/install.`;
}
