// The result of a suite, and how it is printed.
import { formatFigure } from './format-figure';
import { formatTarget, type Target } from './targets';

export interface Row {
  readonly name: string;
  /** By the heading of the column. */
  readonly figures: Readonly<Record<string, number | string>>;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly targets?: readonly Target[];
}

/** Prints the rows in columns, then one line for each target. */
export function formatTable({ title, rows, targets = [] }: Table): string {
  const headings = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const cells = [
    ['', ...headings],
    ...rows.map(({ name, figures }) => [
      name,
      ...headings.map((heading) => formatFigure(figures[heading])),
    ]),
  ];
  const widths = ['', ...headings].map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  const lines = cells.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  const indented = [...lines, ...targets.map(formatTarget)].map((line) => `  ${line}\n`);
  return `\n${title}\n${indented.join('')}`;
}
