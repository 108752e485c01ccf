// Reads the audit trail of a store, if it has one that can be read.
import type { AuditEvent } from '../audit/events';
import { AUDIT_METHODS, type BackupCodeAudit } from '../stores/audit-contract';
import type { BackupCodeStore } from '../stores/contract';

/** The methods of the audit trail; `null` if the store does not have them all. */
export function auditOf(store: BackupCodeStore): BackupCodeAudit | null {
  const given = store as Partial<BackupCodeAudit>;
  const hasAll = AUDIT_METHODS.every((method) => typeof given[method] === 'function');
  return hasAll ? (given as BackupCodeAudit) : null;
}

/** The newest hundred events of a namespace, the newest first: in this order none is withheld. */
export async function newestEvents(
  audit: BackupCodeAudit,
  namespace: string | null,
): Promise<readonly AuditEvent[]> {
  const page = await audit.readEvents({
    namespace,
    subject: null,
    types: null,
    order: 'newest-first',
    after: null,
    limit: 100,
  });
  return page.events;
}
