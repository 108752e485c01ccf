// The store of two-person approvals on Redis. One key holds a request as JSON, another one marks
// its target as taken. All have the same hash tag, because such requests are few.
import {
  isOpen,
  KEPT_MS,
  type ApprovalChange,
  type ApprovalRecord,
  type ApprovalStore,
  type ApprovalUpdate,
} from '../approval/approval-store';
import { BackupCodeError } from '../errors';
import { userKey } from '../stores/subject';
import { runScript } from './client';
import { checkOptions, type RedisKeyspace, type RedisStoreOptions } from './redis-options';
import { parseStored, readText } from './replies';
import {
  createApprovalScript,
  readApprovalScript,
  replaceApprovalScript,
} from './scripts/approval-scripts';

/** How often `update` reads a record that others keep changing before it gives up. */
const MAX_ROUNDS = 100;

/**
 * Stores the requests of `TwoPersonApproval` in Redis 6.2 or later, or Valkey, on one server or on
 * a cluster. A request expires 30 days after the end of its window.
 *
 * @example
 * const approval = new TwoPersonApproval({
 *   store: new RedisApprovalStore({ client }),
 *   backupCodes,
 *   actions,
 *   isEntitled,
 * });
 */
export class RedisApprovalStore implements ApprovalStore {
  readonly #keyspace: RedisKeyspace;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: RedisStoreOptions) {
    this.#keyspace = checkOptions('RedisApprovalStore', options);
  }

  async create(record: ApprovalRecord): Promise<boolean> {
    const { id, requestedAt, expiresAt } = record;
    const reply = await runScript(this.#keyspace.client, createApprovalScript, {
      keys: this.#keysOf(record),
      request: {
        record: JSON.stringify(record),
        id,
        now: requestedAt,
        expiresAt,
        keptMs: KEPT_MS,
      },
    });
    return readText(reply) === 'created';
  }

  /**
   * @throws {BackupCodeError} `unreadable_set` if the stored request is damaged, `busy` if other
   *   callers changed it each of the 100 times it was read
   */
  async update(id: string, change: ApprovalChange): Promise<ApprovalUpdate | null> {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const stored = await this.#read(id);
      if (stored === '') return null;
      const record = parseStored(stored, isRecord);
      const changed = change(record);
      if (changed === null) return { record, isChanged: false };
      if (await this.#replace(stored, changed)) return { record: changed, isChanged: true };
    }
    throw new BackupCodeError(
      'busy',
      `Other callers changed the request for approval each of the ${MAX_ROUNDS} times it was read.`,
    );
  }

  async #read(id: string): Promise<string> {
    const reply = await runScript(this.#keyspace.client, readApprovalScript, {
      keys: [this.#requestKey(id)],
    });
    return readText(reply);
  }

  async #replace(stored: string, changed: ApprovalRecord): Promise<boolean> {
    const reply = await runScript(this.#keyspace.client, replaceApprovalScript, {
      keys: this.#keysOf(changed),
      request: {
        old: stored,
        new: JSON.stringify(changed),
        id: changed.id,
        hasEnded: !isOpen(changed),
      },
    });
    return readText(reply) === 'replaced';
  }

  #keysOf({ id, target }: ApprovalRecord): string[] {
    return [this.#requestKey(id), `${this.#keyspace.prefix}{approvals}:open:${userKey(target)}`];
  }

  #requestKey(id: string): string {
    return `${this.#keyspace.prefix}{approvals}:request:${id}`;
  }
}

function isRecord(value: unknown): value is ApprovalRecord {
  return typeof value === 'object' && value !== null && 'digest' in value;
}
