// Makes a set: codes for the person, records for the store. Stores nothing itself.
import { randomBytes } from 'node:crypto';
import type { Config } from './options';
import { BackupCodeError } from '../errors';
import { serializeFormat, showCode, type Format } from '../codes/formats';
import { generateCodes } from '../codes/generate';
import { GateBusy, inGate } from '../codes/hash-queue';
import { freshSalt } from '../codes/hashers/hasher';
import {
  checkOf,
  findMatch,
  keyStretched,
  recordCode,
  type CodeRecord,
  type SetBinding,
} from '../codes/digests';
import { stretch } from '../codes/stretch';
import type { SetHeader } from '../stores/contract';

const DAY_MS = 86_400_000;

/** A set that nobody has stored yet. */
export interface MadeSet {
  readonly header: SetHeader;
  readonly records: readonly CodeRecord[];
  /** As they are shown, `XXXX-XXXX`; the only place where they are. */
  readonly codes: string[];
}

/** Codes as bare symbols, and what they look like. */
interface NewCodes {
  readonly format: Format;
  readonly symbols: readonly string[];
}

function generate({ formats: [format], count }: Config): NewCodes {
  return { format, symbols: generateCodes(format, count) };
}

/** One place in the gate serves the whole set; others may go between its hashes. @throws {BackupCodeError} `busy`, `invalid_hasher`, `invalid_result`, `hash_timeout` */
export async function makeSet(
  config: Config,
  userId: string,
  { format, symbols }: NewCodes = generate(config),
): Promise<MadeSet> {
  // Adopted codes may be too short for the first one.
  const hasher =
    config.hashers.find(({ minimumBits = 0 }) => minimumBits <= format.bits) ?? config.hashers[0];
  const { newest } = config.pepper;
  const binding: SetBinding = {
    userId,
    setId: randomBytes(16).toString('hex'),
    salt: freshSalt(hasher),
  };
  const records = await inGate('second_factor', config.gate, async (place) => {
    const made: CodeRecord[] = [];
    for (const code of symbols) {
      if (made.length > 0) await place.yield();
      const keyed = keyStretched(await stretch(hasher, code, binding.salt), newest.key, binding);
      // No two codes of a set are alike: such a hasher would let in whoever types anything.
      if (findMatch(keyed, made) !== null)
        throw new BackupCodeError('invalid_result', 'A hasher gave the same hash for two codes.');
      made.push(recordCode(keyed));
    }
    return made;
  }).catch((error: unknown) => {
    if (error instanceof GateBusy)
      throw new BackupCodeError(
        'busy',
        'Too many slow hashes are waiting; try again in a few seconds.',
      );
    throw error;
  });
  const createdAt = config.now();
  return {
    header: {
      setId: binding.setId,
      format: serializeFormat(format),
      salt: binding.salt,
      pepperId: newest.id,
      check: checkOf(newest.key, binding),
      total: symbols.length,
      createdAt,
      expiresAt:
        config.expiresAfterDays === null ? null : createdAt + config.expiresAfterDays * DAY_MS,
    },
    records,
    codes: symbols.map((code) => showCode(format, code)),
  };
}
