// Compares a typed code with every code of a set: one slow hash, then one digest a code. A user
// without a set is compared with a dummy set of the newest hasher, so that the work does not tell
// whether a user, a set or a code exists. A set of an older hasher may take a different time.
import { randomBytes } from 'node:crypto';
import type { Channel } from '../audit/context';
import {
  checkOf,
  findMatch,
  keyStretched,
  recordCode,
  type CodeRecord,
  type SetBinding,
} from '../codes/digests';
import { parseFormat, serializeFormat, showCode, type Format } from '../codes/formats';
import { readCode } from '../codes/read-code';
import { generateCodes } from '../codes/generate';
import { isAllowedOn } from '../codes/guessing';
import { runInHashQueue, type HashPlace } from '../codes/hash-queue';
import { freshSalt, hasherFor, type Hasher } from '../codes/hashers/hasher';
import { stretch } from '../codes/stretch';
import { BackupCodeError } from '../errors';
import type { SetWithCodes, StoredCode } from '../stores/requests';
import { assertReadableSet } from '../stores/stored-set';
import type { Config } from './config';

/**
 * What was typed, and how it reads under each listed format: `null` if it does not fit, or if the
 * channel does not read the format.
 */
export interface TypedCode {
  readonly typed: unknown;
  readonly readings: readonly (string | null)[];
}

export interface ComparisonRequest extends TypedCode {
  readonly set: SetWithCodes;
  /** Empty for the dummy set. */
  readonly userId: string;
  /** Whose attempt this is: the key of the user, or of the unknown user name. */
  readonly subjectKey: string;
  readonly channel: Channel;
  /** Called as soon as no code matches. From then on the attempt is not given back. */
  readonly onRefusal: () => void;
}

/** A new code for the user, and its record for the store. */
export interface Replacement {
  readonly code: string;
  readonly record: CodeRecord;
}

export interface Comparison {
  readonly match: StoredCode | null;
  readonly replacement: Replacement | null;
}

/** A set's hashing: from bare symbols to the keyed value that its digests are made of. */
interface SetHashing {
  readonly format: Format;
  readonly hasher: Hasher;
  readonly pepperKey: Uint8Array;
  readonly binding: SetBinding;
}

/** A replacement equals a code of the set with a chance of about one in a thousand at most. */
const MAX_DRAWS = 5;

/**
 * Damaged stored data shows as an error before the hash.
 *
 * @throws {BackupCodeError} `unknown_pepper`, `wrong_pepper`, `unreadable_hash`, `unreadable_set`,
 * `invalid_result`, `hash_timeout`
 */
export async function compare(config: Config, request: ComparisonRequest): Promise<Comparison> {
  const { set, userId, subjectKey, channel } = request;
  assertReadableSet(set);
  const { namespace } = config;
  const { setId, salt, pepperId, check } = set;
  const listed = config.formatDefinitions.indexOf(set.format);
  const format = config.formats[listed] ?? parseFormat(set.format);
  const reading = listed === -1 ? readUnlisted(format, request) : request.readings[listed];
  const hashing: SetHashing = {
    format,
    hasher: hasherFor(config.hashers, { salt, bits: format.bits }),
    pepperKey: config.pepper.keyOf({ pepperId, check, namespace, userId, setId }),
    binding: { namespace, userId, setId, salt },
  };
  // A code that does not fit the set's own format is hashed all the same, and matches nothing.
  const symbols = reading ?? request.readings.find((other) => other !== null) ?? '';

  return runInHashQueue({ channel, subjectKey, ...config.hashQueue }, async (place) => {
    const found = findMatch(await keyedValue(hashing, symbols), set.codes);
    const match = reading === null ? null : found;
    const isConsumable = match !== null && match.consumedAt === null;
    if (!isConsumable) request.onRefusal();
    if (!isConsumable || !isReplaced(config, set)) return { match, replacement: null };
    return { match, replacement: await makeReplacement(hashing, set.codes, place) };
  });
}

/** After `maxReplacements` consumed codes a set counts down, like one without replacements. */
function isReplaced({ maxReplacements }: Config, { total, remaining }: SetWithCodes): boolean {
  return total - remaining < maxReplacements;
}

/** A set may have a format that is no longer listed. The channel's rule holds for it as well. */
function readUnlisted(format: Format, { typed, channel }: ComparisonRequest): string | null {
  return isAllowedOn(channel, format) ? readCode(format, typed) : null;
}

/** A code that the set does not have and never had: a spent code must not come back. */
async function makeReplacement(
  hashing: SetHashing,
  codes: readonly StoredCode[],
  place: HashPlace,
): Promise<Replacement> {
  for (let draws = 0; draws < MAX_DRAWS; draws += 1) {
    await place.yield();
    const [symbols = ''] = generateCodes(hashing.format, 1);
    const keyed = await keyedValue(hashing, symbols);
    if (findMatch(keyed, codes) === null) {
      return { code: showCode(hashing.format, symbols), record: recordCode(keyed) };
    }
  }
  throw new BackupCodeError('invalid_result', 'A hasher gave the same hash for several codes.');
}

async function keyedValue(hashing: SetHashing, symbols: string): Promise<Buffer> {
  const { hasher, pepperKey, binding } = hashing;
  const stretched = await stretch(hasher, { code: symbols, salt: binding.salt });
  return keyStretched(stretched, pepperKey, binding);
}

/**
 * Stands in for the set of a user who has none. It has as many codes as a new set, and none of them
 * can match.
 */
export function dummySet(config: Config): SetWithCodes {
  const { formats, hashers, pepper, count, namespace } = config;
  const setId = randomBytes(16).toString('hex');
  const keyed = randomBytes(32);
  return {
    setId,
    format: serializeFormat(formats[0]),
    salt: freshSalt(hashers[0]),
    pepperId: pepper.newest.id,
    check: checkOf(pepper.newest.key, { namespace, userId: '', setId }),
    total: count,
    remaining: count,
    createdAt: 0,
    expiresAt: null,
    lastConsumedAt: null,
    codes: Array.from({ length: count }, () => ({
      ...recordCode(keyed),
      consumedAt: null,
      consumptionId: null,
    })),
  };
}
