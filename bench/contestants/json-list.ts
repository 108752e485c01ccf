// A user's codes as a JSON list in a column: read whole, changed, written back. For those
// contestants that keep them so.
import { Kysely, sql, type Dialect } from 'kysely';

export interface JsonLists {
  readonly read: (user: string) => Promise<string[] | null>;
  readonly write: (user: string, list: readonly string[]) => Promise<void>;
}

export async function jsonLists(dialect: Dialect): Promise<JsonLists> {
  const db = new Kysely<unknown>({ dialect });
  await sql`CREATE TABLE users (id varchar(255) PRIMARY KEY, backup_codes text NOT NULL)`.execute(
    db,
  );
  return {
    read: async (user) => {
      const { rows } = await sql<{
        backup_codes: string;
      }>`SELECT backup_codes FROM users WHERE id = ${user}`.execute(db);
      return rows[0] ? (JSON.parse(rows[0].backup_codes) as string[]) : null;
    },
    write: async (user, list) => {
      const text = JSON.stringify(list);
      await sql`INSERT INTO users VALUES (${user}, ${text}) ON CONFLICT (id) DO UPDATE SET backup_codes = ${text}`.execute(
        db,
      );
    },
  };
}
