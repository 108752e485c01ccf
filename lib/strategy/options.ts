// The options of the strategy: their types, their checks, and what they come to. Runs nothing at construction.
import type { Request } from 'express';
import type { BackupCodes } from '../service/backup-codes';
import type { Outcome } from '../service/consume';
import { cleanContext, type CleanContext, type Context } from '../audit/context';
import { asError, BackupCodeError } from '../errors';
import { checkFormat, formats, readCode, showCode, type Format } from '../codes/formats';
import { assertMethods, assertOptions, describe, optionalFunction } from '../internal/validate';
import type { UserId } from '../stores/subject';
import { fail, type BackupCodeInfo, type Decision } from './outcomes';
import { requestContext } from './request-context';

/** What an app's own `consumeCode` may answer. Anything else is an error, never a failure and never a success. */
export type ConsumeResult =
  | boolean
  | ({ readonly ok: true } & Partial<Omit<Extract<Outcome, { ok: true }>, 'ok'>>)
  | Extract<Outcome, { ok: false }>;

/** How the last word is given: `done(null, user, info?)`, `done(null, false, challenge?)` or `done(error)`. */
export type Done = (error: unknown, user?: unknown, info?: unknown) => void;

/** Called after a code was consumed; has the last word on who is let in. With `passReqToCallback: true` the request comes first. */
export type Verify<User, IsGivenRequest extends boolean = false> = IsGivenRequest extends true
  ? (req: Request, user: User, info: BackupCodeInfo, done: Done) => unknown
  : (user: User, info: BackupCodeInfo, done: Done) => unknown;

type MaybePromise<T> = T | Promise<T>;

interface CommonOptions<IsGivenRequest extends boolean> {
  /** Own property of the body that holds the code. Default `code`. */
  readonly codeField?: string;
  /** Own property of the body that holds the user name, with `findUser`. Default `username`. */
  readonly usernameField?: string;
  /** Default: address, user agent and `req.id`. */
  readonly context?: (req: Request) => Context;
  /** Whether `verify` is given the request first. Default false. */
  readonly passReqToCallback?: IsGivenRequest;
}

/** Who is meant. */
type WhoOptions<User> =
  | {
      /**
       * A recovery login: the user of a typed name, or `null`. The code is then all there is, so it needs 64 bits: a `BackupCodes` of a
       * shorter format is refused; with an own `consumeCode` that is yours to see to.
       */
      readonly findUser: (
        username: string,
        req: Request,
      ) => MaybePromise<User | null | undefined | false>;
      readonly currentUser?: never;
    }
  | {
      /** A second factor: the user whose first factor was checked, or `null`. Default: Passport's `req.user`. */
      readonly currentUser?: (req: Request) => MaybePromise<User | null | undefined | false>;
      readonly findUser?: never;
    };

/** What consumes. */
type ConsumeOptions<User> =
  | {
      readonly backupCodes: BackupCodes;
      /** Default: `user.id`. */
      readonly userId?: (user: User) => UserId;
      readonly consumeCode?: never;
      readonly format?: never;
    }
  | {
      /** The app's own. It must be atomic: of any number of callers with one code, exactly one may be told `true`. */
      readonly consumeCode: (
        user: User,
        code: string,
        context: CleanContext,
      ) => MaybePromise<ConsumeResult>;
      /** What a code looks like; it is handed over as it was issued. `'any'`: as it was typed, trimmed. Default `formats.standard`. */
      readonly format?: Format | 'any';
      readonly backupCodes?: never;
      readonly userId?: never;
    };

/** Who is meant (`findUser` or `currentUser`), what consumes (`backupCodes` or `consumeCode`), and how both are read from a request. */
export type BackupCodeStrategyOptions<
  User,
  IsGivenRequest extends boolean = false,
> = CommonOptions<IsGivenRequest> & WhoOptions<User> & ConsumeOptions<User>;

/** The options, checked, with defaults. What of `User` was in their types was for the caller. */
export interface Parts {
  readonly codeField: string;
  /** Finds out who is meant, or decides at once. */
  readonly who: (
    req: Request,
  ) => Promise<{ readonly user: unknown; readonly username: string | null } | Decision>;
  /** Has the code consumed; `user` is `null` for a name that belongs to nobody. */
  readonly consume: (
    user: unknown,
    username: string | null,
    code: unknown,
    context: Context,
  ) => unknown;
  /** Records that a code was consumed in vain. */
  readonly unfinished: (user: unknown, consumed: unknown, context: Context) => Promise<void>;
  readonly context: (req: Request) => Context;
  /** A recovery login: nobody may learn from an answer whether a user exists. */
  readonly isAlone: boolean;
  readonly lastWord:
    ((req: Request, user: unknown, info: BackupCodeInfo) => Promise<Decision>) | undefined;
}

/** NIST SP 800-63B-4, section 4.2.1.1: a code that recovers an account alone has at least 64 bits. */
const MIN_BITS_ALONE = 64;
const MAX_USERNAME_LENGTH = 320;
const MAX_TYPED_LENGTH = 128;

/** @throws {BackupCodeError} `invalid_option`, `invalid_format` */
export function checkOptions(
  options: BackupCodeStrategyOptions<unknown, boolean>,
  verify: Verify<unknown, boolean> | undefined,
): Parts {
  assertOptions('BackupCodeStrategy', options, [
    'findUser',
    'currentUser',
    'consumeCode',
    'backupCodes',
    'userId',
    'context',
    'codeField',
    'usernameField',
    'passReqToCallback',
    'format',
  ]);
  const { codeField = 'code', usernameField = 'username' } = options;
  assertFieldName('codeField', codeField);
  assertFieldName('usernameField', usernameField);
  const context = optionalFunction('context', options.context) ?? requestContext;
  const findUser = optionalFunction('findUser', options.findUser);
  const currentUser = optionalFunction('currentUser', options.currentUser);
  if (findUser && currentUser)
    throw new BackupCodeError(
      'invalid_option',
      'Give findUser (a recovery login) or currentUser (a second factor), not both.',
    );
  if (options.passReqToCallback !== undefined && typeof options.passReqToCallback !== 'boolean')
    throw new BackupCodeError(
      'invalid_option',
      `passReqToCallback must be true or false, but was ${describe(options.passReqToCallback)}.`,
    );
  return {
    codeField,
    context,
    isAlone: findUser !== undefined,
    who: findUser ? findByName(findUser, usernameField) : useCurrent(currentUser ?? passportUser),
    ...consumer(options),
    lastWord: lastWord(optionalFunction('verify', verify), options.passReqToCallback === true),
  };
}

function assertFieldName(option: string, given: unknown): void {
  if (typeof given === 'string' && given !== '') return;
  throw new BackupCodeError(
    'invalid_option',
    `${option} must be the name of a field of the body, but was ${given === '' ? 'empty' : describe(given)}.`,
  );
}

function findByName(
  findUser: (username: string, req: Request) => unknown,
  usernameField: string,
): Parts['who'] {
  return async (req) => {
    const username = ownString(req.body, usernameField);
    if (username === undefined || username.length < 1 || username.length > MAX_USERNAME_LENGTH)
      return fail('malformed', 400);
    return { user: (await findUser(username, req)) || null, username };
  };
}

function useCurrent(currentUser: (req: Request) => unknown): Parts['who'] {
  return async (req) => {
    const user: unknown = await currentUser(req);
    return user ? { user, username: null } : fail('login_required', 401);
  };
}

/** Where Passport keeps its user; the property can be renamed. */
function passportUser(req: Request): unknown {
  const { _userProperty: property = 'user' } = req as { _userProperty?: string };
  return Reflect.get(req, property);
}

function consumer(
  options: BackupCodeStrategyOptions<unknown, boolean>,
): Pick<Parts, 'consume' | 'unfinished'> {
  const { backupCodes, consumeCode } = options;
  if ((backupCodes === undefined) === (consumeCode === undefined)) {
    throw new BackupCodeError(
      'invalid_option',
      'Give backupCodes (a BackupCodes) or consumeCode (a function of your own): exactly one of the two.',
    );
  }
  if (backupCodes !== undefined) {
    if (options.format !== undefined)
      throw new BackupCodeError(
        'invalid_option',
        'format belongs to consumeCode; a BackupCodes has its own.',
      );
    return withService(
      backupCodes,
      optionalFunction('userId', options.userId) ?? ((user) => (user as { id: UserId }).id),
      options.findUser !== undefined,
    );
  }
  optionalFunction('consumeCode', consumeCode);
  if (options.userId !== undefined)
    throw new BackupCodeError(
      'invalid_option',
      'userId belongs to backupCodes; consumeCode is given the user.',
    );
  return {
    consume: withCallback(consumeCode, options.format ?? formats.standard),
    unfinished: () => Promise.resolve(),
  };
}

function withService(
  backupCodes: BackupCodes,
  userId: (user: unknown) => UserId,
  isAlone: boolean,
): ReturnType<typeof consumer> {
  assertMethods('backupCodes', backupCodes, ['consume', 'rejectUnknownUser']);
  const shortest = Math.min(...formatsOf(backupCodes).map(({ bits }) => bits));
  if (isAlone && shortest < MIN_BITS_ALONE) {
    throw new BackupCodeError(
      'invalid_format',
      `findUser signs people in with a code alone, which needs ${MIN_BITS_ALONE} bits (NIST SP 800-63B-4, section 4.2.1.1); this BackupCodes reads codes of ${shortest}. Give it formats.recovery.`,
    );
  }
  return {
    consume: (user, username, code, context) =>
      user === null && username !== null
        ? backupCodes.rejectUnknownUser(username, code, context)
        : backupCodes.consume(userId(user), code, context),
    unfinished: (user, consumed, context) =>
      backupCodes.recordUnfinishedLogin(
        userId(user),
        consumed as Extract<Outcome, { ok: true }>,
        context,
      ),
  };
}

/** Told by its shape, so that a BackupCodes of another copy of this package will do. */
function formatsOf(backupCodes: BackupCodes): readonly Format[] {
  const list: unknown = backupCodes.formats;
  if (Array.isArray(list)) return backupCodes.formats;
  throw new BackupCodeError(
    'invalid_option',
    'backupCodes must be a BackupCodes; for anything else there is consumeCode.',
  );
}

function withCallback(
  consumeCode: (user: unknown, code: string, context: CleanContext) => unknown,
  format: Format | 'any',
): Parts['consume'] {
  const read = format === 'any' ? readAny : readAsIssued(checkFormat(format));
  return (user, _username, typed, context) => {
    const code = read(typed);
    if (code === null) return { ok: false, reason: 'malformed' };
    return user === null
      ? { ok: false, reason: 'unknown_user' }
      : consumeCode(user, code, cleanContext(context));
  };
}

function readAsIssued(format: Format): (typed: unknown) => string | null {
  return (typed) => {
    const symbols = readCode(format, typed);
    return symbols === null ? null : showCode(format, symbols);
  };
}

function readAny(typed: unknown): string | null {
  if (typeof typed !== 'string' || typed.length > MAX_TYPED_LENGTH) return null;
  return typed.trim() || null;
}

function lastWord(
  verify: Verify<unknown, boolean> | undefined,
  isGivenRequest: boolean,
): Parts['lastWord'] {
  if (verify === undefined) return undefined;
  return (req, user, info) =>
    new Promise((resolve, reject) => {
      const done: Done = (error, verified, verifiedInfo) => {
        if (error) reject(asError(error));
        else if (verified)
          resolve({ action: 'success', user: verified, info: merged(info, verifiedInfo) });
        else resolve(refused(verifiedInfo));
      };
      const args = isGivenRequest ? [req, user, info, done] : [user, info, done];
      // What it returns says nothing: only done() does.
      Promise.resolve((verify as (...args: unknown[]) => unknown)(...args)).catch(reject);
    });
}

/** What `completeLogin` needs to know stays, whatever the app adds. */
function merged(info: BackupCodeInfo, added: unknown): object {
  return typeof added === 'object' && added !== null
    ? { ...info, ...added, method: info.method, amr: info.amr }
    : info;
}

/** `done(null, false, info)`: an object goes on as it is, a text as a message. */
function refused(info: unknown): Decision {
  if (typeof info === 'object' && info !== null)
    return { action: 'fail', failure: info, status: 403 };
  return fail('denied', 403, typeof info === 'string' ? { message: info } : {});
}

/** The body only, never the URL; an own property, and a string. Express 5 has no body at all where none was sent. */
export function ownString(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, field)) return undefined;
  const value: unknown = Reflect.get(body, field);
  return typeof value === 'string' ? value : undefined;
}
