// Reads a stream of UTF-8 line by line. Keeps one line at a time, and drops one that is too long.
import { BackupCodeError } from '../errors';

/** In UTF-16 code units. 32 codes and a user id take a tenth of it. */
export const MAX_LINE_LENGTH = 65_536;

/**
 * The lines without their ends, of Unix or Windows, and without a byte order mark. `null` stands
 * for a line that is longer than {@link MAX_LINE_LENGTH}.
 *
 * @throws {BackupCodeError} `invalid_codes` if the input is not UTF-8. Other encodings would change
 * the ids of users.
 */
export async function* readLines(input: NodeJS.ReadableStream): AsyncGenerator<string | null> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lineNumber = 1;
  const decode = (chunk?: Uint8Array): string => {
    try {
      return decoder.decode(chunk, { stream: chunk !== undefined });
    } catch {
      throw new BackupCodeError(
        'invalid_codes',
        `The file is not UTF-8 at line ${lineNumber} or soon after.`,
      );
    }
  };
  let line: string | null = '';
  for await (const chunk of input) {
    const [rest = '', ...lines] = decode(chunk as unknown as Uint8Array).split('\n');
    line = join(line, rest);
    for (const next of lines) {
      yield withoutReturn(line);
      lineNumber += 1;
      line = join('', next);
    }
  }
  line = join(line, decode());
  if (line !== '') yield withoutReturn(line);
}

function join(start: string | null, rest: string): string | null {
  if (start === null || start.length + rest.length > MAX_LINE_LENGTH) return null;
  return start + rest;
}

function withoutReturn(line: string | null): string | null {
  return line?.endsWith('\r') ? line.slice(0, -1) : line;
}
