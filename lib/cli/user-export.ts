// Reads an export of users and their plain codes, one line at a time. A line is JSON or
// comma-separated fields. Nothing here checks a code or keeps one.
import { text } from 'node:stream/consumers';

/** Everything that the export says about one user. */
export interface ExportedUser {
  readonly userId: string | number;
  /** The codes as the export has them, unchecked. */
  readonly codes: unknown[];
  /** The lines that name this user, counting from 1. */
  readonly lineNumbers: number[];
}

export interface UserExport {
  /** In the order of the export. The codes of one user may come from several lines. */
  readonly users: ExportedUser[];
  /** The lines that name no user, counting from 1. */
  readonly unreadableLines: number[];
}

type UserLine = Pick<ExportedUser, 'userId' | 'codes'>;

/** A field in double quotes, or one without quotes (RFC 4180, section 2). */
const FIELD = '"(?:[^"]|"")*"|[^",]*';
const FIELDS = new RegExp(`^(?:${FIELD})(?:,(?:${FIELD}))*$`);

/**
 * Reads lines such as `{"userId": 7, "codes": ["…", "…"]}` or `7,…,…`. Empty lines and empty fields
 * are skipped.
 */
export async function readUserExport(input: NodeJS.ReadableStream): Promise<UserExport> {
  const users = new Map<string, ExportedUser>();
  const unreadableLines: number[] = [];
  for (const [index, line] of (await text(input)).split('\n').entries()) {
    // This also removes the byte order mark and the carriage returns of Windows.
    const content = line.trim();
    if (content === '') continue;
    const userLine = content.startsWith('{') ? readJson(content) : readFields(content);
    if (userLine === null) {
      unreadableLines.push(index + 1);
      continue;
    }
    const { userId, codes } = userLine;
    // 42 and '42' are one user, as everywhere in this package.
    const key = String(userId);
    const user = users.get(key) ?? { userId, codes: [], lineNumbers: [] };
    user.codes.push(...codes);
    user.lineNumbers.push(index + 1);
    users.set(key, user);
  }
  return { users: [...users.values()], unreadableLines };
}

function readJson(line: string): UserLine | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The message of the parser quotes the line, and with it a code. It must not be printed.
    return null;
  }
  const { userId, codes } = value as { userId?: unknown; codes?: unknown };
  if (typeof userId !== 'string' && typeof userId !== 'number') return null;
  if (codes === null) return { userId, codes: [] };
  return Array.isArray(codes) ? { userId, codes } : null;
}

function readFields(line: string): UserLine | null {
  if (!FIELDS.test(line)) return null;
  const fields = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, bare = '']) => quoted?.replaceAll('""', '"') ?? bare.trim(),
  );
  const [userId = '', ...codes] = fields;
  return userId === '' ? null : { userId, codes: codes.filter((code) => code !== '') };
}
