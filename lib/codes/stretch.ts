// Calls the slow hash of a code, with a time limit. The app's own hasher is not trusted: it may
// return too few bytes, or never answer.
import { BackupCodeError } from '../errors';
import { withinSeconds } from '../internal/time-limit';
import { describe } from '../internal/validate';
import type { Hasher } from './hashers/hasher';

/** 128 bits: no two codes of a set may share a hash by chance. */
const MIN_HASH_BYTES = 16;
/**
 * Several times as long as the costliest parameters take. Without a limit, a hash that hangs keeps
 * its place in the hash queue.
 */
const MAX_HASH_SECONDS = 30;

/** What is hashed. */
export interface StretchInput {
  /** The bare symbols, as `readCode` returns them. */
  readonly code: string;
  /** The salt string of the set, parameters included. */
  readonly salt: string;
}

/**
 * The slow hash of a code. A hash that is given up may still run and occupy a thread: that is
 * better than a process in which no user can log in.
 *
 * @throws {BackupCodeError} `hash_timeout` after 30 seconds, `invalid_result` if the hasher returns
 *   fewer than 16 bytes
 */
export async function stretch(hasher: Hasher, { code, salt }: StretchInput): Promise<Uint8Array> {
  const hash: unknown = await withinSeconds(MAX_HASH_SECONDS, {
    call: () => hasher.hash(code, salt),
    late: () =>
      new BackupCodeError(
        'hash_timeout',
        `A slow hash took longer than ${MAX_HASH_SECONDS} seconds.`,
      ),
  });
  if (!(hash instanceof Uint8Array) || hash.length < MIN_HASH_BYTES) {
    const what = hash instanceof Uint8Array ? `${hash.length} bytes` : describe(hash);
    throw new BackupCodeError(
      'invalid_result',
      `A hasher must return ${MIN_HASH_BYTES} bytes or more. hash() returned ${what}.`,
    );
  }
  return hash;
}
