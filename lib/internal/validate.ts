// Checks of options at construction: each says which option, what was given and what was meant. Reads no environment.
import { BackupCodeError, type BackupCodeErrorCode } from '../errors';

/** Refuses a value that is no plain options object, and any name that is not in `known` ("did you mean"). */
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

/** Returns the number if it is a whole one within the range, or `fallback` where it was left out. */
export function wholeNumber(
  name: string,
  given: unknown,
  {
    min,
    max,
    fallback,
    code = 'invalid_option',
  }: { min: number; max: number; fallback: number; code?: BackupCodeErrorCode },
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

/** Returns the function, or `undefined` where it was left out. */
export function optionalFunction<F>(name: string, given: F | undefined): F | undefined {
  if (given !== undefined && typeof given !== 'function') {
    throw new BackupCodeError(
      'invalid_option',
      `${name} must be a function, but was ${kindOf(given)}.`,
    );
  }
  return given;
}

/** Refuses a value that lacks one of the methods of a contract. */
export function assertMethods(
  name: string,
  given: unknown,
  methods: readonly string[],
  code: BackupCodeErrorCode = 'invalid_option',
): void {
  if (typeof given !== 'object' || given === null) {
    throw new BackupCodeError(
      code,
      `${name} must be an object with ${methods.join(', ')}, but was ${kindOf(given)}.`,
    );
  }
  const missing = methods.filter((method) => typeof Reflect.get(given, method) !== 'function');
  if (missing.length > 0)
    throw new BackupCodeError(
      code,
      `${name} lacks the method${missing.length > 1 ? 's' : ''} ${missing.join(', ')}.`,
    );
}

/** A number as it was given; anything else by its kind alone, so that no secret gets into a message. */
export function describe(value: unknown): string {
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (value === undefined) return 'undefined';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Same letters but for case, or one inserted, missing or swapped: enough to catch a typing mistake. */
function isNear(known: string, given: string): boolean {
  const [a, b] = [known.toLowerCase(), given.toLowerCase()];
  if (a === b || a.startsWith(b) || b.startsWith(a)) return true;
  if (sorted(a) === sorted(b)) return true;
  const [longer, shorter] = a.length > b.length ? [a, b] : [b, a];
  return Array.from(longer).some((_, at) => longer.slice(0, at) + longer.slice(at + 1) === shorter);
}

function sorted(text: string): string {
  return Array.from(text).sort().join('');
}
