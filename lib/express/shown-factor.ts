// Which factor completes a login: the one that this request verified, or, if the app says so, none.
import type { Request } from 'express';
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';
import { areMethodNames } from './factors';
import { makeRecord, type LoginRecord } from './login-record';
import { readPath } from './session';

/** The options of `completeLogin` that name a factor. */
export interface ShownFactorOptions {
  readonly method?: string;
  readonly amr?: readonly string[];
  readonly secondFactor?: 'not_enrolled' | 'included';
}

/** A factor and its authentication method references. */
export interface ShownFactor {
  readonly method: string;
  readonly amr: readonly string[];
}

/**
 * Whether the app says that the first factor is enough.
 *
 * @throws {BackupCodeError} `invalid_option`: it says so without a pending login, beside another
 *   factor, or with a word that is not true of this login
 */
export function isFirstFactorEnough(
  { secondFactor, method, amr }: ShownFactorOptions,
  pending: LoginRecord | null,
): boolean {
  const word: unknown = secondFactor;
  if (word === undefined) return false;
  const isKnown = word === 'not_enrolled' || word === 'included';
  if (!isKnown || method !== undefined || amr !== undefined || pending === null) {
    throw new BackupCodeError(
      'invalid_option',
      "secondFactor may only be 'not_enrolled' or 'included', for a pending login, and without " +
        `method and amr, but was ${describe(word)}.`,
    );
  }
  if (word === 'included' && pending.acr !== 'aal2') {
    throw new BackupCodeError(
      'invalid_option',
      "secondFactor: 'included' needs a pending login that showed two kinds of factor, but this " +
        'one showed one kind. Ask for a second one.',
    );
  }
  return true;
}

/**
 * Returns the factor that this request verified.
 *
 * @throws {BackupCodeError} `invalid_option`: the factor has no name, or it is the first one again
 */
export function findShownFactor(
  req: Request,
  { options, pending }: { options: ShownFactorOptions; pending: LoginRecord | null },
): ShownFactor {
  const info: unknown = Reflect.get(req, 'authInfo');
  // The strategy comes first. On a route for TOTP and backup codes only it knows which one it was.
  const source: unknown = readPath(info, 'method') === undefined ? options : info;
  const method = readPath(source, 'method');
  const amr = readPath(source, 'amr');
  if (typeof method !== 'string' || !areMethodNames([method]) || !areMethodNames(amr)) {
    throw new BackupCodeError(
      'invalid_option',
      "completeLogin does not know which factor was shown: the strategy's info has no " +
        "{ method, amr }. Give { method: 'totp', amr: ['otp'] }, or " +
        "{ secondFactor: 'not_enrolled' } for an account that has no second factor.",
    );
  }
  if (pending?.methods.includes(method) === true) {
    throw new BackupCodeError(
      'invalid_option',
      `The factor that began this login ("${method}") cannot complete it as well.`,
    );
  }
  return { method, amr };
}

/** Returns the record with the factor added, or with its time renewed. */
export function addShownFactor(
  { userId, factors, amr }: Pick<LoginRecord, 'userId' | 'factors' | 'amr'>,
  shown: ShownFactor & { readonly at: number },
): LoginRecord {
  const others = factors.filter(({ method }) => method !== shown.method);
  return makeRecord({ userId, factors: [...others, shown], amr: [...amr, ...shown.amr] });
}
