// Applies exported events of one user in one transaction: ends sets, consumes codes, locks the
// second factor, and writes the events that are missing. The user's row is locked first.
import { sql } from 'kysely';
import type { AuditEvent } from '../audit/events';
import type {
  ReplayedChange,
  ReplayedEvents,
  ReplayEffect,
  ReplayRequest,
  ReplayStep,
} from '../stores/replay-contract';
import type { Subject } from '../stores/subject';
import type { Database, RunStatement } from './database';
import { insertEvents } from './event-rows';
import { readNumber, readOptionalNumber, readString } from './rows';
import { endCodes } from './set-changes';
import { insertUser, readStagedHeader } from './set-rows';

/** @returns what was written and changed */
export async function replayEvents(
  database: Database,
  { subject, steps }: ReplayRequest,
): Promise<ReplayedEvents> {
  const written = await findMissing(database, steps);
  const changes = subject === null ? [] : steps.filter(({ change }) => change !== null);
  if (written.length === 0 && changes.length === 0) {
    return { written, effects: [], hasLostSet: false };
  }
  return database.transaction(async (run) => {
    const replay = subject && new UserReplay(run, database, subject);
    const { effects, hasLostSet } = (await replay?.apply(changes)) ?? NOTHING;
    if (written.length > 0) {
      // Another replay of the same events may have written them since.
      await run(sql`
        ${insertEvents(database.tables, written)}
        ${database.keepExisting('event_id')}`);
    }
    return { written, effects, hasLostSet };
  });
}

type AppliedChanges = Pick<ReplayedEvents, 'effects' | 'hasLostSet'>;

const NOTHING: AppliedChanges = { effects: [], hasLostSet: false };

/** Outside the transaction, because its first statement must be a write. */
async function findMissing(
  database: Database,
  steps: readonly ReplayStep[],
): Promise<readonly AuditEvent[]> {
  if (steps.length === 0) return [];
  const events = new Map(steps.map(({ event }) => [event.id, event]));
  const { rows } = await database.read(sql`
    SELECT event_id
    FROM ${database.tables.events}
    WHERE event_id IN (${sql.join([...events.keys()])})`);
  for (const row of rows) events.delete(String(row['event_id']));
  return [...events.values()];
}

/** The sets of a user, as far as a replay needs them. */
interface Sets {
  /** `null` if it was revoked too. */
  current: { readonly setId: string; readonly createdAt: number } | null;
  staged: { readonly setId: string; readonly createdAt: number } | null;
  /** Whether the user has or had a set. */
  hadSet: boolean;
}

/** One transaction on the row of one user. */
class UserReplay {
  readonly #run: RunStatement;
  readonly #database: Database;
  readonly #subject: Subject;
  readonly #effects: ReplayEffect[] = [];
  readonly #endedSets = new Map<string, boolean>();

  constructor(run: RunStatement, database: Database, subject: Subject) {
    this.#run = run;
    this.#database = database;
    this.#subject = subject;
  }

  async apply(steps: readonly ReplayStep[]): Promise<AppliedChanges> {
    const isAboutSets = steps.some(({ change }) => change?.type !== 'second_factor_locked');
    if (isAboutSets) await this.#run(insertUser(this.#database, this.#subject));
    const sets = isAboutSets ? await this.#readSets() : null;
    let isLost = false;
    for (const step of steps) {
      if (step.change?.type === 'second_factor_locked') await this.#lock(step.event.at);
      else if (sets !== null && (await this.#applyToSets(sets, step))) isLost = true;
    }
    return { effects: this.#effects, hasLostSet: isLost && sets?.current === null };
  }

  /** @returns whether the set of the event is lost */
  async #applyToSets(sets: Sets, { event, change }: ReplayStep): Promise<boolean> {
    if (change === null || change.type === 'second_factor_locked') return false;
    const { at } = event;
    if (sets.current?.setId !== change.setId) {
      if (await this.#hasEnded(sets, change.setId)) return false;
      if (!sets.hadSet) await this.#recordLostSet(change.setId, at);
      sets.hadSet = true;
      await this.#dropOlderStagedSet(sets, at);
      if (sets.current !== null && sets.current.createdAt <= at) {
        await this.#endCurrentSet(sets, at);
        this.#effects.push('replaced');
      }
      return true;
    }
    if (change.type === 'set_revoked') {
      await this.#dropOlderStagedSet(sets, at);
      await this.#endCurrentSet(sets, at);
      this.#effects.push('revoked');
    }
    if (change.type === 'code_consumed') {
      if (await this.#consumeCode(change, event)) this.#effects.push('consumed');
    }
    return false;
  }

  async #readSets(): Promise<Sets> {
    const { rows } = await this.#run(sql`
      SELECT set_id, created_at, revoked_at, staged_set_id, staged_header
      FROM ${this.#database.tables.users}
      WHERE user_key = ${this.#subject.key}`);
    const row = rows[0] ?? {};
    const setId = readString(row, 'set_id');
    const stagedSetId = readString(row, 'staged_set_id');
    const hasEnded = setId === null || readOptionalNumber(row, 'revoked_at') !== null;
    return {
      current: hasEnded ? null : { setId, createdAt: readNumber(row, 'created_at') },
      staged:
        stagedSetId === null
          ? null
          : { setId: stagedSetId, createdAt: readStagedHeader(row).createdAt },
      hadSet: setId !== null,
    };
  }

  /** The codes of an ended set stay, without what could be guessed against. */
  async #hasEnded({ staged }: Sets, setId: string): Promise<boolean> {
    if (staged?.setId === setId) return false;
    const found = this.#endedSets.get(setId);
    if (found !== undefined) return found;
    const { rows } = await this.#run(sql`
      SELECT code_id
      FROM ${this.#database.tables.codes}
      WHERE user_key = ${this.#subject.key}
        AND set_id = ${setId}
      LIMIT 1`);
    this.#endedSets.set(setId, rows.length > 0);
    return rows.length > 0;
  }

  /** Then the user is one who had a set. */
  async #recordLostSet(setId: string, at: number): Promise<void> {
    await this.#run(sql`
      UPDATE ${this.#database.tables.users}
      SET set_id = ${setId}, revoked_at = ${at}
      WHERE user_key = ${this.#subject.key}
        AND set_id IS NULL`);
  }

  async #dropOlderStagedSet(sets: Sets, at: number): Promise<void> {
    if (sets.staged === null || sets.staged.createdAt > at) return;
    const { tables } = this.#database;
    const { setId } = sets.staged;
    await this.#run(sql`
      UPDATE ${tables.users}
      SET staged_set_id = NULL, staged_until = NULL, staged_header = NULL
      WHERE user_key = ${this.#subject.key}`);
    // Not ended like others: ended codes stand for a set that was the current one.
    await this.#run(sql`
      DELETE FROM ${tables.codes}
      WHERE user_key = ${this.#subject.key}
        AND set_id = ${setId}`);
    sets.staged = null;
  }

  async #endCurrentSet(sets: Sets, at: number): Promise<void> {
    if (sets.current === null) return;
    const { tables } = this.#database;
    const { setId } = sets.current;
    await this.#run(sql`
      UPDATE ${tables.users}
      SET revoked_at = ${at},
        format = NULL,
        salt = NULL,
        pepper_check = NULL
      WHERE user_key = ${this.#subject.key}`);
    await this.#run(endCodes(tables, { subject: this.#subject, now: at, setId }));
    sets.current = null;
    this.#endedSets.set(setId, true);
  }

  /** @returns false if the code was consumed before, or is not stored */
  async #consumeCode({ setId, codeId }: ConsumedCode, event: AuditEvent): Promise<boolean> {
    const { tables } = this.#database;
    const { affected } = await this.#run(sql`
      UPDATE ${tables.codes}
      SET consumed_at = ${event.at},
        consumption_id = ${event.id}
      WHERE code_id = ${codeId}
        AND user_key = ${this.#subject.key}
        AND set_id = ${setId}
        AND consumed_at IS NULL
        AND ended_at IS NULL`);
    if (affected !== 1) return false;
    await this.#run(sql`
      UPDATE ${tables.users}
      SET remaining = remaining - 1,
        last_consumed_at = CASE
          WHEN last_consumed_at > ${event.at} THEN last_consumed_at
          ELSE ${this.#database.bigint(event.at)}
        END
      WHERE user_key = ${this.#subject.key}`);
    return true;
  }

  async #lock(at: number): Promise<void> {
    const { affected } = await this.#run(sql`
      UPDATE ${this.#database.tables.users}
      SET second_factor_locked_at = ${at}
      WHERE user_key = ${this.#subject.key}
        AND second_factor_locked_at IS NULL
        AND set_id IS NOT NULL
        AND revoked_at IS NULL
        AND created_at <= ${at}`);
    if (affected === 1) this.#effects.push('locked');
  }
}

type ConsumedCode = Extract<ReplayedChange, { readonly type: 'code_consumed' }>;
