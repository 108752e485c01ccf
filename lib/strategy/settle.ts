// Takes one of Passport's actions for a request, exactly once. Decides nothing.
import type { Request } from 'express';
import type { Channel } from '../audit/context';
import { asError } from '../errors';
import { logDecision, logError } from '../internal/decision-log';
import { warnOfLostError } from '../internal/lost-error';
import { isResponseSent, responseSentError } from '../internal/response-sent';
import { announceWait, type Decision } from './outcomes';
import { recordUnfinished } from './unfinished-login';

/** Passport's actions for one request. */
export interface PassportActions {
  readonly success: (user: unknown, info: object) => unknown;
  readonly fail: (failure: object, status: number) => unknown;
  readonly error: (error: Error) => unknown;
}

/** What a decision is answered with. */
export interface PassportAnswer {
  readonly req: Request;
  readonly channel: Channel;
  /** Whether Passport redirects after a failure. */
  readonly isRedirected: boolean;
  readonly actions: PassportActions;
}

/**
 * Takes the action that was decided. Never rejects: Passport ignores the promise of a strategy, so
 * a rejection would end the process.
 */
export async function settle(decision: Promise<Decision>, answer: PassportAnswer): Promise<void> {
  const { req } = answer;
  const action = await chooseAction(logged(decision, answer), answer);
  try {
    // An async callback of the app gives its promise back through `success` and `error`.
    await action();
  } catch (thrown) {
    await recordUnfinished(req);
    passOn(req, thrown);
  }
}

async function logged(decision: Promise<Decision>, { channel }: PassportAnswer): Promise<Decision> {
  const where = `strategy (${channel})`;
  try {
    const decided = await decision;
    const isSuccess = decided.action === 'success';
    logDecision(
      where,
      isSuccess ? 'the code was accepted' : `${decided.status} ${decided.reason ?? 'refused'}`,
    );
    return decided;
  } catch (thrown) {
    logError(where, thrown);
    throw thrown;
  }
}

async function chooseAction(
  decision: Promise<Decision>,
  { req, isRedirected, actions: { success, fail, error } }: PassportAnswer,
): Promise<() => unknown> {
  try {
    const decided = await decision;
    if (isResponseSent(req.res)) {
      // Passport would redirect, or end the response a second time.
      await recordUnfinished(req);
      return () => error(responseSentError());
    }
    if (decided.action === 'success') return () => success(decided.user, decided.info);
    // RFC 9110, section 10.2.3: on a redirect it asks the client to wait before it follows.
    if (!isRedirected) announceWait(req, decided);
    return () => fail(decided.failure, decided.status);
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
