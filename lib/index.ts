// What `import 'passport-backup-code'` gives: a table of contents. Loads no database driver and no web framework.
export {
  BackupCodeStrategy,
  BackupCodeStrategy as Strategy,
  BackupCodeStrategy as default,
} from './strategy/strategy';
export type { BackupCodeFailure, BackupCodeInfo } from './strategy/answers';
export type { BackupCodeStrategyOptions, ConsumeResult, Done, Verify } from './strategy/options';
export { BackupCodes } from './backup-codes';
export type { IssuedSet, SetStatus } from './backup-codes';
export type { BackupCodesOptions, Risk, RiskAttempt } from './config';
export type { AttemptOptions } from './attempts';
export type { Outcome } from './consume';
export type { CleanContext, Context, Door } from './context';
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
} from './events';
export { defineFormat, formats } from './formats';
export type { Format, FormatDefinition } from './formats';
export { bcryptHasher } from './hashers/bcrypt';
export { fastHasher } from './hashers/fast';
export { pbkdf2Hasher } from './hashers/pbkdf2';
export { scryptHasher } from './hashers/scrypt';
export type { Hasher } from './hashers/hasher';
export type { Pepper } from './pepper';
export type { EventsQuery } from './reports';
export type { CodeRecord } from './scheme';
export { MemoryStore } from './stores/memory';
export type {
  BackupCodeReports,
  DayCounts,
  DueSet,
  EventsPage,
  Reminder,
  Report,
  ReportQuery,
} from './stores/reports';
export type {
  BackupCodeStore,
  ClosedDoor,
  Consumption,
  CurrentSet,
  FoundUser,
  NewSet,
  SetHeader,
  StoredCode,
  TakenAttempt,
  Ticket,
} from './stores/store';
export type { Subject, UserId } from './subject';
