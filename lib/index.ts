// What `import 'passport-backup-code'` gives: a table of contents. Loads no database driver and no web framework.
export {
  BackupCodeStrategy,
  BackupCodeStrategy as Strategy,
  BackupCodeStrategy as default,
} from './strategy/strategy';
export type { BackupCodeFailure, BackupCodeInfo } from './strategy/outcomes';
export type { BackupCodeStrategyOptions, ConsumeResult, Done, Verify } from './strategy/options';
export { BackupCodes } from './service/backup-codes';
export type { IssuedSet, SetStatus } from './service/backup-codes';
export type { BackupCodesOptions, Risk, RiskAttempt } from './service/options';
export type { AttemptOptions } from './service/back-off';
export type { Outcome } from './service/consume';
export type { CleanContext, Context, Channel } from './audit/context';
export { BackupCodeError } from './errors';
export type { BackupCodeErrorCode } from './errors';
export type {
  ApprovalEventType,
  ApprovalFacts,
  ApprovalReason,
  AuditEvent,
  ErrorListener,
  EventType,
  Listener,
  Reason,
} from './audit/events';
export { defineFormat, formats } from './codes/formats';
export type { Format, FormatDefinition } from './codes/formats';
export { bcryptHasher } from './codes/hashers/bcrypt';
export { fastHasher } from './codes/hashers/fast';
export { pbkdf2Hasher } from './codes/hashers/pbkdf2';
export { scryptHasher } from './codes/hashers/scrypt';
export type { Hasher } from './codes/hashers/hasher';
export type { Pepper } from './codes/pepper';
export type { EventsQuery } from './service/audit';
export type { CodeRecord } from './codes/digests';
export { MemoryStore } from './stores/memory';
export type {
  BackupCodeReports,
  DayCounts,
  DueSet,
  EventsPage,
  Reminder,
  Report,
  ReportQuery,
} from './stores/audit-contract';
export type {
  BackupCodeStore,
  LockedChannel,
  Consumption,
  CurrentSet,
  FoundUser,
  NewSet,
  SetHeader,
  StoredCode,
  TakenAttempt,
  Ticket,
} from './stores/contract';
export type { Subject, UserId } from './stores/subject';
