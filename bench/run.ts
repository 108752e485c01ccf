// `npm run bench`: runs the suites named (all by default) and prints tables; with `--json FILE` it writes them too.
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { printFigures, type Figures } from './figures';
import { growth } from './growth';
import { load } from './load';
import { reports } from './reports';
import { stores } from './stores';
import { printTable, type Table } from './table';

const SUITES: Readonly<Record<string, () => AsyncIterable<Table | Figures>>> = { stores, growth, load, reports };

async function main(args: readonly string[]): Promise<void> {
  const jsonAt = args.indexOf('--json');
  const file = jsonAt >= 0 ? args[jsonAt + 1] : undefined;
  const named = args.filter((arg, index) => arg !== '--json' && (jsonAt < 0 || index !== jsonAt + 1));
  const unknown = named.filter((name) => !(name in SUITES));
  if (unknown.length > 0 || (jsonAt >= 0 && file === undefined)) {
    process.stderr.write(`Usage: npm run bench [-- SUITE ...] [--json FILE]; suites: ${Object.keys(SUITES).join(', ')}\n`);
    process.exitCode = 2;
    return;
  }
  const machine = `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}`;
  process.stdout.write(`${machine}\n`);
  const tables: (Table | Figures)[] = [];
  // The servers do not keep this process alive; between two of them nothing else would.
  const alive = setInterval(() => undefined, 60_000);
  for (const name of named.length > 0 ? named : Object.keys(SUITES)) {
    for await (const table of SUITES[name]?.() ?? []) {
      if (isFigures(table)) printFigures(table);
      else printTable(table);
      tables.push(table);
    }
  }
  clearInterval(alive);
  if (file !== undefined) writeFileSync(file, `${JSON.stringify({ machine, tables }, null, 2)}\n`);
}

function isFigures(table: Table | Figures): table is Figures {
  return table.rows.some((row) => 'figures' in row);
}

void main(process.argv.slice(2));
