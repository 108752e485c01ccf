// Reads an export of users and their plain codes, line by line: JSON, or fields with commas between. Judges no code and keeps none.
import { text } from 'node:stream/consumers';

/** All that the export says of one user. */
export interface ExportedUser {
  readonly userId: string | number;
  readonly codes: unknown[];
  /** Where, counted from 1. */
  readonly lines: number[];
}

/** By user, in the order of the export: a user's codes may be spread over several lines. */
export interface Export {
  readonly users: ExportedUser[];
  /** Lines of which not even the user can be told. */
  readonly unreadable: number[];
}

/**
 * `{"userId": 7, "codes": ["…", "…"]}` or `7,…,…` in each line. Empty lines and fields are nothing.
 */
export async function readExport(input: NodeJS.ReadableStream): Promise<Export> {
  const users = new Map<string, ExportedUser>();
  const unreadable: number[] = [];
  for (const [index, line] of (await text(input)).split('\n').entries()) {
    const content = line.trim(); // a byte order mark and a carriage return are white space too
    if (content === '') continue;
    const read = content.startsWith('{') ? readJson(content) : readFields(content);
    if (read === null) {
      unreadable.push(index + 1);
      continue;
    }
    // As everywhere in this package, 42 and '42' are one user.
    const key = String(read.userId);
    const user = users.get(key) ?? { userId: read.userId, codes: [], lines: [] };
    user.codes.push(...read.codes);
    user.lines.push(index + 1);
    users.set(key, user);
  }
  return { users: [...users.values()], unreadable };
}

function readJson(line: string): Pick<ExportedUser, 'userId' | 'codes'> | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // What the parser says quotes the line, and so a code.
    return null;
  }
  const { userId, codes } = value as { userId?: unknown; codes?: unknown };
  if (
    (typeof userId !== 'string' && typeof userId !== 'number') ||
    !(Array.isArray(codes) || codes === null)
  )
    return null;
  return { userId, codes: codes ?? [] };
}

/** RFC 4180, in one line: a field is in quotes as a whole, or has none in it. */
function readFields(line: string): Pick<ExportedUser, 'userId' | 'codes'> | null {
  if (!/^(?:"(?:[^"]|"")*"|[^",]*)(?:,(?:"(?:[^"]|"")*"|[^",]*))*$/.test(line)) return null;
  const fields = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, bare = '']) => quoted?.replaceAll('""', '"') ?? bare.trim(),
  );
  const [userId = '', ...codes] = fields;
  return userId === '' ? null : { userId, codes: codes.filter((code) => code !== '') };
}
