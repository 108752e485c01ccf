// The requests of two-person approval on a SQL database: a row for each, replaced only if it is
// still the revision that was read. A unique column makes sure that a target has one open request;
// it is NULL in rows that are over.
import { sql } from 'kysely';
import { BackupCodeError } from '../errors';
import {
  isOpen,
  KEPT_MS,
  type ApprovalChange,
  type ApprovalRecord,
  type ApprovalState,
  type ApprovalStore,
  type ApprovalUpdate,
} from '../approval/approval-store';
import { userKey } from '../stores/subject';
import { Database, type Row, type Statement } from './database';
import { confirmRefusal } from './galera';
import { readStoreOptions, type SqlStoreOptions } from './options';
import {
  insertRows,
  readNumber,
  readOptionalNumber,
  readString,
  readText,
  storableText,
  type NewRow,
} from './rows';
import type { Tables } from './database';

/** A record that others have changed this many times between a read and a write is a fault. */
const MAX_ROUNDS = 100;

/**
 * Keeps the requests of `TwoPersonApproval` in your own database. It takes the same options as
 * {@link SqlStore}.
 *
 * @example
 * const store = new SqlApprovalStore({ database: pool });
 * const approval = new TwoPersonApproval({ store, backupCodes, actions, isEntitled });
 */
export class SqlApprovalStore implements ApprovalStore {
  readonly #database: Database;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: SqlStoreOptions) {
    this.#database = new Database(readStoreOptions('SqlApprovalStore', options));
  }

  create(record: ApprovalRecord): Promise<boolean> {
    const { approvals } = this.#database.tables;
    const { id, requestedAt } = record;
    const key = userKey(record.target);
    return this.#database.transaction(async (run) => {
      await run(sql`
        DELETE FROM ${approvals}
        WHERE expires_at <= ${requestedAt - KEPT_MS}`);
      await run(sql`
        UPDATE ${approvals}
        SET open_target_key = NULL
        WHERE open_target_key = ${key}
          AND expires_at <= ${requestedAt}`);
      await run(sql`
        ${insertRows(approvals, [{ approval_id: id, revision: 0, ...recordRow(record) }])}
        ${this.#database.keepExisting('open_target_key')}`);
      const { rows } = await run(sql`
        SELECT approval_id
        FROM ${approvals}
        WHERE open_target_key = ${key}`);
      return rows[0]?.['approval_id'] === id;
    });
  }

  update(id: string, change: ApprovalChange): Promise<ApprovalUpdate | null> {
    return confirmRefusal(this.#database, {
      decide: (on) => updateRecord(on, { id, change }),
      isRefusal: (result) => result === null,
    });
  }
}

interface RecordUpdate {
  readonly id: string;
  readonly change: ApprovalChange;
}

async function updateRecord(
  database: Database,
  { id, change }: RecordUpdate,
): Promise<ApprovalUpdate | null> {
  const { tables } = database;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const { rows } = await database.read(sql`
        SELECT *
        FROM ${tables.approvals}
        WHERE approval_id = ${id}`);
    const row = rows[0];
    if (!row) return null;
    const record = readRecord(row);
    const changed = change(record);
    if (changed === null) return { record, isChanged: false };
    const { affected } = await database.transaction((run) =>
      run(replaceRecord(tables, { record: changed, revision: readNumber(row, 'revision') })),
    );
    if (affected === 1) return { record: changed, isChanged: true };
  }
  throw new BackupCodeError(
    'busy',
    'A request for approval changed each time between a read and a write. Try again.',
  );
}

interface ReadRecord {
  readonly record: ApprovalRecord;
  /** The revision that was read. */
  readonly revision: number;
}

function replaceRecord(tables: Tables, { record, revision }: ReadRecord): Statement {
  const changes = Object.entries(recordRow(record)).map(
    ([column, value]) => sql`${sql.ref(column)} = ${value}`,
  );
  return sql`
    UPDATE ${tables.approvals}
    SET ${sql.join(changes)},
      revision = ${revision + 1}
    WHERE approval_id = ${record.id}
      AND revision = ${revision}`;
}

/** All columns except the id and the revision. */
function recordRow(record: ApprovalRecord): NewRow {
  return {
    open_target_key: isOpen(record) ? userKey(record.target) : null,
    state: record.state,
    action: storableText(record.action),
    target: storableText(record.target),
    parameters: record.parameters,
    digest: record.digest,
    requested_by: storableText(record.requestedBy),
    requested_in: record.requestedIn,
    requested_at: record.requestedAt,
    expires_at: record.expiresAt,
    approved_by: storableText(record.approvedBy),
    approved_at: record.approvedAt,
  };
}

function readRecord(row: Row): ApprovalRecord {
  return {
    id: String(row['approval_id']),
    state: String(row['state']) as ApprovalState,
    action: readText(row, 'action') ?? '',
    target: readText(row, 'target') ?? '',
    parameters: String(row['parameters']),
    digest: String(row['digest']),
    requestedBy: readText(row, 'requested_by') ?? '',
    requestedIn: readString(row, 'requested_in'),
    requestedAt: readNumber(row, 'requested_at'),
    expiresAt: readNumber(row, 'expires_at'),
    approvedBy: readText(row, 'approved_by'),
    approvedAt: readOptionalNumber(row, 'approved_at'),
  };
}
