// `npm run bench`: runs the suites named (all by default) and prints tables, at the end what was reached; `--quick` for a look,
// `--json FILE` writes the tables too.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { inspect, parseArgs } from 'node:util';
import { footprint } from './footprint';
import { growth } from './growth';
import { inFlight } from './in-flight';
import { load } from './load';
import { memory } from './memory';
import { races } from './races';
import { reports } from './reports';
import type { Effort } from './rounds';
import { setSizes } from './set-sizes';
import { stores } from './stores';
import { printed, type Table } from './table';
import { isReached, verdict } from './targets';

const SUITES: Readonly<Record<string, (effort: Effort) => Iterable<Table> | AsyncIterable<Table>>> =
  {
    races,
    stores,
    'set-sizes': setSizes,
    'in-flight': inFlight,
    memory,
    load,
    footprint,
    growth,
    reports,
  };
const USAGE = `Usage: npm run bench [-- SUITE ... --quick --json FILE]; suites: ${Object.keys(SUITES).join(', ')}\n`;

const OPTIONS = { quick: { type: 'boolean' }, json: { type: 'string' } } as const;

/** The suites named, or all. @throws {Error} what `parseArgs` says, or that there is no such suite */
function read(): { names: readonly string[]; effort: Effort; json?: string } {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: OPTIONS });
  const strange = positionals.find((name) => !(name in SUITES));
  if (strange !== undefined) throw new Error(`There is no suite "${strange}".`);
  const names = positionals.length > 0 ? positionals : Object.keys(SUITES);
  return {
    names,
    effort: values.quick ? 'quick' : 'full',
    ...(values.json !== undefined && { json: values.json }),
  };
}

async function run({ names, effort, json }: ReturnType<typeof read>): Promise<void> {
  const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, load ${(loadavg()[0] ?? 0).toFixed(1)}`;
  process.stdout.write(`${machine}\n`);
  const tables: Table[] = [];
  // The servers do not keep this process alive; between two of them nothing else would.
  const alive = setInterval(() => undefined, 60_000);
  for (const name of names) {
    try {
      for await (const table of SUITES[name]?.(effort) ?? []) {
        process.stdout.write(printed(table));
        tables.push(table);
      }
    } catch (error) {
      // The other suites are worth having all the same.
      process.stderr.write(`\nThe suite "${name}" did not come to its end.\n${inspect(error)}\n`);
      process.exitCode = 1;
    }
  }
  clearInterval(alive);
  const targets = tables.flatMap((table) => table.targets ?? []);
  const missed = targets.filter((target) => !isReached(target));
  const summary = [
    `${targets.length - missed.length} of ${targets.length} targets reached`,
    ...missed.map((target) => `  ${verdict(target)}`),
  ];
  if (targets.length > 0) process.stdout.write(`\n${summary.join('\n')}\n`);
  if (json !== undefined)
    writeFileSync(json, `${JSON.stringify({ machine, effort, tables }, null, 2)}\n`);
}

try {
  void run(read());
} catch (error) {
  process.stderr.write(`${String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
