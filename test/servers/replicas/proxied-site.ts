// Two processes of an app behind a proxy, on one PostgreSQL.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { BackupCodes, fastHasher, formats } from '../../../lib';
import { createTables, SqlStore } from '../../../lib/sql';
import { postgres } from '../../helpers/servers';
import type { ServerKind } from '../../helpers/servers';
import { missingProxy, startProxy, type ProxyName } from '../../helpers/servers/proxies';
import { stop as stopChild } from '../../helpers/workers';

export interface ProxiedSite {
  readonly origin: string;
  readonly db: Kysely<unknown>;
  /** On the same tables as the processes of the app. */
  readonly backupCodes: BackupCodes;
  /** How many processes of the app have died. */
  died(): number;
  stop(): Promise<void>;
}

const PROCESSES = 2;
const ROOT = join(__dirname, '../../..');

export function siteBehind(proxy: ProxyName): ServerKind<ProxiedSite, never> {
  return {
    name: `PostgreSQL and ${proxy}`,
    missing: () => missingProxy(proxy) ?? postgres.missing(),
    start: () => startSite(proxy),
  };
}

async function startSite(proxy: ProxyName): Promise<ProxiedSite> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.reverse()) await stopOne();
  };
  try {
    const server = await postgres.start();
    stops.push(() => server.stop());
    const pool = new Pool({ connectionString: server.url });
    stops.push(() => pool.end());
    await createTables({ database: pool });
    await pool.query('CREATE TABLE sessions (id text PRIMARY KEY, data jsonb NOT NULL)');
    const children = Array.from({ length: PROCESSES }, () => startApp(server.url));
    stops.push(async () => {
      await Promise.all(children.map(stopChild));
    });
    const ports = await Promise.all(children.map(portOf));
    const front = await startProxy(proxy, ports);
    stops.push(() => front.stop());
    return {
      origin: `http://127.0.0.1:${front.port}`,
      db: new Kysely({ dialect: new PostgresDialect({ pool }) }),
      backupCodes: new BackupCodes({
        store: new SqlStore({ database: pool }),
        format: formats.long,
        hasher: fastHasher(),
      }),
      died: () => children.filter(({ exitCode }) => exitCode !== null).length,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startApp(url: string): ChildProcess {
  return fork(join(__dirname, 'proxied-app.ts'), [url], {
    cwd: ROOT,
    execArgv: ['--require', join(ROOT, 'test/helpers/run-typescript.js')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

async function portOf(child: ChildProcess): Promise<number> {
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return port;
}
