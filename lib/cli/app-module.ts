// What the commands that work on the app's own BackupCodes have in common: reading the module of
// the app, and writing messages.

/** The exports of an ES module, or of a CommonJS module that was imported. */
export function exportsOf<T extends object>(module: unknown, name: keyof T): Partial<T> {
  const named = module as Partial<T> & { readonly default?: Partial<T> };
  return named[name] === undefined ? (named.default ?? {}) : named;
}

/** The first line of an error message. The rest, such as a require stack, is for debuggers. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}

/** How many numbers of lines a message names. */
export const MAX_NAMED_LINES = 10;

/** The first lines by number, such as `line 2, 5`. */
export function placeOf(lineNumbers: readonly number[], count = lineNumbers.length): string {
  const named = lineNumbers.slice(0, MAX_NAMED_LINES);
  const rest = count - named.length;
  return rest > 0 ? `line ${named.join(', ')} and ${rest} more` : `line ${named.join(', ')}`;
}
