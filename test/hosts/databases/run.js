'use strict';
// An app that opens a pool with the given library, passes it to SqlStore as the README says, and
// uses it with both. Usage: node run.js LIBRARY URL
const assert = require('node:assert/strict');
const { randomUUID } = require('node:crypto');
const { Kysely, PostgresDialect } = require('kysely');
const { BackupCodes, bcryptHasher } = require('../../../dist');
const { SqlStore } = require('../../../dist/sql');

/**
 * Each library returns `database`, as in the README, `ask`, which makes a query with the library,
 * `end`, and `refused`: an object that users may pass by mistake, with the hint of the error.
 */
const libraries = {
  pg: (url) => {
    const { Client, Pool } = require('pg');
    const pool = new Pool({ connectionString: url, max: 3 });
    return {
      database: pool,
      refused: [new Client({ connectionString: url }), 'Client of pg'],
      ask: () => pool.query('SELECT 1'),
      end: () => pool.end(),
    };
  },
  mysql2: (url) => {
    const { createPool, createPoolCluster } = require('mysql2');
    const pool = createPool({ uri: url, connectionLimit: 3 });
    return {
      database: pool,
      refused: [createPoolCluster(), 'class PoolCluster'],
      ask: () => pool.promise().query('SELECT 1'),
      end: () => pool.promise().end(),
    };
  },
  'mysql2/promise': (url) => {
    const { createPool } = require('mysql2/promise');
    const pool = createPool({ uri: url, connectionLimit: 3 });
    return {
      database: pool,
      ask: () => pool.query('SELECT 1'),
      end: () => pool.end(),
    };
  },
  libsql: (url) => {
    const Database = require('libsql');
    const database = new Database(url);
    database.pragma('busy_timeout = 5000');
    return {
      database,
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
      database: new Kysely({ dialect: new PostgresDialect({ pool }) }),
      refused: [knex, 'Knex'],
      ask: () => knex.raw('SELECT 1'),
      end: () => knex.destroy(),
    };
  },
  drizzle: (url) => {
    const { drizzle } = require('drizzle-orm/node-postgres');
    const db = drizzle(url);
    return {
      database: db.$client,
      refused: [db, 'db.$client'],
      ask: () => db.execute('SELECT 1'),
      end: () => db.$client.end(),
    };
  },
  typeorm: async (url) => {
    const { DataSource } = require('typeorm');
    const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
    return {
      database: dataSource.driver.master,
      refused: [dataSource, 'dataSource.driver.master'],
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
      database: pool,
      refused: [adapter, 'class PrismaPgAdapter'],
      ask: () => adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] }),
      end: async () => {
        await adapter.dispose();
        await pool.end();
      },
    };
  },
};

async function main([library, url]) {
  const { database, refused, ask, end } = await libraries[library](url);
  if (refused) {
    const [given, hint] = refused;
    assert.throws(
      () => new SqlStore({ database: given }),
      ({ code, message }) => code === 'invalid_option' && message.includes(hint),
    );
  }
  const backupCodes = new BackupCodes({
    store: new SqlStore({ database, tables: 'create' }),
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
