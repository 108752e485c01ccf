// The event types that the vocabularies know: those of the core and of two-person approval.
import { APPROVAL_EVENT_TYPES, type ApprovalEventType } from '../approval/approval-events';
import { EVENT_TYPES as CORE_EVENT_TYPES, type EventType } from '../audit/events';

/** A type of the core or of two-person approval. */
export type KnownEventType = EventType | ApprovalEventType;

/**
 * Every event type of this package: those of the core and of `passport-backup-code/approval`. Types
 * are only ever added. Your own types, which begin with `app_`, are not in this list.
 *
 * @example
 * for (const type of EVENT_TYPES) {
 *   backupCodes.on(type, (event) => log.info(toEcs(event, { appId: 'shop' })));
 * }
 */
export const EVENT_TYPES: readonly KnownEventType[] = [
  ...CORE_EVENT_TYPES,
  ...APPROVAL_EVENT_TYPES,
];

const knownTypes: ReadonlySet<string> = new Set(EVENT_TYPES);

export function isKnownEventType(type: string): type is KnownEventType {
  return knownTypes.has(type);
}
