// Checks of options: each message says which option, what was expected and what was given.
import { BackupCodeError, type BackupCodeErrorCode } from '../errors';

/** The accepted range of a number, and its default. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** What an option that is left out stands for. */
  readonly fallback: number;
  /** @default 'invalid_option' */
  readonly code?: BackupCodeErrorCode;
}

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

/**
 * Returns a whole number within the range, or the default if the option was left out.
 *
 * @throws {BackupCodeError} `invalid_option`, or the code of the range
 */
export function wholeNumber(
  name: string,
  given: unknown,
  { min, max, fallback, code = 'invalid_option' }: NumberRange,
): number {
  if (given === undefined) return fallback;
  if (typeof given !== 'number' || !Number.isSafeInteger(given) || given < min || given > max) {
    throw new BackupCodeError(
      code,
      `${name} must be a whole number from ${min} to ${max}, but was ${describe(given)}.`,
    );
  }
  return given;
}

/**
 * Returns the function, or `undefined` if the option was left out.
 *
 * @throws {BackupCodeError} `invalid_option`
 */
export function optionalFunction<F>(name: string, given: F | undefined): F | undefined {
  if (given !== undefined && typeof given !== 'function') {
    throw new BackupCodeError(
      'invalid_option',
      `${name} must be a function, but was ${kindOf(given)}.`,
    );
  }
  return given;
}

/**
 * Refuses a value that lacks a method of its contract.
 *
 * @throws {BackupCodeError} `invalid_option`, or the given code
 */
export function assertMethods(
  name: string,
  given: unknown,
  methods: readonly string[],
  code: BackupCodeErrorCode = 'invalid_option',
): void {
  if (typeof given !== 'object' || given === null) {
    const isClass = typeof given === 'function' && given.prototype !== undefined;
    const hint = isClass ? ` Make an instance: new ${given.name || 'TheClass'}(…).` : '';
    throw new BackupCodeError(
      code,
      `${name} must be an object with ${methods.join(', ')}, but was ` +
        `${isClass ? 'a class' : kindOf(given)}.${hint}`,
    );
  }
  const missing = methods.filter((method) => typeof Reflect.get(given, method) !== 'function');
  if (missing.length > 0) {
    throw new BackupCodeError(
      code,
      `${name} lacks the method${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`,
    );
  }
}

/** The value if it is a number or a boolean, or else only its kind: it may be a secret. */
export function describe(value: unknown): string {
  if (value === '') return 'an empty string';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}

function kindOf(value: unknown): string {
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
