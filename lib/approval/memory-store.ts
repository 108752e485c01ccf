// Approvals in this process's memory: the readable reference, for tests. Not for production: the two people may be on two machines.
import { isOpen, KEPT_MS, type ApprovalRecord, type ApprovalStore, type Updated } from './store';

/** Keeps requests as long as the process lives. For tests, and as the model of other stores. */
export class MemoryApprovalStore implements ApprovalStore {
  private readonly records = new Map<string, ApprovalRecord>();

  create(record: ApprovalRecord): Promise<boolean> {
    const now = record.requestedAt;
    for (const { id, expiresAt } of this.records.values())
      if (expiresAt + KEPT_MS <= now) this.records.delete(id);
    const hasOpen = [...this.records.values()].some(
      (other) => other.target === record.target && isOpen(other) && other.expiresAt > now,
    );
    if (!hasOpen) this.records.set(record.id, record);
    return Promise.resolve(!hasOpen);
  }

  update(
    id: string,
    change: (record: ApprovalRecord) => ApprovalRecord | null,
  ): Promise<Updated | null> {
    const record = this.records.get(id);
    if (!record) return Promise.resolve(null);
    const changed = change(record);
    if (changed !== null) this.records.set(id, changed);
    return Promise.resolve({ record: changed ?? record, isChanged: changed !== null });
  }
}
