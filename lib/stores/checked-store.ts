// Limits how long a call of the store is waited for, and checks what it returned before a decision
// relies on it. The store may be the app's own: a mistake in it must let no one in. Only the shape
// is checked; `storeContract` of passport-backup-code/testing checks the behaviour. The set of an
// attempt is checked before the comparison, which can give the attempt back: see stored-set.ts.
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
import { callStore } from './call-store';
import type { BackupCodeStore } from './contract';
import type {
  ActivateRequest,
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  Consumption,
  CountRequest,
  ForgetRequest,
  FoundUser,
  GiveBackRequest,
  LockedChannel,
  ReplaceRequest,
  RevokeRequest,
  StageRequest,
  UnlockRequest,
} from './requests';
import type { Subject } from './subject';

type Fields = Readonly<Record<string, unknown>>;

const NAME_KEY_BYTES = 32;

export interface CheckedStoreOptions {
  /** How long each call may take. */
  readonly timeoutSeconds: number;
}

/**
 * The store, with a time limit for each of its methods, and a check of what it returned.
 *
 * @throws {BackupCodeError} `store_timeout`, `invalid_result`, from the methods
 */
export function checkedStore(
  store: BackupCodeStore,
  { timeoutSeconds }: CheckedStoreOptions,
): BackupCodeStore {
  return new CheckedStore(store, timeoutSeconds);
}

class CheckedStore implements BackupCodeStore {
  readonly #store: BackupCodeStore;
  readonly #timeoutSeconds: number;

  constructor(store: BackupCodeStore, timeoutSeconds: number) {
    this.#store = store;
    this.#timeoutSeconds = timeoutSeconds;
  }

  async replace(request: ReplaceRequest): Promise<readonly AuditEvent[]> {
    const events = checkEvents(
      'replace',
      await this.#call('replace', (store) => store.replace(request)),
    );
    // Only an adoption may find that the user has a set.
    if (request.only === 'first' && events.length === 0) return events;
    return checkWritten('replace', { events, setId: request.header.setId });
  }

  async stage(request: StageRequest): Promise<readonly AuditEvent[]> {
    const events = checkEvents('stage', await this.#call('stage', (store) => store.stage(request)));
    return checkWritten('stage', { events, setId: request.header.setId });
  }

  async activate(request: ActivateRequest): Promise<readonly AuditEvent[]> {
    const events = checkEvents(
      'activate',
      await this.#call('activate', (store) => store.activate(request)),
    );
    if (events.length === 0) return events;
    return checkWritten('activate', { events, setId: request.setId });
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    const found = await this.#call('find', (store) => store.find(subject));
    if (!isFoundUser(found)) throw malformed('find');
    return found;
  }

  async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const result = await this.#call('takeAttempt', (store) => store.takeAttempt(request));
    if (!isAttempt(result)) throw malformed('takeAttempt');
    return result;
  }

  async giveBack(request: GiveBackRequest): Promise<void> {
    await this.#call('giveBack', (store) => store.giveBack(request));
  }

  async consume(request: ConsumeRequest): Promise<Consumption> {
    const result = await this.#call('consume', (store) => store.consume(request));
    if (!isConsumption(result)) throw malformed('consume');
    return result;
  }

  async revoke(request: RevokeRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('revoke', await this.#call('revoke', (store) => store.revoke(request)));
  }

  async forget(request: ForgetRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('forget', await this.#call('forget', (store) => store.forget(request)));
  }

  async unlock(request: UnlockRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('unlock', await this.#call('unlock', (store) => store.unlock(request)));
  }

  async append(
    events: readonly AuditEvent[],
    lock?: LockedChannel,
  ): Promise<readonly AuditEvent[]> {
    return checkEvents('append', await this.#call('append', (store) => store.append(events, lock)));
  }

  async count(request: CountRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('count', await this.#call('count', (store) => store.count(request)));
  }

  async nameKey(): Promise<Uint8Array> {
    const key: unknown = await this.#call('nameKey', (store) => store.nameKey());
    if (!(key instanceof Uint8Array) || key.length < NAME_KEY_BYTES) throw malformed('nameKey');
    return key;
  }

  #call<T>(method: string, call: (store: BackupCodeStore) => Promise<T>): Promise<T> {
    const store = this.#store;
    return callStore(this.#timeoutSeconds, { method, call: () => call(store) });
  }
}

/** The error of a result that the contract does not allow. */
export function malformed(method: string): BackupCodeError {
  return new BackupCodeError(
    'invalid_result',
    `The store returned a malformed result from ${method}. ` +
      'Run storeContract of passport-backup-code/testing on it.',
  );
}

function checkEvents(method: string, events: readonly AuditEvent[]): readonly AuditEvent[] {
  if (!isEventList(events)) throw malformed(method);
  return events;
}

interface WrittenSet {
  readonly events: readonly AuditEvent[];
  readonly setId: string;
}

/** Codes of a set that was not stored must not be shown to a user. */
function checkWritten(method: string, written: WrittenSet): readonly AuditEvent[] {
  const { events } = written;
  if (events.some(({ setId }) => setId === written.setId)) return events;
  throw new BackupCodeError(
    'invalid_result',
    `The store returned no event of the new set from ${method}, so it did not store the set. ` +
      'Its codes are not returned, because they would not work.',
  );
}

function isEventList(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (const event of value as unknown[]) {
    if (typeof event !== 'object' || event === null) return false;
    if (typeof (event as Fields)['type'] !== 'string') return false;
  }
  return true;
}

function isAttempt(value: unknown): boolean {
  const { ok, ticket, reason, nextAt, events } = (value ?? {}) as Fields;
  if (ok === true) return isTicket(ticket);
  if (ok !== false || !isEventList(events)) return false;
  return reason === 'locked' || (reason === 'throttled' && isCount(nextAt));
}

function isTicket(value: unknown): boolean {
  const { channel, network, attempt, generation, nextAt } = (value ?? {}) as Fields;
  const isChannel = channel === 'second_factor' || channel === 'recovery';
  if (typeof network !== 'string') return false;
  return isChannel && isCount(attempt) && isCount(generation) && isCount(nextAt);
}

function isFoundUser(value: unknown): boolean {
  if (value === null) return true;
  const { current, secondFactor } = (value ?? {}) as Fields;
  if (current !== null && !isCurrentSet(current)) return false;
  const { attempts, lockedAt } = (secondFactor ?? {}) as Fields;
  return isCount(attempts) && (lockedAt === null || isCount(lockedAt));
}

function isCurrentSet(value: unknown): boolean {
  const set = (value ?? {}) as Fields;
  for (const field of ['setId', 'format', 'salt', 'check']) {
    if (typeof set[field] !== 'string') return false;
  }
  const { pepperId, total, remaining, expiresAt } = set;
  if (pepperId !== null && typeof pepperId !== 'string') return false;
  if (expiresAt !== null && !isCount(expiresAt)) return false;
  return isCount(total) && isCount(remaining);
}

function isConsumption(value: unknown): boolean {
  const { outcome, consumedAt, reason } = (value ?? {}) as Fields;
  if (outcome === 'consumed') return isConsumed(value as Fields);
  if (outcome === 'already_consumed') return isCount(consumedAt);
  if (outcome !== 'gone') return false;
  return reason === 'none' || reason === 'expired' || reason === 'locked';
}

function isConsumed({ remaining, total, events, repeated }: Fields): boolean {
  if (typeof repeated !== 'boolean') return false;
  return isCount(remaining) && isCount(total) && isEventList(events);
}

export function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
