// The options of the strategy. Types only: they are checked in check-options.ts.
import type { Request } from 'express';
import type { CleanContext, Context } from '../audit/context';
import type { Format } from '../codes/formats';
import type { BackupCodes } from '../service/backup-codes';
import type { Consumed, NotConsumed } from '../service/outcome';
import type { UserId } from '../stores/subject';
import type { BackupCodeFailure, BackupCodeFailureCode, BackupCodeInfo } from './outcomes';

/**
 * What the app's own `consumeCode` returns. Only `true` and `{ ok: true }` mean that the code was
 * consumed. Anything that is not of this type is an error: never a success, never a failure.
 */
export type ConsumeResult = boolean | (Pick<Consumed, 'ok'> & Partial<Consumed>) | NotConsumed;

/**
 * How a verify callback answers. Only the first call counts.
 *
 * - `done(null, user, info?)` lets the user in. The fields of `info` are added to `req.authInfo`.
 * - `done(null, false, info?)` refuses the user: 401, or `info.status` if that is from 400 to 599.
 *   An object is passed on as it is. A string is the message.
 * - `done(error)` is an error of the app.
 */
export type Done = (error: unknown, user?: unknown, info?: unknown) => void;

/**
 * Called after a code was consumed, with the last word on whether the login succeeds. The code
 * stays consumed.
 *
 * @example
 * ```ts
 * new BackupCodeStrategy({ backupCodes, currentUser }, (user, info, done) => {
 *   if (user.isSuspended) done(null, false, 'Your account is suspended.');
 *   else done(null, user);
 * });
 * ```
 */
export type Verify<User> = (user: User, info: BackupCodeInfo, done: Done) => unknown;

/** The same with `passReqToCallback: true`: the request comes first. */
export type VerifyWithRequest<User> = (
  req: Request,
  user: User,
  info: BackupCodeInfo,
  done: Done,
) => unknown;

type MaybePromise<T> = T | Promise<T>;

interface CommonOptions<PassesRequest extends boolean> {
  /**
   * The field of the body that holds the code. Only an own property that is a string is read, and
   * nothing of the URL.
   *
   * @default 'code'
   * @throws {BackupCodeError} `invalid_option` if it is not a string, or empty
   * @example
   * `codeField: 'backup_code'`
   */
  readonly codeField?: string;
  /**
   * The field of the body that holds the user name, of 1 to 320 characters. Read only with
   * `findUser`.
   *
   * @default 'username'
   * @throws {BackupCodeError} `invalid_option` if it is not a string, or empty
   * @example
   * `usernameField: 'email'`
   */
  readonly usernameField?: string;
  /**
   * Where an attempt came from, for the audit trail. A channel in it is ignored: `findUser` means
   * the `recovery` channel, `currentUser` the `second_factor` channel.
   *
   * @default `{ ip: req.ip, userAgent: req.headers['user-agent'], requestId: req.id }`
   * @throws {BackupCodeError} at a request: `invalid_option` if it returns an unknown field
   * @example
   * `context: (req) => ({ ip: req.ip, requestId: req.get('x-request-id') })`
   */
  readonly context?: (req: Request) => Context;
  /**
   * The message of a failure, in the language of the app. It gets the public code, so it cannot
   * tell why a code is not valid. `info` is the failure without its message. A code of
   * `too_many_attempts` without `retryAfterSeconds` means that the channel is locked. A string
   * given to `done(null, false, message)` is not translated.
   *
   * @default the English messages of the README
   * @throws {BackupCodeError} at a request: `invalid_result` if it returns anything but a string
   *   that is not empty. What it throws itself is passed on. Neither lets a user in.
   * @example
   * ```ts
   * messages: (code, { retryAfterSeconds }, req) => {
   *   const lng = req.acceptsLanguages('de', 'en') || 'en';
   *   return i18next.t(`backupCode.${code}`, { lng, retryAfterSeconds });
   * },
   * ```
   */
  readonly messages?: (
    code: BackupCodeFailureCode,
    info: Omit<BackupCodeFailure, 'message'>,
    req: Request,
  ) => string;
  /**
   * Whether the verify callback gets the request as its first argument.
   *
   * @default false
   * @throws {BackupCodeError} `invalid_option` if it is not a boolean
   * @example
   * ```ts
   * new BackupCodeStrategy({ backupCodes, passReqToCallback: true }, (req, user, info, done) => {
   *   done(null, isAllowed(req.ip) && user, info);
   * });
   * ```
   */
  readonly passReqToCallback?: PassesRequest;
}

/** `findUser` means the `recovery` channel: a login with a user name and a code, nothing else. */
interface RecoveryOptions<User> {
  /**
   * Finds the user of a typed name on the `recovery` channel, or returns `null`. A code is the only
   * proof there, so it needs 64 bits (NIST SP 800-63B-4, section 4.2.1.1). `backupCodes` of a
   * shorter format is refused. With your own `consumeCode`, make sure of it yourself.
   *
   * @throws {BackupCodeError} `invalid_option` if it is not a function; `invalid_format` if
   *   `backupCodes` reads a format of fewer than 64 bits
   * @example
   * `findUser: (username) => users.byName(username)`
   */
  readonly findUser: (
    username: string,
    req: Request,
  ) => MaybePromise<User | null | undefined | false>;
  readonly currentUser?: never;
}

/** `currentUser` means the `second_factor` channel: a code after a password or the like. */
interface SecondFactorOptions<User> {
  /**
   * Returns the user whose first factor was checked, on the `second_factor` channel, or `null`.
   *
   * @default `(req) => req.user`, or the property that Passport's `userProperty` names
   * @throws {BackupCodeError} `invalid_option` if it is not a function, or if `findUser` is given
   *   too
   * @example
   * ```ts
   * currentUser: (req) => {
   *   const pending = pendingLogin(req);
   *   return pending && users.byId(pending.userId);
   * },
   * ```
   */
  readonly currentUser?: (req: Request) => MaybePromise<User | null | undefined | false>;
  readonly findUser?: never;
}

/** The codes are kept by a `BackupCodes`. */
interface ServiceOptions<User> {
  /**
   * The service that consumes the codes.
   *
   * @throws {BackupCodeError} `invalid_option` if it is not a `BackupCodes`, or if `consumeCode` is
   *   given too
   * @example
   * `backupCodes: new BackupCodes({ store })`
   */
  readonly backupCodes: BackupCodes;
  /**
   * The id by which `backupCodes` knows a user: the one that its codes were issued for.
   *
   * @default `(user) => user.id`
   * @throws {BackupCodeError} at a request: `invalid_user_id` if it returns anything but a string
   *   of 1 to 255 characters, a safe integer or a bigint
   * @example
   * `userId: (user) => String(user._id)`
   */
  readonly userId?: (user: User) => UserId;
  readonly consumeCode?: never;
  readonly format?: never;
}

/** The codes are kept by the app. */
interface OwnStorageOptions<User> {
  /**
   * Consumes a code in the app's own storage. It must be atomic: of any number of calls with one
   * code, exactly one may return `true`. `consumeContract` of `passport-backup-code/testing` tests
   * that. Counting attempts is up to the app. With `findUser` it is not called for an unknown user,
   * so the time of an answer may tell which users exist.
   *
   * @throws {BackupCodeError} `invalid_option` if it is not a function, or if it takes a callback;
   *   at a request: `invalid_result` if it returns anything but a {@link ConsumeResult}
   * @example
   * ```ts
   * consumeCode: async (user, code) => {
   *   const found = await findCode(user, code);
   *   return found !== null && (await markConsumed(found.id)) === 1;
   * },
   * ```
   */
  readonly consumeCode: (
    user: User,
    code: string,
    context: CleanContext,
  ) => MaybePromise<ConsumeResult>;
  /**
   * What a code looks like. `consumeCode` gets it as it was printed, however it was typed. With
   * `'any'` it gets what was typed, trimmed, of 1 to 128 characters.
   *
   * @default formats.standard
   * @throws {BackupCodeError} `invalid_format`, `invalid_option` if it is not a format
   * @example
   * `format: formats.hex`
   */
  readonly format?: Format | 'any';
  readonly backupCodes?: never;
  readonly userId?: never;
}

/**
 * The options of {@link BackupCodeStrategy}. Give `findUser` for the `recovery` channel, or
 * `currentUser` or neither for the `second_factor` channel. Give `backupCodes`, or `consumeCode` to
 * keep the codes yourself.
 */
export type BackupCodeStrategyOptions<
  User,
  PassesRequest extends boolean = false,
> = CommonOptions<PassesRequest> &
  (RecoveryOptions<User> | SecondFactorOptions<User>) &
  (ServiceOptions<User> | OwnStorageOptions<User>);
