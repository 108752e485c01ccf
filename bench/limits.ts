// What no library can beat: the bare statements of a verification, in as many transactions, with
// the same driver and database.
import { Kysely, sql, type RawBuilder } from 'kysely';
import type { Backend, RedisClient } from './backends';

type BareCall = () => Promise<unknown>;

export interface Limits {
  readonly roundTrip: BareCall;
  readonly commit: BareCall;
  /** The statements that this package needs for a valid code. */
  readonly validCode: BareCall;
  /** The statements that this package needs for an invalid code. */
  readonly invalidCode: BareCall;
}

/** `null` in memory, where no call waits for anything. */
export async function limitsOf({ name, openDatabase, client }: Backend): Promise<Limits | null> {
  if (client) return redisLimits(client);
  if (!openDatabase) return null;
  const limits = await sqlLimits(new Kysely<unknown>({ dialect: await openDatabase() }));
  return name === 'PostgreSQL' ? inTwoStatements(limits) : limits;
}

/** On PostgreSQL one statement takes the attempt, and one consumes or records. Both write. */
function inTwoStatements(limits: SqlLimits): Limits {
  const writeTwice = (): Promise<unknown> => limits.write().then(limits.write);
  return { ...limits, validCode: writeTwice, invalidCode: writeTwice };
}

interface SqlLimits extends Limits {
  /** One statement that changes a row, and is a transaction by itself. */
  readonly write: BareCall;
}

async function sqlLimits(db: Kysely<unknown>): Promise<SqlLimits> {
  const createTable = sql`
    CREATE TABLE bare (
      id integer PRIMARY KEY,
      n integer NOT NULL
    )`;
  await createTable.execute(db);
  await sql`INSERT INTO bare VALUES (1, 0)`.execute(db);
  // The value is bound, as in the real statements. Drivers send plain text in another way.
  const write = sql`
    UPDATE bare
    SET n = n + 1
    WHERE id = ${1}`;
  const read = sql`
    SELECT n
    FROM bare
    WHERE id = ${1}`;
  const transaction = (...statements: RawBuilder<unknown>[]): Promise<void> =>
    db.transaction().execute(async (trx) => {
      for (const statement of statements) await statement.execute(trx);
    });
  const takeAttempt = (): Promise<void> => transaction(write, read);
  return {
    roundTrip: () => read.execute(db),
    write: () => write.execute(db),
    commit: () => transaction(write),
    validCode: () => takeAttempt().then(() => transaction(write, write, read, write)),
    invalidCode: () => takeAttempt().then(() => transaction(write)),
  };
}

/** Redis answers a write after it is on disk. */
function redisLimits(client: RedisClient): Limits {
  const write = (): Promise<number> => client.incr('bare');
  const writeTwice = (): Promise<number> => write().then(write);
  return {
    roundTrip: () => client.ping(),
    commit: write,
    validCode: writeTwice,
    invalidCode: writeTwice,
  };
}
