// What two people decide, on a SQL database: a row per request, replaced only by whoever read its last revision. That its
// target has no other open request is the database's own word: a unique column, empty in rows that are over.
import { inspect } from 'node:util';
import { sql, type RawBuilder } from 'kysely';
import {
  isOpen,
  KEPT_MS,
  type ApprovalRecord,
  type ApprovalState,
  type ApprovalStore,
  type ApprovalUpdate as Updated,
} from '../approval/approval-store';
import { userKey } from '../stores/subject';
import { Database, type Row } from './database';
import type { SqlDatabase } from './dialect';
import { readNumber, readText, storableText } from './rows';

/** Who reads a record that others change all the time gives up after so many tries. */
const MAX_ROUNDS = 100;

/**
 * Keeps the requests of `TwoPersonApproval` in the app's own database, in a table that `createTables` makes.
 *
 * @example new TwoPersonApproval({ store: new SqlApprovalStore(kysely), backupCodes, actions, isEntitled })
 */
export class SqlApprovalStore implements ApprovalStore {
  private readonly database: Database;

  /** @throws {BackupCodeError} `invalid_option` if it is given no Kysely */
  constructor(kysely: SqlDatabase) {
    this.database = Database.ofStore(kysely);
  }

  create(record: ApprovalRecord): Promise<boolean> {
    const { id, requestedAt } = record;
    const [key, columns] = [userKey(record.target), columnsOf(record)];
    return this.database.transaction(async (run) => {
      await run(
        sql`DELETE FROM backup_code_approvals WHERE expires_at <= ${requestedAt - KEPT_MS}`,
      );
      await run(
        sql`UPDATE backup_code_approvals SET open_target_key = NULL WHERE open_target_key = ${key} AND expires_at <= ${requestedAt}`,
      );
      await run(sql`INSERT INTO backup_code_approvals (approval_id, revision, ${sql.join(Object.keys(columns).map((name) => sql.raw(name)))})
        VALUES (${id}, 0, ${sql.join(Object.values(columns))}) ${this.database.keepExisting('open_target_key')}`);
      const { rows } = await run(
        sql`SELECT approval_id FROM backup_code_approvals WHERE open_target_key = ${key}`,
      );
      return rows[0]?.['approval_id'] === id;
    });
  }

  async update(
    id: string,
    change: (record: ApprovalRecord) => ApprovalRecord | null,
  ): Promise<Updated | null> {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const {
        rows: [row],
      } = await this.database.read(
        sql`SELECT * FROM backup_code_approvals WHERE approval_id = ${id}`,
      );
      if (!row) return null;
      const record = readRecord(row);
      const changed = change(record);
      if (changed === null) return { record, isChanged: false };
      const { affected } = await this.database.transaction((run) =>
        run(replace(changed, readNumber(row, 'revision'))),
      );
      if (affected === 1) return { record: changed, isChanged: true };
    }
    throw new Error('A request for approval was changed by others each time it was read.');
  }

  /** Shows no connection string, whoever prints this. */
  [inspect.custom](): string {
    return 'SqlApprovalStore {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }
}

function replace(record: ApprovalRecord, revision: number): RawBuilder<unknown> {
  const columns = Object.entries(columnsOf(record)).map(
    ([name, value]) => sql`${sql.raw(name)} = ${value}`,
  );
  return sql`UPDATE backup_code_approvals SET ${sql.join(columns)}, revision = ${revision + 1} WHERE approval_id = ${record.id} AND revision = ${revision}`;
}

/** All but the id and the revision. */
function columnsOf(record: ApprovalRecord): Readonly<Record<string, string | number | null>> {
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
    requestedIn: readText(row, 'requested_in'),
    requestedAt: readNumber(row, 'requested_at'),
    expiresAt: readNumber(row, 'expires_at'),
    approvedBy: readText(row, 'approved_by'),
    approvedAt: row['approved_at'] === null ? null : readNumber(row, 'approved_at'),
  };
}
