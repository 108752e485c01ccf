// What `import 'passport-backup-code/siem'` gives: an audit event in three vocabularies, and the
// list of event types. Sends nothing.
export { EVENT_TYPES } from './event-types';
export type { KnownEventType } from './event-types';
export { toEcs } from './ecs';
export type { EcsEvent } from './ecs';
export { toOcsf } from './ocsf';
export type { OcsfEvent, OcsfSeverity } from './ocsf-event';
export { toOwasp } from './owasp';
export type { OwaspEvent } from './owasp';
export type { UnmappedFields, VocabularyOptions } from './event-description';
