// Where an attempt came from, cleaned so that it can be stored and logged. Decides nothing.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';

/**
 * How a code is used: `second_factor` after a password or another first factor, `recovery` with a
 * user name and nothing else. Attempts are limited for each channel separately.
 */
export type Channel = 'second_factor' | 'recovery';

/**
 * What the caller knows about a request. Strings are cut to 256 characters, and control characters
 * are removed.
 */
export interface Context {
  /** The address of the client, as far as the app trusts its proxies. */
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Connects audit events with the app's own log. */
  readonly requestId?: string | undefined;
  /** The id of the acting user if that is not the owner, such as an administrator. */
  readonly actor?: string | undefined;
  /**
   * The strategy sets it: `findUser` means `recovery`, `currentUser` means `second_factor`.
   *
   * @default 'second_factor'
   */
  readonly channel?: Channel;
}

/** What the caller of `consume` knows about a request. */
export interface ConsumeContext extends Context {
  /**
   * Names the pending login that the code is for, in 1 to 256 characters. The same code again for
   * the same login is the same consumption: the outcome is `ok` again, with `repeated: true`, and
   * nothing is consumed. So a user whose browser, proxy or network lost the answer gets in with
   * the same code. Make it new for each login, keep it in the session, and never take it from the
   * client. It is neither stored nor part of an event.
   */
  readonly loginId?: string | undefined;
}

/** A context as it is stored in an audit event. */
export interface CleanContext {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  readonly actor: string | null;
  readonly channel: Channel;
}

const MAX_FIELD_LENGTH = 256;

/** Breaks a line, or changes how one is displayed. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** The names of the fields of a {@link Context}. */
export const CONTEXT_FIELDS = ['ip', 'userAgent', 'requestId', 'actor', 'channel'] as const;

/**
 * Never fails on a value that a client controls, so that no input can make an audit write fail.
 *
 * @throws {BackupCodeError} `invalid_option` for an unknown field or channel
 */
export function cleanContext(context: Context = {}): CleanContext {
  assertOptions('context', context, CONTEXT_FIELDS);
  const { channel = 'second_factor' } = context;
  if (channel !== 'second_factor' && channel !== 'recovery') {
    throw new BackupCodeError(
      'invalid_option',
      `context.channel must be 'second_factor' or 'recovery', but was ${describe(channel)}.`,
    );
  }
  return Object.freeze({
    ip: cleanString(context.ip),
    userAgent: cleanString(context.userAgent),
    requestId: cleanString(context.requestId),
    actor: cleanString(context.actor),
    channel,
  });
}

/**
 * Types other than strings and numbers become `null`. Control characters would break logs that are
 * read line by line.
 */
export function cleanString(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint') {
    return null;
  }
  const cleaned = String(value).slice(0, MAX_FIELD_LENGTH).replace(UNPRINTABLE, ' ').trim();
  return cleaned === '' ? null : cleaned;
}
