// What `import 'passport-backup-code'` gives: a table of contents. Loads no database driver and no
// web framework.
export {
  BackupCodeStrategy,
  BackupCodeStrategy as Strategy,
  BackupCodeStrategy as default,
} from './strategy/strategy';
export type { BackupCodeFailure, BackupCodeFailureCode, BackupCodeInfo } from './strategy/outcomes';
export type {
  BackupCodeStrategyOptions,
  ConsumeResult,
  Done,
  Verify,
  VerifyWithRequest,
} from './strategy/options';
export type { PassportOptions } from './strategy/passport-options';
export { BackupCodes } from './service/backup-codes';
export type { AdoptOptions, ConsumedCode, IssuedSet } from './service/backup-codes';
export type { ForgetOptions, UnlockContext } from './service/account';
export type { SetStatus } from './service/set-status';
export type { BackupCodesOptions, Risk, RiskAttempt } from './service/options';
export type { AttemptOptions } from './service/back-off';
export type { Consumed, NotConsumed, Outcome } from './service/outcome';
export type { Audit, EventsQuery, PruneOptions, RecordedEvent } from './service/audit';
export type { Channel, CleanContext, ConsumeContext, Context } from './audit/context';
export type {
  AuditEvent,
  AuditEventType,
  EventDetails,
  EventReason,
  EventType,
  Reason,
  SetFault,
} from './audit/events';
export type { ErrorListener, Listener } from './audit/listeners';
export { BackupCodeError } from './errors';
export type { BackupCodeErrorCode } from './errors';
export { defineFormat, formats } from './codes/formats';
export type { Format, FormatDefinition } from './codes/formats';
export { bcryptHasher } from './codes/hashers/bcrypt';
export type { BcryptHasherOptions } from './codes/hashers/bcrypt';
export { fastHasher } from './codes/hashers/fast';
export { pbkdf2Hasher } from './codes/hashers/pbkdf2';
export type { Pbkdf2HasherOptions } from './codes/hashers/pbkdf2';
export { scryptHasher } from './codes/hashers/scrypt';
export type { ScryptHasherOptions } from './codes/hashers/scrypt';
export type { Hasher } from './codes/hashers/hasher';
export type { Pepper } from './codes/pepper';
export { pepperFromEnv } from './codes/pepper-from-env';
export type { CodeRecord } from './codes/digests';
export { MemoryStore } from './stores/memory';
export type { BackupCodeStore } from './stores/contract';
export type {
  ActivateRequest,
  AttemptCounter,
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  Consumption,
  CountRequest,
  CurrentSet,
  ForgetRequest,
  FoundUser,
  GiveBackRequest,
  LockedChannel,
  Milestone,
  NewSet,
  ReplaceRequest,
  RevokeRequest,
  SetHeader,
  SetWithCodes,
  StageRequest,
  StoredCode,
  Ticket,
  UnlockRequest,
} from './stores/requests';
export type {
  BackupCodeAudit,
  DayCounts,
  DueSet,
  EventsPage,
  EventsRequest,
  PruneRequest,
  RemindersRequest,
  Report,
  ReportRequest,
  UnusualAddress,
  UnusualUser,
} from './stores/audit-contract';
export type {
  BackupCodeReplay,
  ReplayedChange,
  ReplayedEvents,
  ReplayEffect,
  ReplayRequest,
  ReplayStep,
} from './stores/replay-contract';
export type { ExportedEvents, ReplayResult } from './service/replay';
export type { Subject, UserId, UserSubject } from './stores/subject';
