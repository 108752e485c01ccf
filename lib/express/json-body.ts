// Reads the body of a change as a JSON object, whether or not the app has a body parser.
import type { Request } from 'express';

/** Room for the id of a set and a token of the app, many times over. */
const MAX_BYTES = 4096;

/** Returns the object, or what is wrong with the body. */
export async function readJsonBody(
  req: Request,
): Promise<object | 'invalid_body' | 'body_too_large'> {
  if (!hasBody(req)) return 'invalid_body';
  const body: unknown = req.body;
  if (body === undefined) {
    const text = await readText(req);
    return text === null ? 'body_too_large' : parseObject(text);
  }
  if (typeof body === 'string' || Buffer.isBuffer(body)) return parseObject(String(body));
  return checkObject(body);
}

/** By the headers: Express 4's own parser makes {} of a request without a body. */
function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0;
}

/**
 * Returns `null` if the body is too long. It is read to its end all the same: a connection that is
 * cut would not carry the answer.
 */
async function readText(req: Request): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_BYTES) chunks.push(chunk);
  }
  return bytes > MAX_BYTES ? null : Buffer.concat(chunks).toString();
}

function parseObject(text: string): object | 'invalid_body' {
  try {
    return checkObject(JSON.parse(text));
  } catch {
    return 'invalid_body';
  }
}

function checkObject(value: unknown): object | 'invalid_body' {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? value
    : 'invalid_body';
}
