// How many statements a verification takes, except those that begin and end transactions.
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';

describe('a verification on SqlStore', () => {
  const statements: string[] = [];
  const db = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: new Database(':memory:') }),
    log: ({ query }) => {
      const [verb = ''] = query.sql.trim().split(/\s/);
      if (!['begin', 'commit'].includes(verb.toLowerCase())) statements.push(verb);
    },
  });
  const backupCodes = new BackupCodes({
    store: new SqlStore({ database: db }),
    hasher: countingHasher(),
  });

  beforeAll(() => createTables({ database: db }));
  afterAll(() => db.destroy());

  it('a valid code takes six statements: two for the attempt, four to consume', async () => {
    const { codes } = await backupCodes.issue('ada');
    statements.length = 0;
    await backupCodes.consume('ada', codes[0]);
    expect(statements).toEqual(['UPDATE', 'SELECT', 'UPDATE', 'UPDATE', 'SELECT', 'INSERT']);
  });

  it('an invalid code takes three statements', async () => {
    await backupCodes.issue('bob');
    statements.length = 0;
    await backupCodes.consume('bob', 'AAAA-AAAA');
    expect(statements).toEqual(['UPDATE', 'SELECT', 'INSERT']);
  });

  it('a malformed code takes no statement', async () => {
    statements.length = 0;
    await backupCodes.consume('ada', '123456');
    expect(statements).toEqual([]);
  });
});
