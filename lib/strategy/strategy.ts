// The Passport strategy: finds the user of a request, has the code consumed, and answers in
// Passport's terms. It only translates. It does no cryptography, stores nothing and touches no
// session.
import type { Request } from 'express';
import { Strategy } from 'passport-strategy';
import { assertResponseUnsent } from '../internal/response-sent';
import { checkOptions, type AnyVerify, type CheckedOptions } from './check-options';
import type { BackupCodeStrategyOptions, Verify, VerifyWithRequest } from './options';
import type { Decision } from './outcomes';
import { watchName } from './default-name';
import { assertNoPassportLogin, type PassportOptions } from './passport-options';
import { rememberRecovery } from './recovery-login';
import { settle, type PassportActions } from './settle';
import { findUser } from './user';
import { askVerify, consumeCode } from './verify';

/**
 * A Passport strategy that lets a user in with a backup code. Passport finds it by the name
 * `backup-code`.
 *
 * `findUser` means the `recovery` channel, `currentUser` (or neither) the `second_factor` channel.
 *
 * `User` is inferred from `findUser` or `currentUser`. `PassesRequest` is inferred from
 * `passReqToCallback`.
 *
 * @example
 * A second factor, after a password:
 * ```ts
 * passport.use(
 *   new BackupCodeStrategy({
 *     backupCodes,
 *     currentUser: (req) => {
 *       const pending = pendingLogin(req);
 *       return pending && users.byId(pending.userId);
 *     },
 *   }),
 * );
 * app.post(
 *   '/login/backup-code',
 *   passport.authenticate('backup-code', { session: false }),
 *   async (req, res) => {
 *     const { returnTo } = await completeLogin(req);
 *     res.redirect(303, returnTo ?? '/');
 *   },
 * );
 * ```
 *
 * @example
 * A recovery login, with a user name and a code of 64 bits or more:
 * ```ts
 * const backupCodes = new BackupCodes({ store, format: formats.recovery });
 * passport.use(
 *   'recovery',
 *   new BackupCodeStrategy({ backupCodes, findUser: (username) => users.byName(username) }),
 * );
 * ```
 */
export class BackupCodeStrategy<
  User = Express.User,
  PassesRequest extends boolean = false,
> extends Strategy {
  name = 'backup-code';

  // Not `#private`: Passport calls `authenticate` on Object.create(strategy), which has no private
  // fields.
  private readonly checkedOptions: CheckedOptions;

  /**
   * @param options one of `backupCodes` and `consumeCode`; at most one of `findUser` and
   *   `currentUser`
   * @param verify called after a code was consumed, with the last word on whether the login
   *   succeeds. NestJS and Ts.ED add their own.
   * @throws {BackupCodeError} `invalid_option` if an option is unknown, missing or of the wrong
   *   type
   * @throws {BackupCodeError} `invalid_format` if `format` is unusable, or if `backupCodes` reads a
   *   format of fewer than 64 bits on the `recovery` channel
   */
  constructor(
    options: BackupCodeStrategyOptions<User, PassesRequest>,
    // A boolean at the type level, because the order of the parameters depends on an option.
    // Without it a callback has to declare the types of its parameters, and the wrong order
    // compiles.
    verify?: PassesRequest extends true ? VerifyWithRequest<User> : Verify<User>,
  ) {
    super();
    this.checkedOptions = checkOptions(
      options as BackupCodeStrategyOptions<unknown, boolean>,
      verify as AnyVerify | undefined,
    );
    watchName(this, this.checkedOptions.channel);
  }

  /** Called by Passport for each request. Takes one of Passport's actions, and never `pass`. */
  override authenticate(req: Request, passportOptions: PassportOptions = {}): void {
    // An instance given to `passport.authenticate` is shared by requests, and Passport sets the
    // actions of each request on it. Read after an await, they belong to another request.
    const actions: PassportActions = {
      success: this.success.bind(this),
      fail: this.fail.bind(this),
      error: this.error.bind(this),
    };
    const { channel } = this.checkedOptions;
    const decision = decide(this.checkedOptions, { req, passportOptions });
    const isRedirected = passportOptions.failureRedirect !== undefined;
    void settle(decision, { req, channel, isRedirected, actions });
  }
}

async function decide(
  options: CheckedOptions,
  { req, passportOptions }: { req: Request; passportOptions: PassportOptions },
): Promise<Decision> {
  const found = await findUser(options, req);
  assertNoPassportLogin(req, { channel: options.channel, passportOptions });
  if ('action' in found) return found;
  // No code is spent for a request that is over.
  assertResponseUnsent(req.res);
  const consumed = await consumeCode(options, req, found);
  if (consumed.action === 'fail') return consumed;
  const decision =
    options.verify === undefined
      ? consumed
      : await askVerify(options.verify, consumed, { options, req });
  if (decision.action === 'success' && options.channel === 'recovery') rememberRecovery(req);
  return decision;
}
