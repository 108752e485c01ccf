// `passport-backup-code/express`: logins of two steps, guards, and a router for the user's own
// codes. Needs Express, Passport and express-session.
// The declarations use Express.User, which @types/passport declares.
/// <reference types="passport" preserve="true" />
export { beginLogin, type BeginLoginOptions } from './begin-login';
export { pendingLogin, type PendingLogin, type PendingLoginOptions } from './pending-login';
export { completeLogin, type CompletedLogin, type CompleteLoginOptions } from './complete-login';
export { endLogin } from './end-login';
export { requireAssurance, type AssuranceOptions } from './require-assurance';
export type { AssuranceFacts } from './assurance-guard';
export type { NotBefore } from './login-age';
export {
  requireFreshSecondFactor,
  type FreshSecondFactorOptions,
} from './require-fresh-second-factor';
export { requireEnrollment, type EnrollmentOptions } from './require-enrollment';
export { safeReturnTo } from './return-to';
export { backupCodesRouter, type BackupCodesRouterOptions } from './backup-codes-router';
export type { RouterErrorCode } from './router-answers';
export {
  backupCodesOpenApi,
  type BackupCodesOpenApiOptions,
  type OpenApiDescription,
} from './backup-codes-openapi';
