// A table of named figures, for suites whose rows are more than a median and a ratio. Measures nothing.
export interface Figures {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly figures: Readonly<Record<string, number>> }[];
}

export function printFigures({ title, rows }: Figures): void {
  const headings = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const lines = rows.map(({ name, figures }) => [name, ...headings.map((heading) => format(figures[heading]))]);
  const table = [['', ...headings], ...lines];
  const widths = ['', ...headings].map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  process.stdout.write(`\n${title}\n`);
  for (const line of table) process.stdout.write(`  ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}\n`);
}

/** Counts as they are; anything else to three places, and fewer where it is large. */
function format(figure: number | undefined): string {
  if (figure === undefined) return '';
  return Number.isInteger(figure) ? String(figure) : figure.toFixed(figure < 100 ? 3 : 0);
}
