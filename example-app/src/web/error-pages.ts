// Error pages. The user learns what they can do; all other details go to the operator.
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { BackupCodeError } from 'passport-backup-code';
import { invalidCsrfTokenError } from './csrf';
import { sendError } from './responses';

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly message: string;
}

export const answerNotFound: RequestHandler = (req, res) => {
  sendError(
    { req, res },
    {
      status: 404,
      code: 'not_found',
      title: 'Page not found',
      message: 'There is no such page here.',
    },
  );
};

export function answerErrors(report: (error: unknown) => void): ErrorRequestHandler {
  return (error: unknown, req: Request, res: Response, next) => {
    const problem = describeProblem(error);
    if (problem.status >= 500) report(error);
    // Part of the response was sent already. Express closes the connection.
    if (res.headersSent) {
      next(error);
      return;
    }
    if (problem.status === 503) res.set('Retry-After', '5');
    sendError({ req, res }, problem);
  };
}

function describeProblem(error: unknown): Problem {
  if (error === invalidCsrfTokenError) {
    return {
      status: 403,
      code: 'invalid_csrf_token',
      title: 'This form is no longer valid',
      message: 'Nothing was changed. Go back, load the page again, and send the form once more.',
    };
  }
  if (error instanceof BackupCodeError && error.code === 'busy') {
    return {
      status: 503,
      code: 'busy',
      title: 'One moment',
      message: 'The service is busy. Try again in a few seconds.',
    };
  }
  if (error instanceof BackupCodeError && error.code === 'login_unfinished') {
    return {
      status: 500,
      code: 'login_unfinished',
      title: 'You are not logged in',
      message:
        'The code was valid, but logging you in failed. Log in again. ' +
        'If you used a backup code, use the next one on your list.',
    };
  }
  const status =
    error instanceof BackupCodeError && error.code === 'invalid_cursor'
      ? 400
      : clientErrorStatus(error);
  if (status === 413)
    return {
      status,
      code: 'too_large',
      title: 'Too much',
      message: 'More was sent than this form takes.',
    };
  if (status !== null)
    return {
      status,
      code: 'bad_request',
      title: 'Not understood',
      message: 'The server does not understand this request. Nothing was changed.',
    };
  return {
    status: 500,
    code: 'internal_error',
    title: 'Something went wrong',
    message:
      'It is not your fault, and the people who run this service have been told. Try again later.',
  };
}

/** Express and its parsers set a 4xx status on errors that the client caused. */
function clientErrorStatus(error: unknown): number | null {
  const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : null;
}
