// What `import 'passport-backup-code/siem'` gives: an audit event in three vocabularies, and the list of event types.
// Sends nothing anywhere.
export { EVENT_TYPES } from '../audit/events';
export { toEcs } from './ecs';
export type { EcsEvent } from './ecs';
export { toOcsf } from './ocsf';
export type { OcsfEvent } from './ocsf';
export { toOwasp } from './owasp';
export type { OwaspEvent } from './owasp';
export type { VocabularyOptions } from './facts';
