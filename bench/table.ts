// What a suite gives, and how it is printed: rows of figures, and what was to be reached. Measures nothing.
import { verdict, type Target } from './targets';
import { written } from './written';

export interface Row {
  readonly name: string;
  readonly figures: Readonly<Record<string, number | string>>;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly targets?: readonly Target[];
}

/** As text, with a line for each target. */
export function printed({ title, rows, targets = [] }: Table): string {
  const headings = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))];
  const cells = [
    ['', ...headings],
    ...rows.map(({ name, figures }) => [
      name,
      ...headings.map((heading) => written(figures[heading])),
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
  return `\n${title}\n${[...lines, ...targets.map(verdict)].map((line) => `  ${line}\n`).join('')}`;
}
