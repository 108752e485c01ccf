// Makes a set: codes for the user, records for the store. Stores nothing.
import { randomBytes } from 'node:crypto';
import {
  checkOf,
  findMatch,
  keyStretched,
  recordCode,
  type CodeRecord,
  type SetBinding,
} from '../codes/digests';
import { serializeFormat, showCode, type Format } from '../codes/formats';
import { generateCodes } from '../codes/generate';
import { runInHashQueue } from '../codes/hash-queue';
import { freshSalt, type Hasher } from '../codes/hashers/hasher';
import { stretch } from '../codes/stretch';
import { BackupCodeError } from '../errors';
import { DAY_MS } from '../internal/time';
import type { SetHeader } from '../stores/requests';
import type { UserSubject } from '../stores/subject';
import type { Config } from './config';

/** A set that is not stored yet. */
export interface MadeSet {
  readonly header: SetHeader;
  readonly records: readonly CodeRecord[];
  /** As the user sees them, such as `XXXX-XXXX`. They are kept nowhere else. */
  readonly codes: string[];
}

/** Codes as bare symbols, and the format they are shown in. */
export interface NewCodes {
  readonly format: Format;
  readonly symbols: readonly string[];
}

/** New codes of the newest format. */
export function newCodes({ formats, count }: Config): NewCodes {
  const [format] = formats;
  return { format, symbols: generateCodes(format, count) };
}

/**
 * The set takes one place in the hash queue, and lets others run between two hashes. While a second
 * place is free, two codes are hashed at once: as many as one user may have.
 *
 * @throws {BackupCodeError} `busy`, `invalid_hasher`, `invalid_result`, `hash_timeout`
 */
export async function makeSet(
  config: Config,
  { key: subjectKey, userId, namespace }: UserSubject,
  { format, symbols }: NewCodes,
): Promise<MadeSet> {
  const { newest } = config.pepper;
  const hasher = hasherOf(config, format);
  const setId = randomBytes(16).toString('hex');
  const binding: SetBinding = { namespace, userId, setId, salt: freshSalt(hasher) };
  const keyOf = async (code: string): Promise<Buffer> =>
    keyStretched(await stretch(hasher, { code, salt: binding.salt }), newest.key, binding);
  const records = await runInHashQueue(
    { channel: 'second_factor', subjectKey, ...config.hashQueue },
    async (place) => {
      const made: CodeRecord[] = [];
      const rest = [...symbols];
      for (let code = rest.shift(); code !== undefined; code = rest.shift()) {
        if (made.length > 0) await place.yield();
        const hashes = [keyOf(code)];
        const [next] = rest;
        const beside = next === undefined ? null : place.runBeside(() => keyOf(next));
        if (beside !== null) {
          rest.shift();
          hashes.push(beside);
        }
        for (const keyed of await resultsOf(hashes)) {
          // The codes of a set differ. A hasher that gives two of them one hash would accept
          // anything.
          if (findMatch(keyed, made) !== null) {
            throw new BackupCodeError(
              'invalid_result',
              'A hasher gave the same hash for two codes.',
            );
          }
          made.push(recordCode(keyed));
        }
      }
      return made;
    },
  );
  const { expiresAfterDays } = config;
  const createdAt = config.now();
  const header: SetHeader = {
    setId,
    format: serializeFormat(format),
    salt: binding.salt,
    pepperId: newest.id,
    check: checkOf(newest.key, binding),
    total: symbols.length,
    createdAt,
    expiresAt: expiresAfterDays === null ? null : createdAt + expiresAfterDays * DAY_MS,
  };
  return { header, records, codes: symbols.map((code) => showCode(format, code)) };
}

/** Waits for all, even if one fails: a place must not be given up while its hash runs. */
async function resultsOf<T>(hashes: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(hashes);
  return Promise.all(hashes);
}

/**
 * The newest hasher that accepts codes of this length: adopted codes may be too short for the first
 * one.
 */
function hasherOf({ hashers }: Config, format: Format): Hasher {
  return hashers.find(({ minimumBits = 0 }) => minimumBits <= format.bits) ?? hashers[0];
}
