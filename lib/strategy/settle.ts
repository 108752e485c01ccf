// Takes one of Passport's actions for a request, exactly once. Decides nothing.
import type { Request } from 'express';
import { asError } from '../errors';
import { warnOfLostError } from '../internal/lost-error';
import { isResponseSent, responseSentError } from '../internal/response-sent';
import type { Decision } from './outcomes';
import { recordUnfinished } from './unfinished-login';

/** Passport's actions for one request. */
export interface PassportActions {
  readonly success: (user: unknown, info: object) => unknown;
  readonly fail: (failure: object, status: number) => unknown;
  readonly error: (error: Error) => unknown;
}

/**
 * Takes the action that was decided. Never rejects: Passport ignores the promise of a strategy, so
 * a rejection would end the process.
 */
export async function settle(
  decision: Promise<Decision>,
  { req, actions }: { req: Request; actions: PassportActions },
): Promise<void> {
  const action = await chooseAction(decision, { req, actions });
  try {
    // An async callback of the app gives its promise back through `success` and `error`.
    await action();
  } catch (thrown) {
    await recordUnfinished(req);
    passOn(req, thrown);
  }
}

async function chooseAction(
  decision: Promise<Decision>,
  { req, actions: { success, fail, error } }: { req: Request; actions: PassportActions },
): Promise<() => unknown> {
  try {
    const decided = await decision;
    if (isResponseSent(req.res)) {
      // Passport would redirect, or end the response a second time.
      await recordUnfinished(req);
      return () => error(responseSentError());
    }
    return decided.action === 'success'
      ? () => success(decided.user, decided.info)
      : () => fail(decided.failure, decided.status);
  } catch (thrown) {
    return () => error(asError(thrown));
  }
}

/**
 * The app's callback threw, or Passport did. No other action is taken: the callback would be called
 * again, with its own error. Express shows its `next` on the request.
 */
function passOn(req: Request, thrown: unknown): void {
  try {
    if (typeof req.next !== 'function') throw thrown;
    req.next(asError(thrown));
  } catch (lost) {
    warnOfLostError('The callback of passport.authenticate', lost);
  }
}
