// A form that is sent twice by a double click: browsers drop the answer to the first and wait for
// the second one's. Without this the first would use up the code, or make the codes, and nobody
// would see what came of it.
import { createHash } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import type { DroppedAnswer, FormsInProgress } from './forms-in-progress';

/**
 * While a form is being answered, the same form from the same browser waits. If the first one's
 * client is gone by then, the answer goes to the second; if not, it had its answer, and the second
 * is looked at like any other request: whatever was used by the first is used. So an answer, and
 * the session in it, reaches one client. Mounted before the session is read.
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

/** Cookie and token are part of it: nobody else can send the same. */
function hashForm(req: Request): string {
  const { cookie, accept } = req.headers;
  return createHash('sha256')
    .update(JSON.stringify([req.originalUrl, cookie, accept, req.body]))
    .digest('base64');
}

/**
 * Resolves once the answer is complete: with the answer if nobody is there for it, else with
 * `null`.
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
      // Read after the end: the session cookie is set as the headers go out.
      resolve(
        isGone
          ? { status: res.statusCode, headers: { ...res.getHeaders() }, body: Buffer.concat(parts) }
          : null,
      );
      return ended;
    };
  });
}
