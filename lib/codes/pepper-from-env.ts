// Reads the peppers of an app from a variable of its environment, as `new-pepper` prints them. No
// message shows the value.
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { MIN_KEY_BYTES, type Pepper } from './pepper';

const HINT =
  'Run npx passport-backup-code new-pepper, and put what it prints (ID:BASE64) into the variable, ' +
  'from your secret store.';

/**
 * Returns the peppers in a variable of the environment: `2026:mX3v…=`, or a comma-separated list
 * with the newest first, such as `2026:mX3v…=,2025:Zk0c…=,none`.
 *
 * @example
 * ```ts
 * new BackupCodes({ store, pepper: pepperFromEnv('BACKUP_CODE_PEPPER') });
 * ```
 * @param name the name of the variable
 * @throws {BackupCodeError} `invalid_pepper` if the variable is not set or is empty, or if a part
 * of it is not a pepper. The message names the variable and the fix, and never its value
 * @throws {BackupCodeError} `invalid_option` if `name` is not a string
 */
export function pepperFromEnv(name: string): readonly Pepper[] {
  if (typeof name !== 'string' || name === '') {
    throw new BackupCodeError(
      'invalid_option',
      "pepperFromEnv takes the name of a variable, such as 'BACKUP_CODE_PEPPER', but was given " +
        `${describe(name)}.`,
    );
  }
  const value = process.env[name]?.trim();
  if (!value)
    throw invalid(`The variable ${name} is ${value === '' ? 'empty' : 'not set'}. ${HINT}`);
  return value
    .split(',')
    .map((entry, index) => readEntry(entry.trim(), `Entry ${index + 1} of the variable ${name}`));
}

function readEntry(entry: string, place: string): Pepper {
  if (entry === 'none') return { id: 'none' };
  const [, id, encoded = ''] = /^([\w.-]{1,64}):([A-Za-z0-9+/_-]+={0,2})$/.exec(entry) ?? [];
  if (id === undefined || id === 'none') {
    throw invalid(`${place} is not an id, a colon and a key in base64. ${HINT}`);
  }
  const key = Buffer.from(encoded, 'base64');
  if (key.length >= MIN_KEY_BYTES) return { id, key };
  throw invalid(
    `${place} has a key of ${key.length} bytes, and ${MIN_KEY_BYTES} are needed: it was cut off, ` +
      `or is not base64. ${HINT}`,
  );
}

function invalid(message: string): BackupCodeError {
  return new BackupCodeError('invalid_pepper', message);
}
