// What a suite gives, and how it is printed: medians, their spread, and ratios to one row of the same run.
import { Bench } from 'tinybench';

export interface Row {
  readonly name: string;
  readonly medianMs: number;
  /** The middle half of all samples. */
  readonly middleMs: readonly [number, number];
  /** To the first row. */
  readonly ratio: number;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
}

export type Case = readonly [name: string, run: () => Promise<unknown>];

/** Measures the cases one after the other; all ratios are to the first. */
export async function measure(title: string, cases: readonly Case[], { iterations }: { iterations: number }): Promise<Table> {
  const bench = new Bench({ iterations, time: 0, warmupIterations: Math.ceil(iterations / 10), warmupTime: 0, retainSamples: true });
  for (const [name, run] of cases) bench.add(name, run);
  await bench.run();
  const measured = bench.tasks.map(({ name, result }) => {
    if (!('latency' in result)) throw new Error(`The case "${name}" did not run to its end: ${result.state}.`);
    const samples = [...(result.latency.samples ?? [])].sort((a, b) => a - b);
    return { name, medianMs: quantile(samples, 0.5), middleMs: [quantile(samples, 0.25), quantile(samples, 0.75)] as const };
  });
  const base = measured[0]?.medianMs ?? NaN;
  return { title, rows: measured.map((row) => ({ ...row, ratio: row.medianMs / base })) };
}

export function printTable({ title, rows }: Table): void {
  const lines = rows.map(({ name, medianMs, middleMs, ratio }) => [name, format(medianMs), `${format(middleMs[0])} to ${format(middleMs[1])}`, ratio.toFixed(2)]);
  const table = [['', 'median ms', 'middle half', 'ratio'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => line[column]?.length ?? 0)));
  process.stdout.write(`\n${title}\n`);
  for (const line of table) process.stdout.write(`  ${line.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}\n`);
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.floor((sorted.length - 1) * q)] ?? NaN;
}

function format(ms: number): string {
  return ms.toFixed(3);
}
