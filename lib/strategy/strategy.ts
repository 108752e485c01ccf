// The Passport strategy: reads a request, asks for the code to be consumed, and answers in Passport's terms.
// It only translates: no cryptography, no storage, no session.
import type { Request } from 'express';
import { Strategy } from 'passport-strategy';
import { recordUnfinished, rememberConsumed } from './unfinished-login';
import type { Context } from '../audit/context';
import { asError } from '../errors';
import { announce, fail, readFailure, readInfo, type Decision } from './outcomes';
import {
  checkOptions,
  ownString,
  type BackupCodeStrategyOptions,
  type Parts,
  type Verify,
} from './options';

/** Lets somebody in with a backup code. Passport name: `backup-code`. */
export class BackupCodeStrategy<
  User = Express.User,
  IsGivenRequest extends boolean = false,
> extends Strategy {
  name = 'backup-code';
  private readonly parts: Parts;

  /**
   * @param verify optional; has the last word after a code was consumed. What NestJS and Ts.ED append.
   * @throws {BackupCodeError} `invalid_option`; `invalid_format` if `findUser` meets a format of fewer than 64 bits
   */
  constructor(
    options: BackupCodeStrategyOptions<User, IsGivenRequest>,
    verify?: Verify<User, IsGivenRequest>,
  ) {
    super();
    this.parts = checkOptions(
      options as BackupCodeStrategyOptions<unknown, boolean>,
      verify as Verify<unknown, boolean> | undefined,
    );
  }

  /** Called by Passport on an object made from this one for each request; settles it exactly once. */
  override authenticate(req: Request): void {
    // Passport ignores a promise, and an instance given to authenticate() is shared by requests: actions looked up
    // later would answer somebody else.
    const success = this.success.bind(this);
    const fail = this.fail.bind(this);
    const error = this.error.bind(this);
    decide(this.parts, req).then(
      (decision) => {
        if (decision.action === 'success') success(decision.user, decision.info);
        else fail(decision.failure, decision.status);
      },
      (thrown: unknown) => error(asError(thrown)),
    );
  }
}

async function decide(parts: Parts, req: Request): Promise<Decision> {
  const found = await parts.who(req);
  if ('action' in found) return found;
  const { user, username } = found;
  const context: Context = {
    ...parts.context(req),
    channel: parts.isAlone ? 'recovery' : 'second_factor',
  };
  const result = await parts.consume(user, username, ownString(req.body, parts.codeField), context);
  const failure = readFailure(result, parts.isAlone);
  if (failure !== null) return announce(req, failure);
  // Nobody is let in by an answer meant for somebody who does not exist.
  if (!user) return fail('invalid_code', 401);
  rememberConsumed(req, () => parts.unfinished(user, result, context));
  const info = readInfo(result);
  if (!parts.lastWord) return { action: 'success', user, info };
  try {
    const decision = await parts.lastWord(req, user, info);
    if (decision.action !== 'success') await recordUnfinished(req);
    return decision;
  } catch (error) {
    await recordUnfinished(req);
    throw error;
  }
}
