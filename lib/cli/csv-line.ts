// Reads a line of fields (RFC 4180) that are separated by commas, semicolons or tabs.
import { parse } from 'papaparse';

const DELIMITERS = [',', ';', '\t'] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** Everything between two quotes. A quote in it is doubled, so it looks like two such parts. */
const QUOTED = /"[^"]*"/g;
/** Not a guess: a line with none of the delimiters, or with two of them, has no answer. */
export function delimiterOf(line: string): Delimiter | null {
  const unquoted = line.replace(QUOTED, '');
  const [delimiter, ...others] = DELIMITERS.filter((candidate) => unquoted.includes(candidate));
  return delimiter === undefined || others.length > 0 ? null : delimiter;
}

/** The fields without white space around them, or `null` if a quote is out of place. */
export function readFields(line: string, delimiter: Delimiter): string[] | null {
  const { data, errors } = parse<string[]>(line, { delimiter, newline: '\n' });
  const [fields, ...others] = data;
  if (fields === undefined || others.length > 0 || errors.length > 0) return null;
  const trimmed = fields.map((field) => field.trim());
  // The parser keeps such a quote as a character: it follows white space.
  return trimmed.some((field) => field.startsWith('"')) ? null : trimmed;
}
