// The app's pool of mysql2, with a check of each new connection: the sql_mode of a server can
// change while the pool is open. Opens and closes no connection.
import type { MysqlPool, MysqlPoolConnection } from 'kysely';
import { assertBackslashEscapes } from './check-server';

/** A connection that is refused returns to the pool, and is checked again. */
export function checkedPool(pool: MysqlPool): MysqlPool {
  const checked = new WeakSet<MysqlPoolConnection>();
  return {
    getConnection: (callback) => {
      pool.getConnection((error: unknown, connection) => {
        if (error || checked.has(connection)) {
          callback(error, connection);
          return;
        }
        connection.query('SELECT @@SESSION.sql_mode AS sql_mode', [], (failure, rows) => {
          const refusal = failure ?? refusalOf(rows);
          if (refusal === null) checked.add(connection);
          else connection.release();
          callback(refusal, connection);
        });
      });
    },
    end: (callback) => {
      pool.end(callback);
    },
  };
}

function refusalOf(rows: unknown): unknown {
  const [row] = rows as { readonly sql_mode: unknown }[];
  try {
    assertBackslashEscapes(String(row?.sql_mode));
    return null;
  } catch (error) {
    return error;
  }
}
