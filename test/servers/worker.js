'use strict';
// A process that issues and consumes on a real database, on request or until it is killed. Runs the
// built package, as a deployed app does.
const { createHash, randomBytes, randomInt } = require('node:crypto');
const { promisify } = require('node:util');
const { BackupCodes } = require('../../dist');

/**
 * Resolves when the message is written. Await it: on SQLite the work never returns to the event
 * loop, so a message that finds the pipe full would otherwise stay in this process.
 */
const send = promisify(process.send.bind(process));

/** A fast hash, because these tests are about the store. */
const hasher = {
  newSalt: () => `$quick$${randomBytes(16).toString('hex')}`,
  reads: (salt) => salt.startsWith('$quick$'),
  hash: async (code, salt) => createHash('sha256').update(`${salt}\0${code}`).digest(),
};

/** The hash queue of a process takes no more calls of one user at once. */
const MOST_OF_ONE_USER = 6;

/** @param log called and awaited after each SQL statement, BEGIN and COMMIT included */
async function openStore({ kind, url }, log) {
  if (kind === 'redis') {
    const { createClient } = require('redis');
    const { RedisStore } = require('../../dist/redis');
    const client = createClient({ url });
    client.on('error', () => {});
    await client.connect();
    return new RedisStore({ client });
  }
  const { Kysely, MysqlDialect, PostgresDialect, SqliteDialect } = require('kysely');
  const { SqlStore } = require('../../dist/sql');
  const dialects = {
    sqlite: () => {
      const Database = require('libsql');
      const database = new Database(url);
      database.exec('PRAGMA busy_timeout = 5000');
      return new SqliteDialect({ database });
    },
    postgres: () => {
      const { Pool } = require('pg');
      const pool = new Pool({ connectionString: url, max: 5 });
      pool.on('error', () => {});
      pool.on('connect', (client) => client.on('error', () => {}));
      return new PostgresDialect({ pool });
    },
    mysql: () =>
      new MysqlDialect({ pool: require('mysql2').createPool({ uri: url, connectionLimit: 5 }) }),
  };
  return new SqlStore({ database: new Kysely({ dialect: dialects[kind](), log }) });
}

/**
 * Issues and consumes for a few users, without end. Reports each SQL statement, each set issued and
 * each code consumed, so that the parent can kill it after a count and not after a time.
 */
async function runUntilKilled(backupCodes, users) {
  const codes = new Map();
  for (;;) {
    const user = users[randomInt(users.length)];
    const left = codes.get(user) ?? [];
    if (left.length === 0 || randomInt(8) === 0) {
      const set = await backupCodes.issue(user);
      codes.set(user, set.codes);
      await send({ done: 'issued', setId: set.setId });
    } else {
      const outcome = await backupCodes.consume(user, left.pop());
      if (outcome.ok) await send({ done: 'consumed', codeId: outcome.codeId });
    }
  }
}

process.once('message', async ({ connection, attempts, users }) => {
  const store = await openStore(connection, users && (() => send({ done: 'statement' })));
  const backupCodes = new BackupCodes({
    store,
    hasher,
    attempts,
    hashConcurrency: 8,
    maxQueuedHashes: 1000,
  });
  if (users) return runUntilKilled(backupCodes, users);
  process.on('message', async ({ user, code, times }) => {
    const outcomes = [];
    let begun = 0;
    const consumeInTurn = async () => {
      while (begun < times) {
        begun += 1;
        outcomes.push(
          await backupCodes
            .consume(user, code)
            .catch((error) => ({ ok: false, reason: `threw ${error.message}` })),
        );
      }
    };
    await Promise.all(Array.from({ length: MOST_OF_ONE_USER }, consumeInTurn));
    process.send({ outcomes });
  });
  return process.send({ ready: true });
});
