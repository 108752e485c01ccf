// Where an attempt came from, made safe to store. Cuts and cleans; decides nothing.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';

/** What stands before the code: a first factor, or nothing but a name. The two are counted apart. */
export type Channel = 'second_factor' | 'recovery';

/** What the caller knows of a request. Every field is cut to 256 characters and freed of control characters. */
export interface Context {
  /** Address of the client, as the app trusts it. */
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Ties audit events to the app's own log. */
  readonly requestId?: string | undefined;
  /** Who acts, where it is not the owner: an administrator's id. */
  readonly actor?: string | undefined;
  /** Default `second_factor`. The strategy says `recovery` in a recovery login. */
  readonly channel?: Channel;
}

/** A context as it stands in an audit event. */
export interface CleanContext {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  readonly actor: string | null;
  readonly channel: Channel;
}

const MAX_FIELD_LENGTH = 256;

/** Never fails on what a client can influence: no input may make an audit write fail. */
export function cleanContext(context: Context = {}): CleanContext {
  assertOptions('context', context, ['ip', 'userAgent', 'requestId', 'actor', 'channel']);
  const { channel = 'second_factor' } = context;
  if (channel !== 'second_factor' && channel !== 'recovery') {
    throw new BackupCodeError(
      'invalid_option',
      `context.channel must be 'second_factor' or 'recovery', but was ${describe(channel)}.`,
    );
  }
  return Object.freeze({
    ip: cleanText(context.ip),
    userAgent: cleanText(context.userAgent),
    requestId: cleanText(context.requestId),
    actor: cleanText(context.actor),
    channel,
  });
}

/** Other types than text and numbers come to nothing. Controls go for the sake of logs that are read as lines. */
function cleanText(value: unknown): string | null {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'bigint')
    return null;
  const text = String(value)
    .slice(0, MAX_FIELD_LENGTH)
    .replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, ' ')
    .trim();
  return text === '' ? null : text;
}
