// Salt strings in the PHC string format: `$scheme$name=value,…$salt`. Hashes nothing.
import { randomBytes } from 'node:crypto';
import { BackupCodeError } from '../../errors';

const SALT_BYTES = 16;

/** The lowest and the highest accepted value of each parameter, in the order of the string. */
export type ParameterRanges<Name extends string> = Readonly<
  Record<Name, readonly [min: number, max: number]>
>;

/** A salt string in its parts. */
export interface ParsedSalt<Name extends string> {
  readonly parameters: Readonly<Record<Name, number>>;
  readonly salt: Buffer;
}

/** The salt strings of one scheme. */
export interface SaltScheme<Name extends string> {
  /** A salt string with these parameters and 16 random bytes. */
  create(parameters: Readonly<Record<Name, number>>): string;
  /** Whether it is of this scheme, with every parameter in its range. Never throws. */
  accepts(text: string): boolean;
  /** @throws {BackupCodeError} `unreadable_hash` if it is not accepted */
  parse(text: string): ParsedSalt<Name>;
}

/**
 * @param scheme the identifier, with a version if there is one: `argon2id$v=19`
 * @param ranges limits for writing and for reading: a database row is input too
 */
export function saltScheme<Name extends string>(
  scheme: string,
  ranges: ParameterRanges<Name>,
): SaltScheme<Name> {
  const names = Object.keys(ranges) as Name[];
  const pattern = patternOf(scheme, names);
  const read = (text: string): ParsedSalt<Name> | null => {
    const found = pattern.exec(text);
    if (found === null) return null;
    const parameters = {} as Record<Name, number>;
    for (const [index, name] of names.entries()) {
      const [min, max] = ranges[name];
      const value = Number(found[index + 1]);
      if (value < min || value > max) return null;
      parameters[name] = value;
    }
    return { parameters, salt: Buffer.from(found.at(-1) ?? '', 'base64') };
  };
  return {
    create: (parameters) => {
      const list = names.map((name) => `${name}=${parameters[name]}`).join(',');
      const salt = randomBytes(SALT_BYTES).toString('base64').replace(/=+$/, '');
      return ['', scheme, ...(list === '' ? [] : [list]), salt].join('$');
    },
    accepts: (text) => read(text) !== null,
    parse: (text) => {
      const parsed = read(text);
      if (parsed !== null) return parsed;
      throw new BackupCodeError(
        'unreadable_hash',
        `This is not a salt string of ${scheme}, or its parameters are out of range.`,
      );
    },
  };
}

/** 22 characters are 16 bytes in Base64 without padding. */
function patternOf(scheme: string, names: readonly string[]): RegExp {
  const parameters = names.map((name) => `${name}=(\\d{1,9})`).join(',');
  const parts = [scheme.replaceAll('$', '\\$'), parameters, '([A-Za-z0-9+/]{22})'];
  return new RegExp(`^\\$${parts.filter((part) => part !== '').join('\\$')}$`);
}
