'use strict';
// A notifier as an app has it, in a process of its own: delivers a page of events, saves where it
// ended, and goes on, until it is killed. Reports each step, so that the parent can kill it after a
// count and not after a time. Runs the built package.
const {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { promisify } = require('node:util');
const { BackupCodes } = require('../../../dist');
const { SqlStore } = require('../../../dist/sql');

const IDLE_MS = 5;
/** Resolves when the message is written. */
const send = promisify(process.send.bind(process));

function openDatabase({ kind, url }) {
  if (kind === 'postgres') return new (require('pg').Pool)({ connectionString: url, max: 1 });
  const database = new (require('libsql'))(url);
  database.exec('PRAGMA busy_timeout = 5000');
  return database;
}

/** On the disk when it returns. */
function writeDown(file, flags, text) {
  const descriptor = openSync(file, flags);
  writeSync(descriptor, text);
  fsyncSync(descriptor);
  closeSync(descriptor);
}

process.once('message', async ({ connection, delivered, saved }) => {
  const backupCodes = new BackupCodes({
    store: new SqlStore({ database: openDatabase(connection) }),
  });
  await send({ done: 'started' });
  let after = existsSync(saved) ? readFileSync(saved, 'utf8') : null;
  for (;;) {
    const { events, cursor } = await backupCodes.audit.events({ after, limit: 10 });
    for (const { id } of events) {
      writeDown(delivered, 'a', `${id}\n`);
      await send({ done: 'delivered' });
    }
    if (events.length > 0) {
      // Only now, or a kill in between would lose them. Whole, or not at all.
      writeDown(`${saved}.new`, 'w', cursor);
      renameSync(`${saved}.new`, saved);
      after = cursor;
      await send({ done: 'saved' });
    } else {
      await send({ done: 'looked' });
      await sleep(IDLE_MS);
    }
  }
});
