// How SQLite finds the rows of a login. test/servers does the same on PostgreSQL and MariaDB.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely, SqliteDialect, type CompiledQuery } from 'kysely';
import Database from 'libsql';
import { createTables } from '../../lib/sql';
import { queryPlanTests, recordIn } from '../helpers/query-plan-tests';

describe('the plans of a login on SQLite', () => {
  const statements: CompiledQuery[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'backup-codes-'));
  const file = join(directory, 'codes.db');
  const database = new Database(file);
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF');
  // libsql leaves an EXPLAIN open, and its connection cannot commit.
  const another = new Database(file);
  const kysely = new Kysely<unknown>({
    dialect: new SqliteDialect({ database }),
    log: recordIn(statements),
  });
  afterAll(() => {
    another.close();
    database.close();
    rmSync(directory, { recursive: true });
  });

  queryPlanTests(async () => {
    await createTables({ database: kysely });
    return {
      dialect: 'sqlite',
      kysely,
      statements,
      explain: (statement, parameters) =>
        Promise.resolve(another.prepare(statement).all(parameters)),
    };
  });
});
