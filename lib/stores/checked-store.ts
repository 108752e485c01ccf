// Checks what a store returned before a decision relies on it. The store may be the app's own: a
// mistake in it must let no one in. Only the shape is checked; `storeContract` of
// passport-backup-code/testing checks the behaviour. The set of an attempt is checked before the
// comparison, which can give the attempt back: see stored-set.ts.
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
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

/**
 * The store, with a check after each of its methods.
 *
 * @throws {BackupCodeError} `invalid_result`, from the methods
 */
export function checkedStore(store: BackupCodeStore): BackupCodeStore {
  return new CheckedStore(store);
}

class CheckedStore implements BackupCodeStore {
  readonly #store: BackupCodeStore;

  constructor(store: BackupCodeStore) {
    this.#store = store;
  }

  async replace(request: ReplaceRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('replace', await this.#store.replace(request));
  }

  async stage(request: StageRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('stage', await this.#store.stage(request));
  }

  async activate(request: ActivateRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('activate', await this.#store.activate(request));
  }

  async find(subject: Subject): Promise<FoundUser | null> {
    return this.#store.find(subject);
  }

  async takeAttempt(request: AttemptRequest): Promise<AttemptResult> {
    const result = await this.#store.takeAttempt(request);
    if (!isAttempt(result)) throw malformed('takeAttempt');
    return result;
  }

  async giveBack(request: GiveBackRequest): Promise<void> {
    await this.#store.giveBack(request);
  }

  async consume(request: ConsumeRequest): Promise<Consumption> {
    const result = await this.#store.consume(request);
    if (!isConsumption(result)) throw malformed('consume');
    return result;
  }

  async revoke(request: RevokeRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('revoke', await this.#store.revoke(request));
  }

  async forget(request: ForgetRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('forget', await this.#store.forget(request));
  }

  async unlock(request: UnlockRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('unlock', await this.#store.unlock(request));
  }

  async append(
    events: readonly AuditEvent[],
    lock?: LockedChannel,
  ): Promise<readonly AuditEvent[]> {
    return checkEvents('append', await this.#store.append(events, lock));
  }

  async count(request: CountRequest): Promise<readonly AuditEvent[]> {
    return checkEvents('count', await this.#store.count(request));
  }

  async nameKey(): Promise<Uint8Array> {
    const key: unknown = await this.#store.nameKey();
    if (!(key instanceof Uint8Array) || key.length < NAME_KEY_BYTES) throw malformed('nameKey');
    return key;
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
