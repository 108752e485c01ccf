// A verification on each store, beside the limit of the same server: bare statements in as many transactions, bare writes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, MysqlDialect, PostgresDialect, sql, SqliteDialect, type RawBuilder } from 'kysely';
import Database from 'libsql';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { BackupCodes, MemoryStore, type BackupCodeStore } from '../lib';
import { RedisStore } from '../lib/redis';
import { createTables, SqlStore } from '../lib/sql';
import { mariadb, postgres, redis } from '../test/helpers/servers';
import { quickHasher } from './quick-hasher';
import { measure, type Case, type Table } from './table';

const ITERATIONS = 300;

export async function* stores(): AsyncGenerator<Table> {
  yield measure('MemoryStore (no slow hash)', await verifications(new MemoryStore()), { iterations: ITERATIONS });

  const dir = mkdtempSync(join(tmpdir(), 'backup-codes-bench-'));
  const file = new Database(join(dir, 'codes.db'));
  file.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL');
  yield* onSql('SqlStore on SQLite (WAL; no slow hash)', new Kysely<unknown>({ dialect: new SqliteDialect({ database: file }) }));
  rmSync(dir, { recursive: true });

  for (const [kind, open] of [
    [postgres, (url: string): PostgresDialect => new PostgresDialect({ pool: new Pool({ connectionString: url }) })],
    [mariadb, (url: string): MysqlDialect => new MysqlDialect({ pool: createPool(url) })],
  ] as const) {
    const missing = kind.missing();
    if (missing !== null) {
      process.stdout.write(`\nSkipped: ${missing}\n`);
      continue;
    }
    const server = await kind.start({ fsync: 'on' });
    try {
      yield* onSql(`SqlStore on ${kind.name} (no slow hash)`, new Kysely<unknown>({ dialect: open(server.url) }));
    } finally {
      await server.stop();
    }
  }
  yield* onRedis();
}

async function* onSql(title: string, db: Kysely<unknown>): AsyncGenerator<Table> {
  await createTables(db);
  await sql`CREATE TABLE bare (id integer PRIMARY KEY, n integer NOT NULL)`.execute(db);
  await sql`INSERT INTO bare VALUES (1, 0)`.execute(db);
  const update = sql`UPDATE bare SET n = n + 1 WHERE id = 1`;
  const read = sql`SELECT n FROM bare WHERE id = 1`;
  const transaction = (...statements: RawBuilder<unknown>[]): Promise<void> =>
    db.transaction().execute(async (trx) => {
      for (const statement of statements) await statement.execute(trx);
    });
  yield measure(
    title,
    [
      [
        'limit: two transactions of two and four bare statements',
        async () => {
          await transaction(update, read);
          await transaction(update, update, read, update);
        },
      ],
      ['one bare commit', () => transaction(update)],
      ...(await verifications(new SqlStore(db))),
    ],
    { iterations: ITERATIONS },
  );
  await db.destroy();
}

async function* onRedis(): AsyncGenerator<Table> {
  const missing = redis.missing();
  if (missing !== null) {
    process.stdout.write(`\nSkipped: ${missing}\n`);
    return;
  }
  const server = await redis.start();
  const client = createClient({ url: server.url });
  await client.connect();
  try {
    const bare: Case = [
      'limit: two bare writes',
      async () => {
        await client.incr('bare');
        await client.incr('bare');
      },
    ];
    yield await measure('RedisStore (appendfsync always; no slow hash)', [bare, ...(await verifications(new RedisStore({ client })))], { iterations: ITERATIONS });
  } finally {
    client.destroy();
    await server.stop();
  }
}

/** A right and a wrong code; each right one is another, of a user's ten. */
async function verifications(store: BackupCodeStore): Promise<Case[]> {
  const backupCodes = new BackupCodes({ store, hasher: quickHasher, attempts: { free: 50 } });
  const ready: { user: string; code: string }[] = [];
  for (let n = 0; n < (ITERATIONS * 1.2) / 10; n += 1) {
    const user = `user-${n}`;
    ready.push(...(await backupCodes.issue(user)).codes.map((code) => ({ user, code })));
  }
  let guesses = 0;
  return [
    [
      'a wrong code',
      async () => {
        const outcome = await backupCodes.consume(`stranger-${Math.floor(guesses++ / 10)}`, 'AAAA-AAAA');
        if (outcome.ok) throw new Error('A wrong code was accepted.');
      },
    ],
    [
      'a right code',
      async () => {
        const { user, code } = ready.pop() ?? { user: '', code: '' };
        const outcome = await backupCodes.consume(user, code);
        if (!outcome.ok) throw new Error(`A right code was refused: ${outcome.reason}.`);
      },
    ],
  ];
}
