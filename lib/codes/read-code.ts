// Reads what a user typed or pasted: one code of a format, or none.
import type { Format } from './formats';
import { symbolOf, symbolTableOf, type SymbolTable } from './symbol-table';

/** The longest input that is read, in UTF-16 code units. A longer one is not a code. */
export const MAX_TYPED_LENGTH = 128;

/** Ignored between symbols: white space, every dash and the separators. */
const SEPARATORS_OF_SYMBOLS = /[\s\p{Dash}._]/gu;
/** Characters that take no space on the page, such as direction marks. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;
/** Ignored around a code: all punctuation, such as quotes, brackets, commas and bullets. */
const AROUND_CODE = /^[\s\p{P}\p{S}]+|[\s\p{P}\p{S}]+$/gu;
/** The number of a line in a list, set apart from the code: `1.`, `2)`, `3:` or `4` and a space. */
const LIST_NUMBER = /^\p{N}{1,2}[\s\p{P}\p{S}]+/u;

/** By format: which symbol a typed ASCII character stands for. */
const symbolTables = new WeakMap<Format, SymbolTable>();

/**
 * Reads what a user typed or pasted. Returns the bare symbols, or `null` if it is not one code of
 * this format.
 *
 * White space, dashes, separators and invisible characters are ignored. Full-width forms, the
 * decimal digits of every script, both cases and look-alikes are understood. Around the code, other
 * punctuation and the number of its line in a list are ignored too.
 *
 * The length decides whether digits in front are symbols or a list number, so there is never more
 * than one reading: with the number the code would be too long, or without it too short.
 */
export function readCode(format: Format, typed: unknown): string | null {
  const visible = visibleText(typed);
  if (visible === null) return null;
  const text = visible.replace(AROUND_CODE, '');
  return readSymbols(format, text) ?? readSymbols(format, text.replace(LIST_NUMBER, ''));
}

/**
 * Reads a code from the records of an app. Unlike {@link readCode} it refuses other characters
 * around the code, because a mark there may mean that the code was used.
 */
export function readRecordedCode(format: Format, recorded: unknown): string | null {
  const visible = visibleText(recorded);
  return visible === null ? null : readSymbols(format, visible);
}

/** In compatible characters, or `null` if it cannot be a code. */
function visibleText(typed: unknown): string | null {
  if (typeof typed !== 'string' || typed.length > MAX_TYPED_LENGTH) return null;
  const compatible = typed.normalize('NFKC');
  // One character can become eighteen. The work that follows must have a limit too.
  return compatible.length > MAX_TYPED_LENGTH ? null : compatible.replace(INVISIBLE, '');
}

function readSymbols(format: Format, text: string): string | null {
  const table = tableOf(format);
  let symbols = '';
  for (const character of text.replace(SEPARATORS_OF_SYMBOLS, '')) {
    const symbol = symbolOf(table, character);
    if (symbol === undefined) return null;
    symbols += symbol;
  }
  return symbols.length === format.length ? symbols : null;
}

function tableOf(format: Format): SymbolTable {
  const existing = symbolTables.get(format);
  if (existing) return existing;
  const table = symbolTableOf(format.alphabet);
  symbolTables.set(format, table);
  return table;
}
