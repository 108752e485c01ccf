// Breaks of what the store does on databases, drivers and clusters that differ.
import type { Break } from './break';

const aborted = 'test/sql/aborted.test.ts';
const faultsAnswers = 'test/service/faults-answers.test.ts';
const unsupported = 'test/sql/unsupported-database.test.ts';
const galeraWindow = 'test/sql/galera-window.test.ts';
const isRefused = `${unsupported} › is refused by the first call that writes, and nothing is written`;

export const databaseBreaks: readonly Break[] = [
  {
    id: 'F-31',
    what: 'a driver that reports no count seems to have matched no row',
    file: 'lib/sql/check-server.ts',
    find: 'if (numAffectedRows !== undefined) return Number(numAffectedRows);',
    replace: 'if (numAffectedRows !== null) return Number(numAffectedRows ?? 0);',
    noticedBy: [isRefused],
  },
  {
    id: 'F-31',
    what: 'a dialect that reads no raw SELECT seems to have no data',
    file: 'lib/sql/check-server.ts',
    find: "if (Number(rows[0]?.['answer']) !== 1) throw readsNoRows();",
    replace: '',
    noticedBy: [isRefused],
  },
  {
    id: 'F-31',
    what: 'codes of a set that the store did not record are returned',
    file: 'lib/stores/checked-store.ts',
    find: 'if (events.some(({ setId }) => setId === written.setId)) return events;',
    replace: "if (written.setId !== '') return events;",
    noticedBy: [
      `${faultsAnswers} › If the store returns no event of a new set, … is an error and returns no code`,
      `${faultsAnswers} › If the store returns an event of another set, adopt and activate are errors`,
    ],
  },
  {
    id: 'F-32',
    what: 'a busy database of node:sqlite fails the login at once',
    file: 'lib/sql/aborted.ts',
    find: "if (code === 'ERR_SQLITE_ERROR') return SQLITE_CODES.has(Number(errcode) & 0xff);",
    replace: "if (code === 'ERR_SQLITE_ERROR') return false;",
    noticedBy: [`${aborted} › a transaction that … reports as undone with "…" is run again`],
  },
  {
    id: 'F-32',
    what: 'a transaction is run again after any error, although it may have been committed',
    file: 'lib/sql/aborted.ts',
    find: "return code === undefined && typeof message === 'string' && SQLITE_MESSAGE.test(message);",
    replace: "return typeof message === 'string' || SQLITE_MESSAGE.test('');",
    noticedBy: [`${aborted} › a transaction that fails on … with "…" is not run again`],
  },
  {
    id: 'F-32',
    what: 'an undone transaction fails the login',
    file: 'lib/sql/retries.ts',
    find: 'if (!isRetryable(error) || activeMs >= MAX_ACTIVE_MS) throw error;',
    replace: 'if (!isRetryable(error) || activeMs >= 0) throw error;',
    noticedBy: [`${aborted} › a login waits for the other one, and then succeeds`],
  },
  {
    id: 'F-32',
    what: 'an undone transaction is repeated without end',
    file: 'lib/sql/retries.ts',
    find: 'const MAX_ACTIVE_MS = 2000;',
    replace: 'const MAX_ACTIVE_MS = 1e9;',
    noticedBy: [
      `${aborted} › a login that waits longer than two seconds fails with the error of SQLite`,
    ],
    hangs: true,
  },
  {
    id: 'F-33',
    what: 'a reader on Galera skips what arrives late',
    file: 'lib/sql/galera-window.ts',
    find: 'const next = Math.max(floor, settled);',
    replace: 'const next = Math.max(floor, settled, ...rows.map(({ seq }) => Number(seq)));',
    noticedBy: [
      `${galeraWindow} › a reader on Galera receives each event once, in whatever order they arrive`,
    ],
  },
  {
    id: 'F-33',
    what: 'a reader on Galera receives events twice',
    file: 'lib/sql/galera-window.ts',
    find: 'read.push(first + index * 8 + bit);',
    replace: 'read.push(first + index * 8 + bit + 1);',
    noticedBy: [`${galeraWindow} › a cursor on Galera reads back as what was read`],
  },
  {
    id: 'F-09',
    what: 'a statement whose answer was lost seems to have done nothing (PostgreSQL)',
    file: 'lib/sql/aborted.ts',
    find: 'return severity === undefined || /^(?:08|57P)/.test(String(code));',
    replace: 'return severity !== undefined && /^(?:08|57P)/.test(String(code));',
    noticedBy: [`${aborted} › after "…" of … a single statement may have done its work`],
  },
  {
    id: 'F-09',
    what: 'a statement that PostgreSQL refused is run again',
    file: 'lib/sql/aborted.ts',
    find: 'return severity === undefined || /^(?:08|57P)/.test(String(code));',
    replace: "return severity === undefined || typeof code === 'string';",
    noticedBy: [`${aborted} › after an error … of PostgreSQL a single statement has done nothing`],
  },
];
