// How hard a set of codes is to guess: online, within the attempts of a channel, and offline, with
// a copy of the database; and which formats a channel reads.
import type { Channel } from '../audit/context';
import { BackupCodeError } from '../errors';
import type { Format } from './formats';

/** The highest accepted chance that an attacker guesses a code before the channel is locked. */
const MAX_GUESSING_CHANCE = 1e-4;
/** With fewer, a stolen set is guessed offline within hours, unless a pepper prevents it. */
const MIN_POSSIBILITIES_WITHOUT_PEPPER = 2 ** 40;
/** NIST SP 800-63B-4, section 4.2.1.1: a code that is the only proof has at least 64 bits. */
export const MIN_RECOVERY_BITS = 64;

/** What an attacker has to guess. */
export interface GuessingOptions {
  /** Codes in a set. */
  readonly count: number;
  /** Attempts before a channel is locked. */
  readonly attempts: number;
  /** Whether new sets are made with a pepper. */
  readonly hasPepper: boolean;
}

/**
 * Refuses a format that is too easy to guess with these options.
 *
 * @throws {BackupCodeError} `invalid_format`
 */
export function assertHardToGuess(
  format: Format,
  { count, attempts, hasPepper }: GuessingOptions,
): void {
  if (count > format.possibilities / 2)
    throw new BackupCodeError(
      'invalid_format',
      `A set of ${count} distinct codes needs more than ${format.possibilities} possibilities.`,
    );
  const chance = (count * attempts) / format.possibilities;
  if (chance > MAX_GUESSING_CHANCE) {
    throw new BackupCodeError(
      'invalid_format',
      `${count} codes and ${attempts} attempts over ${format.possibilities} possibilities are ` +
        `guessed with a chance of ${chance}; at most ${MAX_GUESSING_CHANCE} is accepted. ` +
        'Take a longer format, fewer codes or fewer attempts.',
    );
  }
  if (format.possibilities < MIN_POSSIBILITIES_WITHOUT_PEPPER && !hasPepper) {
    throw new BackupCodeError(
      'invalid_format',
      `A format of ${format.bits} bits needs a pepper: without one a stolen set is guessed ` +
        'offline within hours. Set pepper, or take a format of 40 bits or more.',
    );
  }
}

/**
 * Whether codes of this format are read on a channel. On the `recovery` channel a code is the only
 * proof.
 */
export function isAllowedOn(channel: Channel, { bits }: Format): boolean {
  return channel !== 'recovery' || bits >= MIN_RECOVERY_BITS;
}

/**
 * Refuses a channel that none of the formats is read on. No code could ever be accepted there.
 *
 * @throws {BackupCodeError} `invalid_format`
 */
export function assertAllowedOn(channel: Channel, formats: readonly Format[]): void {
  if (formats.some((format) => isAllowedOn(channel, format))) return;
  const longest = Math.max(...formats.map(({ bits }) => bits));
  throw new BackupCodeError(
    'invalid_format',
    `On the recovery channel a code needs ${MIN_RECOVERY_BITS} bits ` +
      '(NIST SP 800-63B-4, section 4.2.1.1), ' +
      `but the longest format of this BackupCodes has ${longest} bits. ` +
      'Give it format: formats.recovery, or a list that begins with it.',
  );
}
