// Refuses unknown options, and describes what was given without a secret. A file of its own,
// because the React component loads it into browsers and needs no other check.
import { BackupCodeError } from '../errors';

/**
 * Refuses a value that is not an object, and an option that is not in `known`. For a likely typing
 * mistake the message asks "Did you mean …?".
 *
 * @param where what takes the options, as the caller knows it
 * @throws {BackupCodeError} `invalid_option`
 */
export function assertOptions(where: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new BackupCodeError(
      'invalid_option',
      `${where} takes an options object, but was given ${kindOf(options)}.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = known.find((other) => isNear(other, name));
    const hint = near === undefined ? `It knows ${known.join(', ')}.` : `Did you mean "${near}"?`;
    throw new BackupCodeError('invalid_option', `${where} has no option "${name}". ${hint}`);
  }
}

/** The value if it is a number or a boolean, or else only its kind: it may be a secret. */
export function describe(value: unknown): string {
  if (value === '') return 'an empty string';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value === undefined) return 'undefined';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Another case, the start of the name, two swapped letters, or one letter too many or too few. */
function isNear(known: string, given: string): boolean {
  const a = known.toLowerCase();
  const b = given.toLowerCase();
  if (a.startsWith(b) || b.startsWith(a)) return true;
  if (sortLetters(a) === sortLetters(b)) return true;
  const longer = a.length > b.length ? a : b;
  const shorter = a.length > b.length ? b : a;
  return Array.from(longer).some((_, at) => longer.slice(0, at) + longer.slice(at + 1) === shorter);
}

function sortLetters(name: string): string {
  return Array.from(name).sort().join('');
}
