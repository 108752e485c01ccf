// Reads an export of users and their plain codes, one line at a time. A line is JSON, or fields
// that are separated by commas, semicolons or tabs. Nothing here keeps a code of a broken line.
import { delimiterOf, readFields, type Delimiter } from './csv-line';
import { MAX_LINE_LENGTH, readLines } from './read-lines';

/** Everything that the export says about one user. */
export interface ExportedUser {
  readonly userId: string | number;
  /** The codes that were not used, as the export has them, unchecked. */
  readonly codes: unknown[];
  /** The lines that name this user, counting from 1. */
  readonly lineNumbers: number[];
}

export interface UserExport {
  /** In the order of the export. The codes of one user may come from several lines. */
  readonly users: ExportedUser[];
  /** The lines that cannot be read, counting from 1, by what was expected of them. */
  readonly unreadableLines: ReadonlyMap<string, readonly number[]>;
  /** Whether the first field of every line reads as a code: the export has no column of users. */
  readonly hasOnlyCodes: boolean;
}

type UserLine = Pick<ExportedUser, 'userId' | 'codes'>;

/** What a line is. A string says what was expected instead. */
type ReadLine = UserLine | 'skip' | { readonly expected: string };

const EXPECTED_USER = { expected: 'expected {"userId": …, "codes": […]} or userId,code,code' };
const EXPECTED_SHORT_LINE = {
  expected: `expected a line for each user, of at most ${MAX_LINE_LENGTH} characters`,
};
const EXPECTED_ONE_DELIMITER = {
  expected:
    'expected {"userId": …, "codes": […]}, or fields that are all separated by commas, or all by ' +
    'semicolons, or all by tabs, in the whole file. Quote a field that contains another of them',
};

/** First fields of a header, in any case, with or without spaces, dashes and underscores. */
export const HEADER_NAMES = ['id', 'user', 'user_id', 'username', 'login', 'email'];
const BARE_HEADER_NAMES = HEADER_NAMES.map(bareName);
/** How databases export a field without a value. */
const NO_VALUE = ['', 'null', '\\n'];

/**
 * Reads lines such as `{"userId": 7, "codes": ["…", "…"]}`, `7,…,…` or `7;…;…`. Empty lines and a
 * header are skipped. `null` or an empty field in place of a code means that the code was used.
 *
 * @param isCode whether a field is a code. A line with one is not a header, and a file in which
 *   every user id is one has no user ids
 */
export async function readUserExport(
  input: NodeJS.ReadableStream,
  isCode: (field: string) => boolean,
): Promise<UserExport> {
  const users = new Map<string, ExportedUser>();
  const unreadableLines = new Map<string, number[]>();
  const readLine = lineReader(isCode);
  let lineNumber = 0;
  let lastNamed = 0;
  for await (const line of readLines(input)) {
    lineNumber += 1;
    const read = readLine(line);
    if (read === 'skip') continue;
    if ('expected' in read) {
      const lineNumbers = unreadableLines.get(read.expected) ?? [];
      lineNumbers.push(lineNumber);
      unreadableLines.set(read.expected, lineNumbers);
      continue;
    }
    const { userId, codes } = read;
    // JSON names the user id, whatever it looks like.
    const isNamed = line?.trimStart().startsWith('{') ?? false;
    if (isNamed || !isCode(String(userId))) lastNamed = lineNumber;
    // 42 and '42' are one user, as everywhere in this package.
    const key = String(userId);
    const user = users.get(key) ?? { userId, codes: [], lineNumbers: [] };
    for (const code of codes) user.codes.push(code);
    user.lineNumbers.push(lineNumber);
    users.set(key, user);
  }
  const hasOnlyCodes = users.size > 0 && lastNamed === 0;
  return { users: [...users.values()], unreadableLines, hasOnlyCodes };
}

/** Reads the lines of one export in order: the first fields decide on the delimiter of all. */
function lineReader(isCode: (field: string) => boolean): (line: string | null) => ReadLine {
  let delimiter: Delimiter | null = null;
  let isFirst = true;
  return (line) => {
    if (line === null) return EXPECTED_SHORT_LINE;
    if (line.trim() === '') return 'skip';
    const isFirstLine = isFirst;
    isFirst = false;
    if (line.trimStart().startsWith('{')) return readJson(line);
    const found = delimiterOf(line);
    delimiter ??= found;
    if (found === null || found !== delimiter) return EXPECTED_ONE_DELIMITER;
    const fields = readFields(line, found);
    if (fields === null) return EXPECTED_USER;
    return isFirstLine && isHeader(fields, isCode) ? 'skip' : userOf(fields);
  };
}

function readJson(line: string): ReadLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The message of the parser quotes the line, and with it a code. It must not be printed.
    return EXPECTED_USER;
  }
  const { userId, codes } = value as { userId?: unknown; codes?: unknown };
  if (typeof userId !== 'string' && typeof userId !== 'number') return EXPECTED_USER;
  if (codes === null) return { userId, codes: [] };
  if (!Array.isArray(codes)) return EXPECTED_USER;
  return { userId, codes: codes.filter((code) => code !== null && code !== '') };
}

function userOf([userId = '', ...fields]: readonly string[]): ReadLine {
  const codes = fields.filter((field) => !NO_VALUE.includes(field.toLowerCase()));
  // Spreadsheets export empty rows as delimiters only.
  if (userId === '') return codes.length === 0 ? 'skip' : EXPECTED_USER;
  return codes.some((code) => code.includes('"')) ? EXPECTED_USER : { userId, codes };
}

function isHeader(
  [name = '', ...fields]: readonly string[],
  isCode: (field: string) => boolean,
): boolean {
  return BARE_HEADER_NAMES.includes(bareName(name)) && !fields.some(isCode);
}

function bareName(name: string): string {
  return name.toLowerCase().replace(/[\s_-]/g, '');
}
