// What no library can go below: a bare slow hash, a bare round trip, a bare commit, and as many bare statements in as many
// transactions as a verification needs.
import { Kysely, sql, type RawBuilder } from 'kysely';
import type { Place, RedisClient } from './places';

type Run = () => Promise<unknown>;

export interface Limits {
  readonly roundTrip: Run;
  readonly commit: Run;
  readonly right: Run;
  readonly wrong: Run;
}

/** `null` in memory: nothing to wait for. */
export async function limitsOf({ dialect, client }: Place): Promise<Limits | null> {
  if (client) return onRedis(client);
  return dialect ? onSql(new Kysely<unknown>({ dialect: await dialect() })) : null;
}

async function onSql(db: Kysely<unknown>): Promise<Limits> {
  await sql`CREATE TABLE bare (id integer PRIMARY KEY, n integer NOT NULL)`.execute(db);
  await sql`INSERT INTO bare VALUES (1, 0)`.execute(db);
  // With a bound value, as every real statement has: drivers send these otherwise than plain text.
  const write = sql`UPDATE bare SET n = n + 1 WHERE id = ${1}`;
  const read = sql`SELECT n FROM bare WHERE id = ${1}`;
  const transaction = (...statements: RawBuilder<unknown>[]): Promise<void> =>
    db.transaction().execute(async (trx) => {
      for (const statement of statements) await statement.execute(trx);
    });
  const take = (): Promise<void> => transaction(write, read);
  return {
    roundTrip: () => read.execute(db),
    commit: () => transaction(write),
    right: () => take().then(() => transaction(write, write, read, write)),
    wrong: () => take().then(() => transaction(write)),
  };
}

/** Each write is on disk before its answer. */
function onRedis(client: RedisClient): Limits {
  const write = (): Promise<number> => client.incr('bare');
  const twice = (): Promise<number> => write().then(write);
  return { roundTrip: () => client.ping(), commit: write, right: twice, wrong: twice };
}
