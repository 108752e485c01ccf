// Makes a set: codes for the person, records for the store. Stores nothing itself.
import { randomBytes } from 'node:crypto';
import type { Config } from './config';
import { BackupCodeError } from './errors';
import { serializeFormat, showCode } from './formats';
import { generateCodes } from './generate';
import { GateBusy, inGate } from './hash-gate';
import type { Hasher } from './hashers/hasher';
import { checkOf, keyStretched, recordCode, type CodeRecord, type SetBinding } from './scheme';
import type { SetHeader } from './stores/store';

const DAY_MS = 86_400_000;
const MIN_HASH_BYTES = 16;

/** A set that nobody has stored yet. */
export interface MadeSet {
  readonly header: SetHeader;
  readonly records: readonly CodeRecord[];
  /** As they are shown, `XXXX-XXXX`; the only place where they are. */
  readonly codes: string[];
}

/** One place in the gate serves the whole set; others may go between its hashes. @throws {BackupCodeError} `busy` */
export async function makeSet(config: Config, userId: string): Promise<MadeSet> {
  const [format] = config.formats;
  const [hasher] = config.hashers;
  const { newest } = config.pepper;
  const binding: SetBinding = { userId, setId: randomBytes(16).toString('hex'), salt: hasher.newSalt() };
  const symbols = generateCodes(format, config.count);
  const records = await inGate('first-factor', config.gate, async (place) => {
    const made: CodeRecord[] = [];
    for (const code of symbols) {
      if (made.length > 0) await place.yield();
      made.push(recordCode(keyStretched(await stretch(hasher, code, binding.salt), newest.key, binding)));
    }
    return made;
  }).catch((error: unknown) => {
    if (error instanceof GateBusy) throw new BackupCodeError('busy', 'Too many slow hashes are waiting; try again in a few seconds.');
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
      total: config.count,
      createdAt,
      expiresAt: config.expiresAfterDays === null ? null : createdAt + config.expiresAfterDays * DAY_MS,
    },
    records,
    codes: symbols.map((code) => showCode(format, code)),
  };
}

/** The slow hash; an app's own hasher is not trusted to give enough. @throws {BackupCodeError} `invalid_result` */
export async function stretch(hasher: Hasher, code: string, salt: string): Promise<Uint8Array> {
  const hash: unknown = await hasher.hash(code, salt);
  if (!(hash instanceof Uint8Array) || hash.length < MIN_HASH_BYTES) {
    throw new BackupCodeError('invalid_result', `A hasher must return ${MIN_HASH_BYTES} bytes or more.`);
  }
  return hash;
}
