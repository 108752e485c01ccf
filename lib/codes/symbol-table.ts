// Which symbol of an alphabet a typed character stands for.

/** Symbols that people and fonts confuse. One that the alphabet lacks is read as the one it has. */
export const LOOK_ALIKES: readonly string[] = ['1IL', '0O'];

const DECIMAL_DIGIT = /^\p{Nd}$/u;

/** By typed ASCII character. */
export type SymbolTable = ReadonlyMap<string, string>;

/** Both cases of each symbol and of its look-alikes, unless the alphabet has these too. */
export function symbolTableOf(alphabet: string): SymbolTable {
  const table = new Map<string, string>();
  const add = (typed: string, symbol: string): void => {
    table.set(typed.toUpperCase(), symbol);
    table.set(typed.toLowerCase(), symbol);
  };
  for (const lookAlikes of LOOK_ALIKES) {
    const symbols = Array.from(alphabet);
    const present = symbols.find((symbol) => lookAlikes.includes(symbol.toUpperCase()));
    if (present === undefined) continue;
    for (const lookAlike of lookAlikes) add(lookAlike, present);
  }
  // After the look-alikes: a symbol always stands for itself.
  for (const symbol of alphabet) add(symbol, symbol);
  return table;
}

/** The symbol that a character stands for, also as a decimal digit of another script. */
export function symbolOf(table: SymbolTable, character: string): string | undefined {
  return table.get(character) ?? table.get(toAsciiDigit(character));
}

/** A decimal digit of any script as an ASCII digit. Anything else gives an empty string. */
function toAsciiDigit(character: string): string {
  if (!DECIMAL_DIGIT.test(character)) return '';
  const code = character.codePointAt(0) ?? 0;
  // Unicode keeps the decimal digits of a script in runs of ten, zero first. Runs may be adjacent.
  let first = code;
  while (DECIMAL_DIGIT.test(String.fromCodePoint(first - 1))) first -= 1;
  return String((code - first) % 10);
}
