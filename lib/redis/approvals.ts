// What two people decide, on Redis: a key per request, which holds its record as JSON, and one per target with an open
// request. They share one hash tag: such requests are few. A record is replaced only by whoever read its last text.
import { inspect } from 'node:util';
import {
  isOpen,
  KEPT_MS,
  type ApprovalRecord,
  type ApprovalStore,
  type Updated,
} from '../approval/store';
import { BackupCodeError } from '../errors';
import { userKey } from '../stores/subject';
import { defineScript, runScript, type RedisPlace } from './client';
import { readText } from './replies';
import { placeOf, type RedisStoreOptions } from './store';

/** Who reads a record that others change all the time gives up after so many tries. */
const MAX_ROUNDS = 100;

/** The target's key leaves with the request's window, by the server's clock, or once somebody else's is over by the caller's. */
const createScript = defineScript(`
local request, open = unpack(KEYS)
local record, id, now, expiresAt, kept = unpack(ARGV)
local other = redis.call('GET', open)
local otherEnd = other and tonumber(string.match(other, ' (%d+)$'))
if other and not (otherEnd and otherEnd <= tonumber(now)) then return 'taken' end
redis.call('SET', request, record, 'PX', string.format('%.0f', expiresAt - now + kept))
redis.call('SET', open, id .. ' ' .. expiresAt, 'PX', string.format('%.0f', expiresAt - now))
return 'created'
`);

const readScript = defineScript("return redis.call('GET', KEYS[1]) or ''");

/** `closes`: the request is over, and its target free. */
const replaceScript = defineScript(`
local request, open = unpack(KEYS)
local old, new, id, closes = unpack(ARGV)
if redis.call('GET', request) ~= old then return 'changed' end
local holder = redis.call('GET', open)
redis.call('SET', request, new, 'KEEPTTL')
if closes == 'closes' and holder and string.sub(holder, 1, #id) == id then redis.call('DEL', open) end
return 'replaced'
`);

/**
 * Keeps the requests of `TwoPersonApproval` in Redis 6.2 or later, or Valkey, alone or as a cluster; each leaves by itself 30 days
 * after its window.
 *
 * @example new TwoPersonApproval({ store: new RedisApprovalStore({ client }), backupCodes, actions, isEntitled })
 */
export class RedisApprovalStore implements ApprovalStore {
  private readonly place: RedisPlace;

  /** @throws {BackupCodeError} `invalid_option` */
  constructor(options: RedisStoreOptions) {
    this.place = placeOf('RedisApprovalStore', options);
  }

  async create(record: ApprovalRecord): Promise<boolean> {
    const { id, requestedAt, expiresAt } = record;
    const input = [JSON.stringify(record), id, requestedAt, expiresAt, KEPT_MS].map(String);
    return (
      readText(
        await runScript(this.place.client, createScript, {
          keys: this.keysOf(record),
          arguments: input,
        }),
      ) === 'created'
    );
  }

  async update(
    id: string,
    change: (record: ApprovalRecord) => ApprovalRecord | null,
  ): Promise<Updated | null> {
    for (let round = 1; round <= MAX_ROUNDS; round += 1) {
      const stored = readText(
        await runScript(this.place.client, readScript, {
          keys: [this.keyOf('request', id)],
          arguments: [],
        }),
      );
      if (stored === '') return null;
      const record = readRecord(stored);
      const changed = change(record);
      if (changed === null) return { record, isChanged: false };
      const input = [stored, JSON.stringify(changed), id, isOpen(changed) ? '' : 'closes'];
      const reply = await runScript(this.place.client, replaceScript, {
        keys: this.keysOf(changed),
        arguments: input,
      });
      if (readText(reply) === 'replaced') return { record: changed, isChanged: true };
    }
    throw new Error('A request for approval was changed by others each time it was read.');
  }

  /** Shows no connection string, whoever prints this. */
  [inspect.custom](): string {
    return 'RedisApprovalStore {}';
  }

  /** Nor whoever logs it as JSON. */
  toJSON(): string {
    return this[inspect.custom]();
  }

  private keysOf({ id, target }: ApprovalRecord): string[] {
    return [this.keyOf('request', id), this.keyOf('open', userKey(target))];
  }

  private keyOf(kind: 'request' | 'open', name: string): string {
    return `${this.place.prefix}{approvals}:${kind}:${name}`;
  }
}

/** @throws {BackupCodeError} `unreadable_set` */
function readRecord(stored: string): ApprovalRecord {
  try {
    const record: unknown = JSON.parse(stored);
    if (typeof record === 'object' && record !== null && 'digest' in record)
      return record as ApprovalRecord;
  } catch {
    // Said below.
  }
  throw new BackupCodeError('unreadable_set', 'A stored request for approval is damaged.');
}
