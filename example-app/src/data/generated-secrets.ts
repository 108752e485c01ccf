// Secrets that are generated on the first start and stored beside the data, so that trying the
// example needs no set-up. Not used in production.
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

/** The secret in `file`, which only this user can read. Creates it if it is missing. */
export function readOrCreateSecret(file: string, make: () => string): string {
  try {
    // `wx` fails if the file exists, so two processes that start at once use the same secret.
    writeFileSync(file, `${make()}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}

export function createSessionSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** In the format of `BACKUP_CODE_PEPPER`. */
export function createPepper(): string {
  return `local:${randomBytes(32).toString('base64')}`;
}
