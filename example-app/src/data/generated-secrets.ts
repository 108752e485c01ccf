// Secrets that are made on the first start and kept beside the data, so that trying the example
// needs no set-up. Not used in production.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/** The secret in `file`, which only this user can read; made where there is none yet. */
export function readOrCreateSecret(file: string, make: () => string): string {
  try {
    // `wx` fails where the file exists: of two processes that start at once, both go on with the
    // same secret.
    writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

export function createSessionSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** As `BACKUP_CODE_PEPPER` wants it. */
export function createPepper(): string {
  return `local:${randomBytes(32).toString('base64')}`;
}
