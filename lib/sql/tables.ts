// References to the tables for statements, made once for each store.
import { sql } from 'kysely';
import type { Statement } from './database';
import { TABLE, type TableNames } from './table-names';

export interface Tables {
  readonly users: Statement;
  readonly codes: Statement;
  readonly events: Statement;
  readonly approvals: Statement;
  readonly keys: Statement;
}

export function tableReferences({ schema, prefix }: TableNames): Tables {
  const reference = (table: string): Statement => {
    const name = `${prefix}${table}`;
    return schema === null ? sql.id(name) : sql.id(schema, name);
  };
  return {
    users: reference(TABLE.users),
    codes: reference(TABLE.codes),
    events: reference(TABLE.events),
    approvals: reference(TABLE.approvals),
    keys: reference(TABLE.keys),
  };
}
