// The codes of a user as a JSON list in one column. A change reads the list, changes it and writes
// it back. For the contestants that store codes this way.
import { Kysely, sql, type Dialect } from 'kysely';

export interface JsonLists {
  readonly read: (user: string) => Promise<string[] | null>;
  readonly write: (user: string, list: readonly string[]) => Promise<void>;
}

export async function openJsonLists(dialect: Dialect): Promise<JsonLists> {
  const db = new Kysely<unknown>({ dialect });
  const createTable = sql`
    CREATE TABLE users (
      id varchar(255) PRIMARY KEY,
      backup_codes text NOT NULL
    )`;
  await createTable.execute(db);
  return {
    read: async (user) => {
      const select = sql<{ backup_codes: string }>`
        SELECT backup_codes
        FROM users
        WHERE id = ${user}`;
      const [row] = (await select.execute(db)).rows;
      return row ? (JSON.parse(row.backup_codes) as string[]) : null;
    },
    write: async (user, list) => {
      const json = JSON.stringify(list);
      const upsert = sql`
        INSERT INTO users
        VALUES (${user}, ${json})
        ON CONFLICT (id) DO UPDATE
        SET backup_codes = ${json}`;
      await upsert.execute(db);
    },
  };
}
