#!/usr/bin/env bash
# `changes` of a statement with RETURNING is 0 in libsql, although a row was written. In
# node:sqlite, `changes` of a statement that writes nothing is that of an earlier one.
#
# Guess      libsql has the interface of better-sqlite3, and node:sqlite is much like it. run()
#            returns how many rows this statement changed.
# What       libsql: run() of INSERT … RETURNING and UPDATE … RETURNING returns `changes: 0`, and
#            the row is written. Without RETURNING it is 1. The row of get() has a property
#            `_metadata` that is no column; the rows of all() have not. node:sqlite: run() of
#            CREATE TABLE IF NOT EXISTS, SELECT or PRAGMA returns the `changes` of the statement
#            before it.
# Versions   libsql 0.5.29, Node 24.21.0 and 26.10.0.
# Means      `if (changes === 1)` is how a single-use code is consumed: the write decides. With
#            RETURNING, a valid code is refused on libsql although it is now consumed. On
#            node:sqlite, `changes` means something only after INSERT, UPDATE and DELETE. A row that
#            is copied with `{ ...row }` into an INSERT brings `_metadata` with it.
# Our part   The writes that decide have no RETURNING: lib/sql/consume-code.ts.
#            One with RETURNING is run by all(), and its rows are read, not `changes`:
#            lib/sql/node-sqlite.ts (#returnsRows), lib/sql/count-event.ts.
# Needs      A platform that the npm package `node` has.
source "$(dirname "$0")/helpers/start.sh"

install libsql@0.5.29 node-24@npm:node@24.21.0 node-26@npm:node@26.10.0

cat >"$folder/observe.js" <<'JS'
const isLibsql = process.argv[2] === 'libsql';
const Database = isLibsql ? require('libsql') : require('node:sqlite').DatabaseSync;
const database = new Database(':memory:');
const changes = (source) => Number(database.prepare(source).run().changes);
database.exec('CREATE TABLE codes (id INTEGER PRIMARY KEY, is_consumed INTEGER)');
database.exec('INSERT INTO codes VALUES (1, 0), (2, 0), (3, 0)');
const observed = {
  update: changes('UPDATE codes SET is_consumed = 1 WHERE id = 1 AND is_consumed = 0'),
  again: changes('UPDATE codes SET is_consumed = 1 WHERE id = 1 AND is_consumed = 0'),
  returning: changes(
    'UPDATE codes SET is_consumed = 1 WHERE id = 2 AND is_consumed = 0 RETURNING id',
  ),
  inserted: changes('INSERT INTO codes VALUES (4, 0) RETURNING id'),
  ids: database
    .prepare('SELECT id FROM codes WHERE is_consumed = 1')
    .all()
    .map(({ id }) => id),
  columnsOfGet: Object.keys(database.prepare('SELECT id FROM codes').get()),
  columnsOfAll: Object.keys(database.prepare('SELECT id FROM codes').all()[0]),
};
changes('UPDATE codes SET is_consumed = 1 WHERE id < 4');
observed.created = changes('CREATE TABLE IF NOT EXISTS codes (id INTEGER)');
observed.selected = changes('SELECT id FROM codes');
console.log(JSON.stringify(observed));
JS

check <<'JS'
const { execFileSync } = require('node:child_process');
const { expect, printVersion, title } = require('./expect.js');

const observe = (file, args = []) =>
  JSON.parse(execFileSync(file, ['--no-warnings', 'observe.js', ...args], { encoding: 'utf8' }));
const programOf = (name) => `./node_modules/${name}/bin/node`;

const check = (observed, expected) => {
  expect('changes of UPDATE … WHERE is_consumed = 0', observed.update, 1);
  expect('changes of the same UPDATE again', observed.again, 0);
  expect('changes of such an UPDATE … RETURNING', observed.returning, expected.returning);
  expect('changes of INSERT … RETURNING', observed.inserted, expected.returning);
  expect('consumed ids', observed.ids, [1, 2]);
  expect('columns of get()', observed.columnsOfGet, expected.columnsOfGet);
  expect('columns of all()', observed.columnsOfAll, ['id']);
  expect('changes of CREATE TABLE IF NOT EXISTS after 3', observed.created, expected.created);
  expect('changes of SELECT after 3', observed.selected, expected.selected);
};

title('libsql');
printVersion('libsql');
check(observe(process.execPath, ['libsql']), {
  returning: 0,
  columnsOfGet: ['id', '_metadata'],
  created: 0,
  selected: 0,
});
for (const name of ['node-24', 'node-26']) {
  title(
    `node:sqlite of ${execFileSync(programOf(name), ['--version'], { encoding: 'utf8' }).trim()}`,
  );
  check(observe(programOf(name)), {
    returning: 1,
    columnsOfGet: ['id'],
    created: 3,
    selected: 3,
  });
}
JS
