// Salt strings of the PHC kind: `$scheme$name=value,…$salt`. Reads and writes them; hashes nothing.
import { randomBytes } from 'node:crypto';

const SALT_BYTES = 16;

export interface SaltText {
  readonly params: Readonly<Record<string, number>>;
  readonly salt: Buffer;
}

/** Parameters and a fresh salt of 16 random bytes. */
export function writeSalt(scheme: string, params: Readonly<Record<string, number>>): string {
  const list = Object.entries(params).map(([name, value]) => `${name}=${value}`);
  return [
    '',
    scheme,
    ...(list.length > 0 ? [list.join(',')] : []),
    randomBytes(SALT_BYTES).toString('base64').replace(/=+$/, ''),
  ].join('$');
}

/** `null` unless it is of this scheme, has just these parameters, each within its range, and a salt as long as ours. */
export function readSalt(
  text: string,
  scheme: string,
  ranges: Readonly<Record<string, readonly [min: number, max: number]>>,
): SaltText | null {
  const names = Object.keys(ranges);
  const pattern = [
    '',
    scheme.replaceAll('$', '\\$'),
    ...(names.length > 0 ? [names.map((name) => `${name}=(\\d{1,9})`).join(',')] : []),
    '([A-Za-z0-9+/]{22})',
  ].join('\\$');
  const found = new RegExp(`^${pattern}$`).exec(text);
  if (found === null) return null;
  const params = Object.fromEntries(names.map((name, index) => [name, Number(found[index + 1])]));
  const isInRange = names.every((name) => {
    const [min, max] = ranges[name] ?? [0, 0];
    const value = params[name] ?? NaN;
    return value >= min && value <= max;
  });
  return isInRange ? { params, salt: Buffer.from(found[names.length + 1] ?? '', 'base64') } : null;
}
