// Replacing, staging, activating and revoking a set. The user's row is written first: it is the
// lock under which the codes change.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type {
  ActivateRequest,
  ReplaceRequest,
  RevokeRequest,
  SetHeader,
  StageRequest,
} from '../stores/requests';
import { hasherName } from '../stores/report-builder';
import type { Subject } from '../stores/subject';
import { latestUntil } from '../stores/waits';
import type { Database, Statement, Tables } from './database';
import { insertEvents } from './event-rows';
import { nextRecoveryGeneration } from './network-counter';
import { recordedTransaction } from './repeatable-transaction';
import { HAS_NOT_ENDED, insertCodes, insertUser, readStagedHeader } from './set-rows';

export function replaceSet(
  database: Database,
  { subject, header, codes, event, now, only }: ReplaceRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  const condition = only === 'first' ? sql`AND set_id IS NULL` : sql``;
  return recordedTransaction(database, {
    events: [event],
    work: async (run) => {
      await run(insertUser(database, subject));
      const begun = await run(sql`
        ${beginSet(database, header)}
      WHERE user_key = ${subject.key}
        ${condition}`);
      if (begun.affected !== 1) return [];
      const { setId, createdAt } = header;
      await run(endCodes(tables, { subject, now }));
      await run(insertCodes(tables, { subject, setId, codes, createdAt }));
      await run(insertEvents(tables, [event]));
      return [event];
    },
  });
}

export function stageSet(
  database: Database,
  { subject, header, codes, event, until }: StageRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  const { setId, createdAt } = header;
  return recordedTransaction(database, {
    events: [event],
    work: async (run) => {
      await run(insertUser(database, subject));
      const staged = await run(sql`
      UPDATE ${tables.users}
      SET staged_set_id = ${setId},
        staged_until = ${until},
        staged_header = ${JSON.stringify(header)}
      WHERE user_key = ${subject.key}`);
      if (staged.affected !== 1) return [];
      // The codes of an earlier staged set end; those of the current set stay.
      const current = sql`(SELECT set_id FROM ${tables.users} WHERE user_key = ${subject.key})`;
      const except = sql`COALESCE(${current}, '')`;
      await run(endCodes(tables, { subject, now: createdAt, except }));
      await run(insertCodes(tables, { subject, setId, codes, createdAt }));
      await run(insertEvents(tables, [event]));
      return [event];
    },
  });
}

export function activateSet(
  database: Database,
  { subject, setId, now, event }: ActivateRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  return recordedTransaction(database, {
    events: [event],
    work: async (run) => {
      const claimed = await run(sql`
      UPDATE ${tables.users}
      SET staged_set_id = NULL
      WHERE user_key = ${subject.key}
        AND staged_set_id = ${setId}
        AND staged_until > ${now}
        AND staged_until <= ${latestUntil({ now })}`);
      if (claimed.affected !== 1) return [];
      const { rows } = await run(sql`
      SELECT staged_header
      FROM ${tables.users}
      WHERE user_key = ${subject.key}`);
      const header = readStagedHeader(rows[0]);
      await run(sql`
      ${beginSet(database, header)}
      WHERE user_key = ${subject.key}`);
      await run(endCodes(tables, { subject, now, except: sql`${setId}` }));
      const { total } = header;
      const written = { ...event, remaining: total, total };
      await run(insertEvents(tables, [written]));
      return [written];
    },
  });
}

export function revokeSet(
  database: Database,
  { subject, now, event }: RevokeRequest,
): Promise<readonly AuditEvent[]> {
  const { tables } = database;
  return recordedTransaction(database, {
    events: [event],
    work: async (run) => {
      // Drops a staged set, and is the lock: a set that another caller issues comes before or after.
      await run(sql`
      UPDATE ${tables.users}
      SET staged_set_id = NULL,
        staged_until = NULL,
        staged_header = NULL
      WHERE user_key = ${subject.key}`);
      const revoked = await run(sql`
      UPDATE ${tables.users}
      SET revoked_at = ${now},
        format = NULL,
        salt = NULL,
        pepper_check = NULL
      WHERE user_key = ${subject.key}
        AND set_id IS NOT NULL
        AND revoked_at IS NULL`);
      await run(endCodes(tables, { subject, now }));
      if (revoked.affected !== 1) return [];
      const { rows } = await run(sql`
      SELECT set_id
      FROM ${tables.users}
      WHERE user_key = ${subject.key}`);
      const written = { ...event, setId: String(rows[0]?.['set_id']) };
      await run(insertEvents(tables, [written]));
      return [written];
    },
  });
}

/** Makes a set the current one. Both channels count from zero, in a new generation. */
function beginSet(database: Database, header: SetHeader): Statement {
  return sql`
    UPDATE ${database.tables.users}
    SET set_id = ${header.setId},
      format = ${header.format},
      salt = ${header.salt},
      hasher = ${hasherName(header.salt)},
      pepper_id = ${header.pepperId},
      pepper_check = ${header.check},
      total = ${header.total},
      remaining = ${header.total},
      created_at = ${header.createdAt},
      expires_at = ${header.expiresAt},
      last_consumed_at = NULL,
      revoked_at = NULL,
      reminded = 0,
      staged_set_id = NULL,
      staged_until = NULL,
      staged_header = NULL,
      second_factor_attempts = 0,
      second_factor_next_at = 0,
      second_factor_generation = second_factor_generation + 1,
      second_factor_locked_at = NULL,
      recovery_generation = ${nextRecoveryGeneration(database)}`;
}

interface EndedCodes {
  readonly subject: Subject;
  readonly now: number;
  /** The id of the only set whose codes end. */
  readonly setId?: string;
  /** The id of a set whose codes stay. */
  readonly except?: Statement;
}

/** Erases what could be guessed against. The times of the user's codes stay. */
export function endCodes(tables: Tables, { subject, now, setId, except }: EndedCodes): Statement {
  const condition = except === undefined ? sql`` : sql`AND set_id <> ${except}`;
  const isOfSet = setId === undefined ? sql`` : sql`AND set_id = ${setId}`;
  return sql`
    UPDATE ${tables.codes}
    SET salt = NULL, digest = NULL, ended_at = ${now}
    WHERE user_key = ${subject.key}
      AND ${HAS_NOT_ENDED}
      ${isOfSet}
      ${condition}`;
}
