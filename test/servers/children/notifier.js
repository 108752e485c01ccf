'use strict';
// A notifier of an app, in a process of its own. Delivers a page of events, saves its cursor and
// continues until it is killed. Reports each step, so that the parent can kill it after a number of
// steps. Runs the built package.
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

/** The data is on the disk when this returns. */
function writeDurably(file, flags, text) {
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
      writeDurably(delivered, 'a', `${id}\n`);
      await send({ done: 'delivered' });
    }
    if (events.length > 0) {
      // Saved after the delivery, so that a kill loses no event. The rename is atomic.
      writeDurably(`${saved}.new`, 'w', cursor);
      renameSync(`${saved}.new`, saved);
      after = cursor;
      await send({ done: 'saved' });
    } else {
      await send({ done: 'found nothing' });
      await sleep(IDLE_MS);
    }
  }
});
