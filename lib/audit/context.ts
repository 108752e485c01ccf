// Where an attempt came from, made safe to store. Cuts and cleans; decides nothing.
import { BackupCodeError } from '../errors';
import { assertOptions, describe } from '../internal/validate';

/** What stands before the code: a first factor, or nothing but a name. The two are counted apart. */
export type Door = 'first-factor' | 'nothing';

/** What the caller knows of a request. Every field is cut to 256 characters and freed of control characters. */
export interface Context {
  /** Address of the client, as the app trusts it. */
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Ties audit events to the app's own log. */
  readonly requestId?: string | undefined;
  /** Who acts, where it is not the owner: an administrator's id. */
  readonly actor?: string | undefined;
  /** Default `first-factor`. The strategy says `nothing` in a fallback login. */
  readonly after?: Door;
}

/** A context as it stands in an audit event. */
export interface CleanContext {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly requestId: string | null;
  readonly actor: string | null;
  readonly after: Door;
}

const MAX_FIELD_LENGTH = 256;

/** Never fails on what a client can influence: no input may make an audit write fail. */
export function cleanContext(context: Context = {}): CleanContext {
  assertOptions('context', context, ['ip', 'userAgent', 'requestId', 'actor', 'after']);
  const { after = 'first-factor' } = context;
  if (after !== 'first-factor' && after !== 'nothing') {
    throw new BackupCodeError(
      'invalid_option',
      `context.after must be 'first-factor' or 'nothing', but was ${describe(after)}.`,
    );
  }
  return Object.freeze({
    ip: cleanText(context.ip),
    userAgent: cleanText(context.userAgent),
    requestId: cleanText(context.requestId),
    actor: cleanText(context.actor),
    after,
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
