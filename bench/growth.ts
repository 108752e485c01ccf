// A verification among a thousand to a million users: each size in a database of its own, sampled in turns.
import bcrypt from 'bcrypt';
import { Kysely, sql } from 'kysely';
import { fastHasher, formats } from '../lib';
import { createTables, SqlStore } from '../lib/sql';
import { rightCode, wrongCode } from './cases';
import { thisPackage } from './contestants/this-package';
import { places } from './places';
import { median, plain, rowsOf, sample, type Case, type Effort } from './rounds';
import type { Table } from './table';
import type { Target } from './targets';

const COST = 12;
const SIZES = { quick: [1_000, 100_000], full: [1_000, 100_000, 1_000_000] } as const;
const ROUNDS = { quick: 3, full: 30 } as const;
const HASH = `one bare slow hash (bcrypt ${COST})`;

export async function* growth(effort: Effort): AsyncGenerator<Table> {
  const salt = await bcrypt.genSalt(COST);
  for await (const place of places('SQLite', 'PostgreSQL')) {
    if (!place.dialect) continue;
    const kinds: Record<string, Case[]> = { 'right code': [], 'wrong code': [] };
    for (const size of SIZES[effort]) {
      const db = new Kysely<unknown>({ dialect: await place.dialect() });
      await createTables({ database: db });
      await fill(db, size);
      const among = thisPackage(`among ${size.toLocaleString('en')} users`, {
        store: new SqlStore({ database: db }),
        hasher: fastHasher(),
        format: formats.long,
      });
      kinds['right code']?.push(rightCode(among, { perRound: 10 }));
      kinds['wrong code']?.push(wrongCode(among, { perRound: 10 }));
    }
    const cases = Object.values(kinds).flatMap((some) =>
      some.map((one): Case => ({ ...one, beside: some[0]?.name ?? '' })),
    );
    const samples = await sample([plain(HASH, () => bcrypt.hash('ABCD-EFGH', salt)), ...cases], {
      rounds: ROUNDS[effort],
    });
    const targets = Object.entries(kinds).map(([kind, some]): Target => {
      const whole = some.map(({ name }) => median(samples, HASH) + median(samples, name));
      const claim = `${kind} on ${place.name} with ${HASH}, the slowest size to the quickest`;
      return {
        claim,
        figure: Math.max(...whole) / Math.min(...whole),
        bound: 1.05,
        must: 'be at most',
      };
    });
    yield {
      title: `${place.name}: a verification as the tables grow (no slow hash)`,
      rows: rowsOf([{ name: HASH }, ...cases], samples),
      targets,
    };
  }
}

/** Users with one code each, made by the database itself: they are there to be passed over. */
async function fill(db: Kysely<unknown>, size: number): Promise<void> {
  const range = sql`WITH RECURSIVE r(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n + 1 < CAST(${size} AS integer))`;
  const key = sql`'filler-' || n`;
  await sql`INSERT INTO backup_code_users (user_key, user_id, set_id, format, salt, pepper_check, total, remaining, created_at)
    ${range} SELECT ${key}, ${key}, ${key}, '{}', '$none$', '', 1, 1, 0 FROM r`.execute(db);
  await sql`INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at) ${range} SELECT ${key}, ${key}, ${key}, '', '', 0 FROM r`.execute(
    db,
  );
  await sql`ANALYZE`.execute(db);
}
