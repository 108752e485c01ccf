// Checks of options: each message says which option, what was expected and what was given.
import { BackupCodeError, type BackupCodeErrorCode } from '../errors';
import { describe, kindOf } from './assert-options';

export { assertOptions, describe } from './assert-options';

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
