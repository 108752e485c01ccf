// A verification among a thousand to a million users. Each size has its own database, and the sizes
// are sampled in turn.
import bcrypt from 'bcrypt';
import { Kysely, sql } from 'kysely';
import { fastHasher, formats } from '../lib';
import { createTables, SqlStore } from '../lib/sql';
import { openBackends } from './backends';
import { invalidCode, validCode } from './cases';
import { thisPackage } from './contestants/this-package';
import { median, plainCase, rowsOf, sample, type Case, type Effort } from './sampling';
import type { Table } from './table';
import type { Target } from './targets';

const COST = 12;
const SIZES = { quick: [1_000, 100_000], full: [1_000, 100_000, 1_000_000] } as const;
const ROUNDS = { quick: 3, full: 30 } as const;
const HASH = `one bare slow hash (bcrypt ${COST})`;

export async function* growth(effort: Effort): AsyncGenerator<Table> {
  const salt = await bcrypt.genSalt(COST);
  for await (const { name: backendName, openDatabase } of openBackends('SQLite', 'PostgreSQL')) {
    if (!openDatabase) continue;
    const validCases: Case[] = [];
    const invalidCases: Case[] = [];
    for (const size of SIZES[effort]) {
      const db = new Kysely<unknown>({ dialect: await openDatabase() });
      await createTables({ database: db });
      await fillTables(db, size);
      const contestant = thisPackage(`among ${size.toLocaleString('en')} users`, {
        store: new SqlStore({ database: db }),
        hasher: fastHasher(),
        format: formats.long,
      });
      validCases.push(validCode(contestant, { perRound: 10 }));
      invalidCases.push(invalidCode(contestant, { perRound: 10 }));
    }
    const kinds = { 'valid code': validCases, 'invalid code': invalidCases };
    const cases = Object.values(kinds).flatMap((sizes) =>
      sizes.map((single): Case => ({ ...single, beside: sizes[0]?.name ?? '' })),
    );
    const hash = plainCase(HASH, () => bcrypt.hash('ABCD-EFGH', salt));
    const samples = await sample([hash, ...cases], { rounds: ROUNDS[effort] });
    const targets = Object.entries(kinds).map(([kind, sizes]): Target => {
      const times = sizes.map(({ name }) => median(samples, HASH) + median(samples, name));
      return {
        claim: `${kind} on ${backendName} with ${HASH}, the slowest size relative to the fastest`,
        figure: Math.max(...times) / Math.min(...times),
        bound: 1.05,
        must: 'be at most',
      };
    });
    yield {
      title: `${backendName}: a verification as the tables grow (no slow hash)`,
      rows: rowsOf([{ name: HASH }, ...cases], samples),
      targets,
    };
  }
}

/** Adds users with one code each. The database makes the rows. No case uses these users. */
async function fillTables(db: Kysely<unknown>, size: number): Promise<void> {
  const numbers = sql`
    WITH RECURSIVE numbers(n) AS (
      SELECT 0
      UNION ALL
      SELECT n + 1 FROM numbers WHERE n + 1 < CAST(${size} AS integer)
    )`;
  const key = sql`'filler-' || n`;
  const insertUsers = sql`
    INSERT INTO backup_code_users (
      user_key, user_id, set_id, format, salt, pepper_check, total, remaining, created_at
    )
    ${numbers}
    SELECT ${key}, ${key}, ${key}, '{}', '$none$', '', 1, 1, 0
    FROM numbers`;
  const insertCodes = sql`
    INSERT INTO backup_codes (code_id, user_key, set_id, salt, digest, created_at)
    ${numbers}
    SELECT ${key}, ${key}, ${key}, '', '', 0
    FROM numbers`;
  await insertUsers.execute(db);
  await insertCodes.execute(db);
  await sql`ANALYZE`.execute(db);
}
