'use strict';
// One app: opens a pool as the library named does, shares it by the line of the README, and shows that both work on it.
// Usage: node run.js LIBRARY URL
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } = require('kysely');
const { BackupCodes, bcryptHasher } = require('../../../dist');
const { createTables, SqlStore } = require('../../../dist/sql');

/** Each gives `kysely`, as in the README; `ask`, one query by the library itself; and `end`. */
const libraries = {
  pg: (url) => {
    const { Pool } = require('pg');
    const pool = new Pool({ connectionString: url, max: 3 });
    return {
      kysely: new Kysely({ dialect: new PostgresDialect({ pool }) }),
      ask: () => pool.query('SELECT 1'),
      end: () => pool.end(),
    };
  },
  mysql2: (url) => {
    const { createPool } = require('mysql2');
    const pool = createPool({ uri: url, connectionLimit: 3 });
    return {
      kysely: new Kysely({ dialect: new MysqlDialect({ pool }) }),
      ask: () => pool.promise().query('SELECT 1'),
      end: () => pool.promise().end(),
    };
  },
  'mysql2/promise': (url) => {
    const { createPool } = require('mysql2/promise');
    const pool = createPool({ uri: url, connectionLimit: 3 });
    return {
      kysely: new Kysely({ dialect: new MysqlDialect({ pool: pool.pool }) }),
      ask: () => pool.query('SELECT 1'),
      end: () => pool.end(),
    };
  },
  libsql: (url) => {
    const Database = require('libsql');
    const database = new Database(url);
    database.pragma('busy_timeout = 5000');
    return {
      kysely: new Kysely({ dialect: new SqliteDialect({ database }) }),
      ask: async () => database.prepare('SELECT 1').get(),
      end: async () => database.close(),
    };
  },
  knex: (url) => {
    const knex = require('knex')({ client: 'pg', connection: url, pool: { min: 0, max: 3 } });
    const pool = {
      connect: async () => {
        const client = await knex.client.acquireConnection();
        return Object.assign(client, { release: () => knex.client.releaseConnection(client) });
      },
      end: async () => {},
    };
    return {
      kysely: new Kysely({ dialect: new PostgresDialect({ pool }) }),
      ask: () => knex.raw('SELECT 1'),
      end: () => knex.destroy(),
    };
  },
  drizzle: (url) => {
    const { drizzle } = require('drizzle-orm/node-postgres');
    const db = drizzle(url);
    return {
      kysely: new Kysely({ dialect: new PostgresDialect({ pool: db.$client }) }),
      ask: () => db.execute('SELECT 1'),
      end: () => db.$client.end(),
    };
  },
  typeorm: async (url) => {
    const { DataSource } = require('typeorm');
    const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
    return {
      kysely: new Kysely({ dialect: new PostgresDialect({ pool: dataSource.driver.master }) }),
      ask: () => dataSource.query('SELECT 1'),
      end: () => dataSource.destroy(),
    };
  },
  'prisma adapter': async (url) => {
    const { PrismaPg } = require('@prisma/adapter-pg');
    const { Pool } = require('pg');
    const pool = new Pool({ connectionString: url, max: 3 });
    const adapter = await new PrismaPg(pool).connect();
    return {
      kysely: new Kysely({ dialect: new PostgresDialect({ pool }) }),
      ask: () => adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] }),
      end: async () => {
        await adapter.dispose();
        await pool.end();
      },
    };
  },
};

async function main([library, url]) {
  const { kysely, ask, end } = await libraries[library](url);
  await createTables(kysely);
  const backupCodes = new BackupCodes({
    store: new SqlStore(kysely),
    hasher: bcryptHasher({ cost: 10 }),
    count: 2,
  });
  const user = randomUUID();
  const { codes } = await backupCodes.issue(user);
  const [outcomes] = await Promise.all([
    Promise.all([0, 0, 0, 1].map((n) => backupCodes.consume(user, codes[n]))),
    ask(),
    ask(),
  ]);
  assert.equal(outcomes.filter(({ ok }) => ok).length, 2);
  await ask();
  await end();
  process.stdout.write('shared\n');
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
