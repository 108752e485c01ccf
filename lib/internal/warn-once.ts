// Warnings about deployments that weaken the security, and about mistakes of integrators. The
// process continues.
import { addressOf } from '../errors';

const warned = new Set<string>();

/**
 * Emits a process warning, once for each code.
 *
 * @param code a stable word that the README explains
 */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(message, { code });
}

/** What an integrator probably forgot. `docs/errors.md` has a section for each. */
export type MistakeCode =
  | 'BACKUP_CODE_NO_BODY_PARSER'
  | 'BACKUP_CODE_FIELD_NAME'
  | 'BACKUP_CODE_NO_CURRENT_USER'
  | 'BACKUP_CODE_CURRENT_USER_EMPTY'
  | 'BACKUP_CODE_NAME_TWICE'
  | 'BACKUP_CODE_NO_PENDING_LOGIN'
  | 'BACKUP_CODE_NOT_AWAITED'
  | 'BACKUP_CODE_REQ_LOGIN'
  | 'BACKUP_CODE_NO_PASSPORT_SESSION'
  | 'BACKUP_CODE_SECURE_COOKIE';

/** Warns of a likely mistake with its fix, once for each code, and never in production. */
export function warnOfMistake(code: MistakeCode, message: string): void {
  if (process.env['NODE_ENV'] === 'production') return;
  warnOnce(code, `${message} (${addressOf(code)})`);
}
