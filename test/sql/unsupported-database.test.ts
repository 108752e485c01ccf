// Kysely dialects on which the store cannot keep its promises. Each wraps the real driver and drops
// what some dialects of others drop.
import {
  Kysely,
  SqliteDialect,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
} from 'kysely';
import Database from 'libsql';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';

type Alter = (result: QueryResult<unknown>) => unknown;

class AlteredDialect extends SqliteDialect {
  readonly #alter: Alter;

  constructor(database: Database.Database, alter: Alter) {
    super({ database });
    this.#alter = alter;
  }

  override createDriver(): Driver {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    driver.acquireConnection = async () => alteredConnection(await acquire(), this.#alter);
    return driver;
  }
}

const altered = new WeakSet<DatabaseConnection>();

function alteredConnection(connection: DatabaseConnection, alter: Alter): DatabaseConnection {
  if (altered.has(connection)) return connection;
  altered.add(connection);
  const execute = connection.executeQuery.bind(connection);
  connection.executeQuery = async <R>(query: Parameters<typeof execute>[0]) =>
    alter(await execute(query)) as QueryResult<R>;
  return connection;
}

const withoutCount: Alter = ({ rows }) => ({ rows });
const withoutRows: Alter = ({ numAffectedRows }) => ({ numAffectedRows, rows: [] });
const withUndefinedRows: Alter = ({ numAffectedRows }) => ({ numAffectedRows });

describe.each([
  { what: 'the number of rows', alter: withoutCount, hint: 'numAffectedRows' },
  { what: 'the rows of a raw SELECT', alter: withoutRows, hint: 'no rows of a raw SELECT' },
  { what: 'rows at all', alter: withUndefinedRows, hint: 'no rows of a raw SELECT' },
])('a dialect that does not return $what', ({ alter, hint }) => {
  let database: Database.Database;
  let good: BackupCodes;
  let bad: BackupCodes;

  beforeEach(async () => {
    database = new Database(':memory:');
    const [plain, faulty] = [
      new Kysely<unknown>({ dialect: new SqliteDialect({ database }) }),
      new Kysely<unknown>({ dialect: new AlteredDialect(database, alter) }),
    ];
    await createTables({ database: plain });
    [good, bad] = [plain, faulty].map(
      (kysely) =>
        new BackupCodes({ store: new SqlStore({ database: kysely }), hasher: countingHasher() }),
    ) as [BackupCodes, BackupCodes];
  });
  afterEach(() => {
    database.close();
  });

  it('is refused by the first call that writes, and nothing is written', async () => {
    const [format] = good.formats;
    const { codes } = await good.issue('ada');
    const { setId } = await good.stage('ada');
    const before = tables(database);
    for (const call of [
      () => bad.issue('grace'),
      () => bad.stage('grace'),
      () => bad.adopt('grace', ['ABCD-EFGH'], { format: format! }),
      () => bad.activate('ada', setId),
      () => bad.consume('ada', codes[0]),
      () => bad.revoke('ada'),
    ]) {
      await expect(call()).rejects.toMatchObject({
        code: 'unsupported_database',
        message: expect.stringContaining(hint) as string,
      });
      expect(tables(database)).toEqual(before);
    }
    expect(await good.consume('ada', codes[0])).toMatchObject({ ok: true });
  });
});

function tables(database: Database.Database): unknown[] {
  return ['users', 'events', 'networks'].map((name) =>
    database.prepare(`SELECT * FROM backup_code_${name}`).all(),
  );
}
