// The body of a change: a JSON object, whether or not the app reads bodies itself. Never more than a few kilobytes of it.
import type { Request } from 'express';

/** A set's id and a token of the app's, many times over. */
const MAX_BYTES = 4096;

/** The object, or what is wrong with the body. */
export async function readJsonBody(
  req: Request,
): Promise<object | 'invalid_body' | 'body_too_large'> {
  // Express 4's own parser makes {} of no body at all.
  if (
    req.headers['transfer-encoding'] === undefined &&
    !(Number(req.headers['content-length']) > 0)
  )
    return 'invalid_body';
  const read: unknown = req.body;
  if (read === undefined) {
    const text = await readText(req);
    return text === null ? 'body_too_large' : parse(text);
  }
  if (typeof read === 'string' || Buffer.isBuffer(read)) return parse(String(read));
  return asObject(read);
}

/** `null` if it is too long. It is read to its end all the same: a connection cut short would not bring the answer. */
async function readText(req: Request): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BYTES ? null : Buffer.concat(chunks).toString();
}

function parse(text: string): object | 'invalid_body' {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return 'invalid_body';
  }
}

function asObject(value: unknown): object | 'invalid_body' {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : 'invalid_body';
}
