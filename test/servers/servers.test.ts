import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createConnection as connectSocket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { Client } from 'pg';
import { createClient } from 'redis';
import { describeWith, mariadb, postgres, redis } from '../helpers/servers';

async function askPostgres(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function askMariadb(url: string, statement: string): Promise<unknown> {
  const connection = await createConnection(url);
  try {
    return (await connection.query(statement))[0];
  } finally {
    await connection.end();
  }
}

describeWith(postgres, 'PostgreSQL for tests', (server) => {
  it('A database for tests keeps its data when it is killed and restarted', async () => {
    await askPostgres(server().url, 'CREATE TABLE kept (n integer)');
    await askPostgres(server().url, 'INSERT INTO kept VALUES (1)');
    await server().kill();
    await expect(askPostgres(server().url, 'SELECT 1')).rejects.toThrow();
    await server().restart();
    expect(await askPostgres(server().url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('A database server for tests makes empty databases', async () => {
    const url = await server().createDatabase('another');
    expect(await askPostgres(url, "SELECT to_regclass('kept') AS kept")).toEqual([{ kept: null }]);
  });
});

describeWith(
  postgres,
  'PostgreSQL for tests, SERIALIZABLE by default',
  (server) => {
    it('A database for tests has the requested isolation level', async () => {
      expect(await askPostgres(server().url, 'SHOW transaction_isolation')).toEqual([
        { transaction_isolation: 'serializable' },
      ]);
    });
  },
  { isolation: 'SERIALIZABLE' },
);

describeWith(mariadb, 'MariaDB for tests', (server) => {
  it('A database for tests keeps its data when it is killed and restarted', async () => {
    await askMariadb(server().url, 'CREATE TABLE kept (n integer)');
    await askMariadb(server().url, 'INSERT INTO kept VALUES (1)');
    await server().kill();
    await expect(askMariadb(server().url, 'SELECT 1')).rejects.toThrow();
    await server().restart();
    expect(await askMariadb(server().url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  it('A database server for tests makes empty databases', async () => {
    expect(await askMariadb(await server().createDatabase('another'), 'SHOW TABLES')).toEqual([]);
  });
});

describeWith(
  mariadb,
  'MariaDB for tests, SERIALIZABLE by default',
  (server) => {
    it('A database for tests has the requested isolation level', async () => {
      expect(await askMariadb(server().url, 'SELECT @@tx_isolation AS isolation')).toEqual([
        { isolation: 'SERIALIZABLE' },
      ]);
    });
  },
  { isolation: 'SERIALIZABLE' },
);

describeWith(redis, 'Redis for tests', (server) => {
  it('A Redis for tests keeps its data when it is killed and restarted', async () => {
    const ask = async (command: [string, ...string[]]): Promise<unknown> => {
      const client = await createClient({ url: server().url }).connect();
      try {
        return await client.sendCommand(command);
      } finally {
        await client.close();
      }
    };
    await ask(['SET', 'kept', '1']);
    await server().kill();
    await server().restart();
    expect(await ask(['GET', 'kept'])).toBe('1');
  });

  // SIGKILL lets the process run no code of its own.
  it('A Redis for tests ends even if the process that started it is killed', async () => {
    const runTypescript = join(__dirname, '../helpers/run-typescript.js');
    const child = spawn(
      process.execPath,
      ['--require', runTypescript, join(__dirname, 'children/start-redis.ts')],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [output] = (await once(child.stdout, 'data')) as [Buffer];
    const { port, dir } = JSON.parse(output.toString()) as { port: number; dir: string };
    expect(await isListening(port)).toBe(true);
    child.kill('SIGKILL');
    for (
      let waited = 0;
      waited < 100 && ((await isListening(port)) || existsSync(dir));
      waited += 1
    )
      await sleep(100);
    expect([await isListening(port), existsSync(dir)]).toEqual([false, false]);
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
