#!/usr/bin/env bash
# node:sqlite drops a Date that is the first of several values, and moves the others.
#
# Guess      A value that cannot be bound is refused, in every position, and so are too few values.
# What       Any object in the first position is taken as the object of named parameters. A Date, a
#            Map and a function have no names in them, so nothing is refused: the second value
#            moves to the first parameter, and the last parameter is NULL. A Date in any later
#            position is refused with ERR_INVALID_ARG_TYPE. The hazard depends on the position.
# Versions   Node 22.13.0, 22.23.3, 24.21.0 and 26.10.0.
# Means      `UPDATE … SET consumed_at = ? WHERE id = ?` with a Date and an id changes no row and
#            raises no error: a consumed code stays unconsumed. `DELETE … WHERE created_at < ?`
#            with a Date deletes nothing. An INSERT stores the id as the time.
# Our part   lib/sql/node-sqlite.ts passes an empty object in front of the values
#            (NO_NAMED_PARAMETERS). After it every object is refused; the last check shows it.
# Needs      A platform that the npm package `node` has.
source "$(dirname "$0")/helpers/start.sh"

install node-22.13.0@npm:node@22.13.0 node-22.23.3@npm:node@22.23.3 \
  node-24.21.0@npm:node@24.21.0 node-26.10.0@npm:node@26.10.0

cat >"$folder/observe.js" <<'JS'
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(':memory:');
const time = new Date(0);
const attempt = (call) => {
  try {
    return call();
  } catch (error) {
    return error.code;
  }
};
const prepare = (source) => database.prepare(source);
const select = (...values) =>
  attempt(() => ({ ...prepare('SELECT ? AS a, ? AS b').get(...values) }));
const changes = (source, ...values) =>
  attempt(() => Number(prepare(source).run(...values).changes));
database.exec(`
  CREATE TABLE codes (id INTEGER PRIMARY KEY, consumed_at TEXT);
  CREATE TABLE events (created_at TEXT, user_id TEXT);
  INSERT INTO codes VALUES (7, NULL);
  INSERT INTO events VALUES ('1969-01-01', 'ada');
`);
const observed = {
  version: process.versions.node,
  dateFirst: select(time, 'x'),
  mapFirst: select(new Map([['key', 1]]), 'x'),
  functionFirst: select(() => 1, 'x'),
  dateSecond: select('x', time),
  plainObjectFirst: select({ key: 1 }, 'x'),
  oneValueForTwo: select('x'),
  updated: changes('UPDATE codes SET consumed_at = ? WHERE id = ?', time, 7),
  deleted: changes('DELETE FROM events WHERE created_at < ?', time),
  inserted: changes('INSERT INTO events VALUES (?, ?)', time, 'bob'),
  insertedRow: { ...prepare('SELECT * FROM events WHERE rowid = 2').get() },
  dateAfterEmptyObject: select({}, time, 'x'),
};
console.log(JSON.stringify(observed));
JS

check <<'JS'
const { execFileSync } = require('node:child_process');
const { expect, title } = require('./expect.js');

const shifted = { a: 'x', b: null };
for (const version of ['22.13.0', '22.23.3', '24.21.0', '26.10.0']) {
  const file = `./node_modules/node-${version}/bin/node`;
  const output = execFileSync(file, ['--no-warnings', 'observe.js'], { encoding: 'utf8' });
  const observed = JSON.parse(output);
  title(`Node ${observed.version}`);
  expect('it is the pinned version', observed.version, version);
  expect('SELECT ? AS a, ? AS b with (Date, "x")', observed.dateFirst, shifted);
  expect('with (Map, "x")', observed.mapFirst, shifted);
  expect('with (function, "x")', observed.functionFirst, shifted);
  expect('with ("x", Date)', observed.dateSecond, 'ERR_INVALID_ARG_TYPE');
  expect('with ({ key: 1 }, "x")', observed.plainObjectFirst, 'ERR_INVALID_STATE');
  expect('with ("x") alone', observed.oneValueForTwo, shifted);
  expect('rows changed by UPDATE … SET consumed_at = ? WHERE id = ?', observed.updated, 0);
  expect('rows changed by DELETE … WHERE created_at < ?', observed.deleted, 0);
  expect('rows changed by INSERT … VALUES (?, ?)', observed.inserted, 1);
  expect('the inserted row', observed.insertedRow, { created_at: 'bob', user_id: null });
  expect('with ({}, Date, "x")', observed.dateAfterEmptyObject, 'ERR_INVALID_ARG_TYPE');
}
JS
