// Handles a form that a double click sends twice. The browser drops the first response and waits
// for the second. Without this module the first request would use the code, or make the codes, and
// the user would not see the result.
import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { DroppedAnswer, FormsInProgress } from './forms-in-progress';

/**
 * While a form is being answered, the same form from the same browser waits. If the first client
 * has disconnected by then, the second gets the response. If not, the second request is processed
 * like any other, and what the first used up stays used up. So a response, and the session in it,
 * reaches only one client. Mount it before the session is read.
 */
export function answerSecondClick(forms: FormsInProgress): RequestHandler {
  return async (req, res, next) => {
    if (req.method !== 'POST') {
      next();
      return;
    }
    const form = hashForm(req);
    const first = await forms.begin(form);
    if (first === 'none') void captureAnswer(res).then((dropped) => forms.end(form, dropped));
    else if (first !== 'answered') {
      res.writeHead(first.status, first.headers).end(first.body);
      return;
    }
    next();
  };
}

/**
 * The cookie and the CSRF token are part of the hash, so no other client can send the same form.
 */
function hashForm(req: Request): string {
  const { cookie, accept } = req.headers;
  return createHash('sha256')
    .update(JSON.stringify([req.originalUrl, cookie, accept, req.body]))
    .digest('base64');
}

/**
 * Resolves when the response is complete: with the response if its client has disconnected,
 * otherwise with `null`.
 */
function captureAnswer(res: Response): Promise<DroppedAnswer | null> {
  const parts: Buffer[] = [];
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) parts.push(Buffer.from(chunk));
  };
  const [write, end] = [res.write.bind(res), res.end.bind(res)] as [
    (...args: unknown[]) => boolean,
    (...args: unknown[]) => Response,
  ];
  return new Promise((resolve) => {
    res.write = (...args: unknown[]) => {
      keep(args[0]);
      return write(...args);
    };
    res.end = (...args: unknown[]) => {
      keep(args[0]);
      const isGone = res.closed || res.socket === null || res.socket.destroyed;
      const ended = end(...args);
      // Read after the end, because the session cookie is set when the headers are sent.
      resolve(
        isGone
          ? { status: res.statusCode, headers: { ...res.getHeaders() }, body: Buffer.concat(parts) }
          : null,
      );
      return ended;
    };
  });
}
