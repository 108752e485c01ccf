// Warns of what an integrator forgot, at the request that would otherwise only be refused. Refuses
// nothing itself, and repeats nothing that a client sent.
import type { Request } from 'express';
import { warnOfMistake } from '../internal/warn-once';
import { findExplanation, hasPendingLogin } from './pending-lookup';

/** Names that login forms give to the field of the code. Only these are repeated in a warning. */
const COMMON_FIELD_NAMES = [
  ...['backupCode', 'backup_code', 'backup-code', 'recoveryCode', 'recovery_code', 'otp', 'totp'],
  ...['token', 'pin', 'passcode', 'verificationCode', 'user', 'email', 'login', 'userName', 'name'],
];

const PENDING_USER =
  'currentUser: (req) => { const pending = pendingLogin(req); ' +
  'return pending && users.byId(pending.userId); }';

/** A code was sent, and there is no user that it could belong to. */
export function warnOfMissingUser(
  req: Request,
  { hasCurrentUser, user }: { hasCurrentUser: boolean; user: unknown },
): void {
  if (!hasCurrentUser) {
    warnOfMistake(
      'BACKUP_CODE_NO_CURRENT_USER',
      'BackupCodeStrategy has no currentUser (it is missing or undefined), and req.user is ' +
        `empty. After beginLogin no user is logged in yet, so give the strategy ${PENDING_USER}. ` +
        'If users are logged in when they enter a code, mount passport.session() before the route.',
    );
    return;
  }
  if (hasPendingLogin(req) || user === undefined) {
    warnOfMistake(
      'BACKUP_CODE_CURRENT_USER_EMPTY',
      `currentUser returned ${user === undefined ? 'undefined' : 'no user'}` +
        `${hasPendingLogin(req) ? ', although this session has a pending login' : ''}. ` +
        `It must return the user, or null without a pending login. Write ${PENDING_USER}, and check ` +
        'that byId finds the id that beginLogin was given.',
    );
    return;
  }
  findExplanation(req)?.();
}

/** A field of the body is missing. */
export function warnOfMissingField(
  { body, headers }: Request,
  { option, field }: { option: 'codeField' | 'usernameField'; field: string },
): void {
  const given: unknown = body;
  const hasBody =
    headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 2; // more than {}
  if (typeof given !== 'object' || given === null || Object.keys(given).length === 0) {
    if (!hasBody) return;
    warnOfMistake(
      'BACKUP_CODE_NO_BODY_PARSER',
      'The request has a body, but req.body has no fields: no body parser read it. Write ' +
        'app.use(express.urlencoded({ extended: false })) for forms, or ' +
        'app.use(express.json()) for JSON, before the route.',
    );
    return;
  }
  if (Object.hasOwn(given, field)) return;
  const likely = COMMON_FIELD_NAMES.find((name) => Object.hasOwn(given, name));
  warnOfMistake(
    'BACKUP_CODE_FIELD_NAME',
    `The body has no field "${field}". ` +
      (likely === undefined
        ? `Name the field of the form "${field}", or give the strategy ${option}.`
        : `It has "${likely}": write ${option}: '${likely}', or rename it to "${field}".`),
  );
}
