// The answers of `backupCodesRouter`: what they say, and how they are sent.
import type { Response } from 'express';
import { asError } from '../errors';
import { readPath } from './session';

/** An answer that is decided, but not yet sent. */
export interface RouterAnswer {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * The `code` of an answer that refuses. These words do not change. A guard has its own; that of the
 * default guard is `insufficient_user_authentication`.
 */
export type RouterErrorCode = keyof typeof REFUSALS;

/** `BackupCodes` waits as long for a place in its queue before it is busy. */
const RETRY_AFTER_SECONDS = 5;

const REFUSALS = {
  invalid_body: [400, 'The body must be a JSON object; {} if there is nothing to say.'],
  login_required: [401, 'Please sign in first.'],
  cross_site_request: [403, 'Only a page of this origin may ask for this.'],
  method_not_allowed: [405, 'This method does nothing here.'],
  not_staged: [409, 'No set with this id is staged, or it no longer is: make a new one.'],
  body_too_large: [413, 'The body is too large.'],
  unsupported_media_type: [415, 'The body must be sent as application/json.'],
  busy: [503, 'The service is busy. Please try again in a few seconds.'],
} as const satisfies Readonly<Record<string, readonly [status: number, message: string]>>;

/** Makes an answer that refuses the request. */
export function refuse(code: RouterErrorCode, message?: string): RouterAnswer {
  const [status, usualMessage] = REFUSALS[code];
  return { status, body: { code, message: message ?? usualMessage } };
}

/** Turns the error `busy` of `BackupCodes` into an answer. Every other error is thrown again. */
export function answerBusy(thrown: unknown): RouterAnswer {
  const isBusy =
    readPath(thrown, 'name') === 'BackupCodeError' && readPath(thrown, 'code') === 'busy';
  if (!isBusy) throw asError(thrown);
  const { status, body } = refuse('busy');
  return {
    status,
    body: { ...body, retryAfterSeconds: RETRY_AFTER_SECONDS },
    headers: { 'Retry-After': String(RETRY_AFTER_SECONDS) },
  };
}

/** Without `res.json`: its ETag is a fast hash of the codes, in a header that logs may keep. */
export function sendAnswer(res: Response, { status, body, headers = {} }: RouterAnswer): void {
  res
    .status(status)
    .set({ ...headers, 'Content-Type': 'application/json; charset=utf-8' })
    .end(JSON.stringify(body));
}
