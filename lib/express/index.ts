// Logging in over two requests, asking how surely somebody did, and a person's own backup codes as JSON: for Express, Passport and express-session.
// Its declarations speak of Express.User, which @types/passport declares.
/// <reference types="passport" preserve="true" />
export {
  beginLogin,
  completeLogin,
  type BeginLoginOptions,
  type CompletedLogin,
  type CompleteLoginOptions,
} from './complete-login';
export { pendingLogin, type PendingLogin, type PendingLoginOptions } from './pending-login';
export { requireAssurance, type AssuranceFacts, type AssuranceOptions } from './require-assurance';
export { requireEnrollment, type EnrollmentOptions } from './require-enrollment';
export { safeReturnTo } from './return-to';
export {
  backupCodesRouter,
  type BackupCodesRouterOptions,
  type RouterErrorCode,
} from './backup-codes-router';
export {
  backupCodesOpenApi,
  type BackupCodesOpenApiOptions,
  type OpenApiDescription,
} from './backup-codes-openapi';
