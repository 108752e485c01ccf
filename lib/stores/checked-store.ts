// What a store answered, looked at before anything rests on it: a store may be an app's own, and its author's mistake must let
// nobody in. Checks the shape alone; that it is true is for `storeContract`.
import { BackupCodeError } from '../errors';

type Fields = Readonly<Record<string, unknown>>;

const SHAPES: Readonly<
  Record<'attempt' | 'set' | 'code' | 'consumption', (answer: Fields) => boolean>
> = {
  attempt: ({ ok, ticket, reason, nextAt }) =>
    ok === true
      ? isTicket(fieldsOf(ticket))
      : ok === false && (reason === 'locked' || (reason === 'throttled' && isCount(nextAt))),
  set: ({ setId, format, salt, check, pepperId, total, remaining, expiresAt, codes }) =>
    [setId, format, salt, check, pepperId ?? ''].every(isText) &&
    [total, remaining, expiresAt ?? 0].every(isCount) &&
    Array.isArray(codes) &&
    codes.map(fieldsOf).every(SHAPES.code),
  code: ({ codeId, salt, digest, consumedAt }) =>
    [codeId, salt, digest].every(isText) && (consumedAt === null || isCount(consumedAt)),
  consumption: ({ outcome, remaining, total, consumedAt, reason }) =>
    outcome === 'consumed'
      ? [remaining, total].every(isCount)
      : outcome === 'already_consumed'
        ? isCount(consumedAt)
        : outcome === 'gone' && (reason === 'none' || reason === 'expired' || reason === 'locked'),
};

/** The answer as it came. @throws {BackupCodeError} `invalid_result` */
export function wellFormed<T>(what: keyof typeof SHAPES, answer: T): T {
  if (SHAPES[what](fieldsOf(answer))) return answer;
  throw new BackupCodeError(
    'invalid_result',
    `The store gave a malformed ${what}: nobody is let in. storeContract of passport-backup-code/testing shows what is wrong with it.`,
  );
}

function isTicket({ channel, attempt, generation, nextAt }: Fields): boolean {
  return (
    (channel === 'second_factor' || channel === 'recovery') &&
    [attempt, generation, nextAt].every(isCount)
  );
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
