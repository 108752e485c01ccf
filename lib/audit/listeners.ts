// Delivers live events to the app's listeners. A listener that fails never changes an outcome.
import { assertEventType, type AuditEvent, type AuditEventType } from './events';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';

/** Called after the change is committed. It may be asynchronous; it is not awaited. */
export type Listener = (event: AuditEvent) => unknown;

/** Called with what a listener threw or rejected with. */
export type ErrorListener = (error: unknown, event: AuditEvent) => unknown;

export class Listeners {
  readonly #byType = new Map<AuditEventType, Listener[]>();
  readonly #onError: ErrorListener[] = [];

  /**
   * @throws {BackupCodeError} `invalid_option` for an unknown type, or for a listener that is not a
   * function
   */
  add(type: AuditEventType, listener: Listener | ErrorListener): void {
    if (typeof listener !== 'function') {
      throw new BackupCodeError(
        'invalid_option',
        `on() takes an event type and a function, but the listener was ${describe(listener)}.`,
      );
    }
    if (type === 'error') {
      this.#onError.push(listener as ErrorListener);
      return;
    }
    assertEventType(type);
    const listeners = this.#byType.get(type);
    if (listeners === undefined) this.#byType.set(type, [listener as Listener]);
    else listeners.push(listener as Listener);
  }

  /** Calls the listeners of each event. All of them receive the same frozen object. */
  notify(events: readonly AuditEvent[]): void {
    for (const event of events) {
      Object.freeze(event);
      for (const listener of this.#byType.get(event.type) ?? []) {
        void call(() => listener(event)).catch((error: unknown) => this.#report(error, event));
      }
    }
  }

  /** If no error listener handles it, the failure becomes a process warning. */
  async #report(error: unknown, event: AuditEvent): Promise<void> {
    const calls = this.#onError.map((listener) => call(() => listener(error, event)));
    const results = await Promise.allSettled(calls);
    const isHandled = results.length > 0 && results.every(({ status }) => status === 'fulfilled');
    if (isHandled) return;
    const why = error instanceof Error ? error.message : 'it threw something that is not an Error';
    process.emitWarning(`A listener of "${event.type}" failed: ${why}`, {
      code: 'BACKUP_CODE_LISTENER',
    });
  }
}

async function call(listener: () => unknown): Promise<void> {
  await listener();
}
