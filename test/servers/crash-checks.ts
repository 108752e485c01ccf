// Reads the tables after a crash with SQL alone, not with the package.
import { sql, type Kysely } from 'kysely';

export interface Trail {
  /** The ids of the issued sets. */
  readonly issued: readonly string[];
  /** The ids of the consumed codes. */
  readonly consumed: readonly string[];
}

/** Reads the trail, the rows of the codes, and whether each set is whole. */
export async function readTables(
  db: Kysely<unknown>,
): Promise<{ trail: Trail; rows: Trail; sets: { isWhole: boolean; isCounted: boolean }[] }> {
  const events = await list(
    db,
    sql`
      SELECT type, set_id, code_id
      FROM backup_code_events
      WHERE type IN ('issued', 'consumed')
      ORDER BY seq`,
  );
  const codes = await list(
    db,
    sql`SELECT code_id, set_id, consumed_at, ended_at, digest FROM backup_codes`,
  );
  const users = await list(
    db,
    sql`SELECT set_id, total, remaining FROM backup_code_users WHERE set_id IS NOT NULL`,
  );
  const ofType = (type: string, column: string): string[] =>
    events.filter((event) => event['type'] === type).map((event) => String(event[column]));
  return {
    trail: {
      issued: ofType('issued', 'set_id').sort(),
      consumed: ofType('consumed', 'code_id').sort(),
    },
    rows: {
      issued: [...new Set(codes.map((code) => String(code['set_id'])))].sort(),
      consumed: codes
        .filter((code) => code['consumed_at'] !== null)
        .map((code) => String(code['code_id']))
        .sort(),
    },
    sets: users.map((user) => {
      const own = codes.filter((code) => code['set_id'] === user['set_id']);
      return {
        isWhole:
          own.length === Number(user['total']) &&
          own.every((code) => code['ended_at'] === null && code['digest'] !== null),
        isCounted:
          own.filter((code) => code['consumed_at'] === null).length === Number(user['remaining']),
      };
    }),
  };
}

async function list(
  db: Kysely<unknown>,
  query: ReturnType<typeof sql>,
): Promise<Record<string, unknown>[]> {
  const { rows } = await query.execute(db);
  return rows as Record<string, unknown>[];
}
