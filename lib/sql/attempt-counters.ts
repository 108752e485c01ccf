// The attempt counters of a user's two channels, which are columns of the user's row.
import { sql } from 'kysely';
import type { Channel } from '../audit/context';
import type { ChannelState, GiveBackRequest, LockedChannel } from '../stores/contract';
import type { Subject } from '../stores/subject';
import type { Database, Row, Statement } from './database';
import { readNumber, readOptionalNumber, storableText } from './rows';
import type { Tables } from './database';

/** References to the columns of one channel. */
export interface CounterColumns {
  readonly attempts: Statement;
  readonly nextAt: Statement;
  readonly generation: Statement;
  readonly lockedAt: Statement;
  readonly refusals: Statement;
  readonly refusalId: Statement;
  readonly refusedAt: Statement;
}

export const COUNTER_COLUMNS: Readonly<Record<Channel, CounterColumns>> = {
  second_factor: counterColumns('second_factor'),
  recovery: counterColumns('recovery'),
};

function counterColumns(channel: Channel): CounterColumns {
  return {
    attempts: sql.ref(`${channel}_attempts`),
    nextAt: sql.ref(`${channel}_next_at`),
    generation: sql.ref(`${channel}_generation`),
    lockedAt: sql.ref(`${channel}_locked_at`),
    refusals: sql.ref(`${channel}_refusals`),
    refusalId: sql.ref(`${channel}_refusal_id`),
    refusedAt: sql.ref(`${channel}_refused_at`),
  };
}

/** @throws {BackupCodeError} `unreadable_set` */
export function readChannel(row: Row, channel: Channel): ChannelState {
  return {
    attempts: readNumber(row, `${channel}_attempts`),
    lockedAt: readOptionalNumber(row, `${channel}_locked_at`),
  };
}

export interface NewUser {
  readonly subject: Subject;
  /** When the counter of an unknown user name may be removed; `null` for a user. */
  readonly forgetAt: number | null;
}

/** Makes the user's row if it is missing. */
export function insertUser(database: Database, { subject, forgetAt }: NewUser): Statement {
  return sql`
    INSERT INTO ${database.tables.users} (user_key, user_id, forget_at)
    VALUES (${subject.key}, ${storableText(subject.userId)}, ${forgetAt})
    ${database.keepExisting('user_key')}`;
}

export async function giveBackAttempt(
  database: Database,
  { subject, ticket }: GiveBackRequest,
): Promise<void> {
  const { attempts, nextAt, generation } = COUNTER_COLUMNS[ticket.channel];
  await database.transaction((run) =>
    run(sql`
      UPDATE ${database.tables.users}
      SET ${nextAt} = CASE WHEN ${nextAt} = ${ticket.nextAt} THEN 0 ELSE ${nextAt} END,
        ${attempts} = ${attempts} - 1
      WHERE user_key = ${subject.key}
        AND ${generation} = ${ticket.generation}
        AND ${attempts} > 0`),
  );
}

export function lockChannel(tables: Tables, { subject, ticket, now }: LockedChannel): Statement {
  const { lockedAt, generation } = COUNTER_COLUMNS[ticket.channel];
  return sql`
    UPDATE ${tables.users}
    SET ${lockedAt} = ${now}
    WHERE user_key = ${subject.key}
      AND ${generation} = ${ticket.generation}`;
}
