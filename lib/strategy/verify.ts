// Has the code of a request consumed, and gives the verify callback of the app the last word.
import type { Request } from 'express';
import { cleanContext, type Context } from '../audit/context';
import { showCode } from '../codes/formats';
import { MAX_TYPED_LENGTH, readCode } from '../codes/read-code';
import { asError } from '../errors';
import type { Consumed, NotConsumed } from '../service/outcome';
import type { AnyVerify, CheckedOptions, CheckedOwnStorage } from './check-options';
import { warnOfMissingField } from './mistakes';
import type { Done } from './options';
import {
  readRefusal,
  refuse,
  REFUSALS,
  type BackupCodeInfo,
  type Decision,
  type Failure,
  type Success,
} from './outcomes';
import { findPendingLoginId } from './pending-lookup';
import { recordUnfinished, rememberConsumed } from './unfinished-login';
import { readField, type RequestUser } from './user';
import type { UserId } from '../stores/subject';

const VETO_STATUS = 401;
const VETO = 'refused by the verify callback';

/** Has the code in the body consumed. A success is final, unless verify vetoes it. */
export async function consumeCode(
  options: CheckedOptions,
  req: Request,
  { user, userId, username }: RequestUser,
): Promise<Decision> {
  const { channel } = options;
  const typed = readField(req.body, options.codeField);
  if (typed === undefined)
    warnOfMissingField(req, { option: 'codeField', field: options.codeField });
  const context: Context = { ...options.context(req), channel };
  const loginId = loginIdOf(options, req, userId);
  const startedAt = performance.now();
  let result: unknown;
  if (options.backupCodes === undefined)
    result = await askOwnStorage(options, user, { typed, context });
  else if (userId === null)
    result = await options.backupCodes.rejectUnknownUser(username, typed, context);
  else result = await options.backupCodes.consume(userId, typed, { ...context, loginId });

  const info = readInfo(result);
  if (info === null) {
    const refused = refuse(options, req, readRefusal(result, channel));
    return { ...refused, reason: addReason(refused, result) };
  }
  // A success for a user name that no user has is a fault of the storage. It is not a login.
  if (user === null) return refuse(options, req, REFUSALS.invalid_code);
  if (options.backupCodes !== undefined && userId !== null) {
    const { setId, codeId, repeated } = result as Consumed;
    rememberConsumed(req, {
      backupCodes: options.backupCodes,
      userId,
      code: { setId, codeId },
      context,
      loginId,
      isRepeated: repeated,
      startedAt,
    });
  }
  return { action: 'success', user, info };
}

/** The reason that the storage gave, for the decision log. It is one that `readRefusal` knows. */
function addReason({ reason }: Failure, result: unknown): string | undefined {
  return result === false ? reason : `${reason} (${(result as NotConsumed).reason})`;
}

/** Only a second factor has a pending login that the code is for. */
function loginIdOf(
  { channel }: CheckedOptions,
  req: Request,
  userId: UserId | null,
): string | undefined {
  if (channel !== 'second_factor' || userId === null) return undefined;
  return findPendingLoginId(req, userId);
}

/** The app's own `consumeCode`. It is called for users and with codes only. */
function askOwnStorage(
  { consumeCode: consume, format }: CheckedOwnStorage,
  user: unknown,
  { typed, context }: { typed: string | undefined; context: Context },
): unknown {
  let code: string | null;
  if (format === 'any') {
    code = typed !== undefined && typed.length <= MAX_TYPED_LENGTH ? typed.trim() : null;
  } else {
    const symbols = readCode(format, typed);
    code = symbols && showCode(format, symbols);
  }
  if (!code) return { ok: false, reason: 'malformed' };
  if (user === null) return { ok: false, reason: 'unknown_user' };
  return consume(user, code, cleanContext(context));
}

/**
 * What the app learns of a consumed code, or `null` if no code was consumed. Only `true` and
 * `{ ok: true }` mean that one was. A replacement code is not copied: `info` ends in sessions.
 */
function readInfo(result: unknown): BackupCodeInfo | null {
  if (result === true) return { method: 'backup-code', amr: ['otp'] };
  if (typeof result !== 'object' || result === null) return null;
  const { ok, remaining, total, low, expiresAt } = result as { ok?: unknown } & BackupCodeInfo;
  if (ok !== true) return null;
  return {
    method: 'backup-code',
    amr: ['otp'],
    ...(remaining !== undefined && { remaining }),
    ...(total !== undefined && { total }),
    ...(low !== undefined && { low }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** Gives verify the last word. The code is consumed: a login that verify stops is recorded. */
export async function askVerify(
  verify: AnyVerify,
  { user, info }: Success,
  { options, req }: { options: CheckedOptions; req: Request },
): Promise<Decision> {
  try {
    const answer = await callVerify(
      verify,
      options.passReqToCallback ? [req, user, info] : [user, info],
    );
    if (answer.user)
      return { action: 'success', user: answer.user, info: mergeInfo(info, answer.info) };
    const veto = readVeto(options, req, answer.info);
    await recordUnfinished(req);
    return veto;
  } catch (error) {
    await recordUnfinished(req);
    throw error;
  }
}

/** Only `done` answers. What verify returns means nothing, but a rejected promise is an error. */
function callVerify(
  verify: AnyVerify,
  args: readonly unknown[],
): Promise<{ user: unknown; info: unknown }> {
  return new Promise((resolve, reject) => {
    const done: Done = (error, user, info) => {
      if (error) reject(asError(error));
      else resolve({ user, info });
    };
    Promise.resolve(verify(...args, done)).catch(reject);
  });
}

/** The app may add to the info, but not change what `completeLogin` reads from it. */
function mergeInfo(info: BackupCodeInfo, added: unknown): BackupCodeInfo {
  if (typeof added !== 'object' || added === null) return info;
  return { ...info, ...added, method: info.method, amr: info.amr };
}

/**
 * `done(null, false, info)`: an object is passed on as it is, a string becomes the message. The
 * status is 401, as in every Passport strategy, unless `info.status` is an integer from 400 to 599.
 */
function readVeto(options: CheckedOptions, req: Request, info: unknown): Failure {
  if (typeof info === 'string' && info !== '')
    return {
      action: 'fail',
      failure: { code: 'denied', message: info },
      status: VETO_STATUS,
      reason: VETO,
    };
  if (typeof info !== 'object' || info === null)
    return { ...refuse(options, req, { ...REFUSALS.denied, status: VETO_STATUS }), reason: VETO };
  const { status } = info as { status?: unknown };
  const isFailureStatus =
    Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599;
  return {
    action: 'fail',
    failure: info,
    status: isFailureStatus ? Number(status) : VETO_STATUS,
    reason: VETO,
  };
}
