// Approval requests in the memory of this process: the readable reference, for tests. In production
// the two people may reach two processes.
import {
  isOpen,
  KEPT_MS,
  type ApprovalChange,
  type ApprovalRecord,
  type ApprovalStore,
  type ApprovalUpdate,
} from './approval-store';

/**
 * Keeps requests as long as the process runs. For tests, and as the model of other stores.
 *
 * @example
 * const store = new MemoryApprovalStore();
 * const approval = new TwoPersonApproval({ store, backupCodes, isEntitled, actions });
 */
export class MemoryApprovalStore implements ApprovalStore {
  readonly #records = new Map<string, ApprovalRecord>();

  /** See {@link ApprovalStore.create}. */
  create(record: ApprovalRecord): Promise<boolean> {
    const now = record.requestedAt;
    this.#removeOld(now);
    const hasOpen = [...this.#records.values()].some(
      (other) => other.target === record.target && isOpen(other) && other.expiresAt > now,
    );
    if (!hasOpen) this.#records.set(record.id, record);
    return Promise.resolve(!hasOpen);
  }

  /** See {@link ApprovalStore.update}. */
  update(id: string, change: ApprovalChange): Promise<ApprovalUpdate | null> {
    const record = this.#records.get(id);
    if (record === undefined) return Promise.resolve(null);
    const changed = change(record);
    if (changed !== null) this.#records.set(id, changed);
    return Promise.resolve({ record: changed ?? record, isChanged: changed !== null });
  }

  #removeOld(now: number): void {
    for (const { id, expiresAt } of this.#records.values()) {
      if (expiresAt + KEPT_MS <= now) this.#records.delete(id);
    }
  }
}
