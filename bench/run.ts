// `npm run bench`: runs the suites that are named, or all of them, and prints their tables, then
// the targets that were missed.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { footprint } from './footprint';
import { growth } from './growth';
import { hashQueue } from './hash-queue';
import { inFlight } from './in-flight';
import { load } from './load';
import { memory } from './memory';
import { races } from './races';
import { reports } from './reports';
import type { Effort } from './sampling';
import { setSizes } from './set-sizes';
import { stores } from './stores';
import { formatTable, type Table } from './table';
import { formatTarget, isReached } from './targets';

type Suite = (effort: Effort) => Iterable<Table> | AsyncIterable<Table>;

const SUITES: Readonly<Record<string, Suite>> = {
  races,
  stores,
  'set-sizes': setSizes,
  'in-flight': inFlight,
  'hash-queue': hashQueue,
  memory,
  load,
  footprint,
  growth,
  reports,
};
const USAGE = `Usage: npm run bench [-- SUITE ... --quick --json FILE]
  SUITE        ${Object.keys(SUITES).join(', ')}; all by default
  --quick      takes few samples, to see that every suite runs
  --json FILE  also writes the tables to a file
`;

interface BenchArguments {
  readonly names: readonly string[];
  readonly effort: Effort;
  /** Where to write the tables as JSON. */
  readonly jsonFile: string | undefined;
}

/** @throws {Error} an option or a suite is unknown */
function readArguments(): BenchArguments {
  const options = { quick: { type: 'boolean' }, json: { type: 'string' } } as const;
  const { positionals, values } = parseArgs({ allowPositionals: true, options });
  const unknown = positionals.find((name) => !Object.hasOwn(SUITES, name));
  if (unknown !== undefined) throw new Error(`There is no suite "${unknown}".`);
  return {
    names: positionals.length > 0 ? positionals : Object.keys(SUITES),
    effort: values.quick ? 'quick' : 'full',
    jsonFile: values.json,
  };
}

async function runSuites({ names, effort, jsonFile }: BenchArguments): Promise<void> {
  const machine = describeMachine();
  process.stdout.write(`${machine}\n`);
  const tables: Table[] = [];
  // Between two suites nothing else keeps this process alive: the servers do not.
  const keepAlive = setInterval(() => undefined, 60_000);
  for (const name of names) {
    try {
      for await (const table of SUITES[name]?.(effort) ?? []) {
        process.stdout.write(formatTable(table));
        tables.push(table);
      }
    } catch (error) {
      // The results of the other suites are still useful.
      process.stderr.write(`\nThe suite "${name}" failed.\n${inspect(error)}\n`);
      process.exitCode = 1;
    }
  }
  clearInterval(keepAlive);
  process.stdout.write(summarizeTargets(tables));
  if (jsonFile !== undefined) {
    writeFileSync(jsonFile, `${JSON.stringify({ machine, effort, tables }, null, 2)}\n`);
  }
}

function describeMachine(): string {
  const processor = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`;
  return `Node ${process.version}, ${processor}, load ${(loadavg()[0] ?? 0).toFixed(1)}`;
}

function summarizeTargets(tables: readonly Table[]): string {
  const targets = tables.flatMap((table) => table.targets ?? []);
  if (targets.length === 0) return '';
  const missed = targets.filter((target) => !isReached(target));
  const lines = [
    `${targets.length - missed.length} of ${targets.length} targets reached`,
    ...missed.map((target) => `  ${formatTarget(target)}`),
  ];
  return `\n${lines.join('\n')}\n`;
}

try {
  void runSuites(readArguments());
} catch (error) {
  process.stderr.write(`${String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
