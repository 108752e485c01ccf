// `npm run test:matrix`: packs the package, runs the checks on every version of Node, and prints a
// table. `--node 22` and `--check jest` select a part, and can be repeated. The exit code is 1 if a
// check failed or could not run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pack } from '../helpers/packed';
import { installApp, type App } from './app';
import { CHECKS, type Check } from './checks';
import { formatTable } from './table';
import { NODES, type AppName, type Node } from './versions';

type Result = 'ok' | 'failed' | 'not run' | '-';

/** The part of the matrix to run. */
interface Selection {
  readonly nodes: readonly Node[];
  readonly checks: readonly Check[];
}

async function main(args: readonly string[]): Promise<void> {
  // A process that ends before the table is printed must not look like a success.
  process.exitCode = 1;
  const selection = readSelection(args);
  if (selection === null) {
    process.stderr.write(usage());
    process.exitCode = 2;
    return;
  }
  const work = mkdtempSync(join(tmpdir(), 'backup-codes-matrix-'));
  // A server that is starting does not keep this process alive.
  const keepAlive = setInterval(() => undefined, 60_000);
  try {
    const tarball = await pack(work);
    const columns: Result[][] = [];
    for (const node of selection.nodes) {
      columns.push(await runChecks(node, { checks: selection.checks, tarball, work }));
    }
    const rows = selection.checks.map(({ name }, row) => [
      name,
      ...columns.map((results) => results[row] ?? 'not run'),
    ]);
    process.stdout.write(
      `\n${formatTable([['', ...selection.nodes.map((node) => `Node ${node}`)], ...rows])}`,
    );
    process.exitCode = columns.flat().every((result) => result === 'ok' || result === '-') ? 0 : 1;
  } finally {
    clearInterval(keepAlive);
    rmSync(work, { recursive: true });
  }
}

function usage(): string {
  const checks = CHECKS.map(({ name }) => `  ${name}\n`).join('');
  return `Usage: npm run test:matrix [-- --node MAJOR ...] [--check WORD ...]
Versions of Node: ${NODES.join(', ')}
Checks:
${checks}`;
}

/** @returns `null` if a version of Node, a check or an option is unknown */
function readSelection(args: readonly string[]): Selection | null {
  try {
    const repeatable = { type: 'string', multiple: true } as const;
    const { node: majors = [], check: words = [] } = parseArgs({
      args: [...args],
      options: { node: repeatable, check: repeatable },
    }).values;
    const nodes = NODES.filter(
      (node) => majors.length === 0 || majors.some((major) => matches(major, node)),
    );
    const checks = CHECKS.filter(
      ({ name }) =>
        words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
    );
    const isKnown =
      majors.every((major) => nodes.some((node) => matches(major, node))) && checks.length > 0;
    return isKnown ? { nodes, checks } : null;
  } catch {
    return null;
  }
}

/** `--node 20` selects 20.19. */
function matches(major: string, node: Node): boolean {
  return `${node}.`.startsWith(`${major}.`);
}

async function runChecks(
  node: Node,
  { checks, tarball, work }: { checks: readonly Check[]; tarball: string; work: string },
): Promise<Result[]> {
  const apps = new Map<AppName, Promise<App>>();
  const appOf = (name: AppName): Promise<App> => {
    const app = apps.get(name) ?? installApp({ name, node, tarball, parent: work });
    apps.set(name, app);
    return app;
  };
  const results: Result[] = [];
  for (const check of checks) {
    const start = performance.now();
    const { result, output = '' } =
      check.isFor?.(node) === false
        ? { result: '-' as const }
        : await runCheck(check, () => appOf(check.app));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    process.stdout.write(`Node ${node}: ${check.name}: ${result}, ${seconds} s\n${output}`);
    results.push(result);
  }
  return results;
}

async function runCheck(
  check: Check,
  app: () => Promise<App>,
): Promise<{ result: Result; output?: string }> {
  const missing = check.missing?.() ?? null;
  if (missing !== null) return { result: 'not run', output: `${missing}\n` };
  let installed: App;
  try {
    installed = await app();
  } catch (error) {
    return { result: 'not run', output: `The app could not be installed. ${String(error)}\n` };
  }
  try {
    await check.run(installed);
    return { result: 'ok' };
  } catch (error) {
    return { result: 'failed', output: `${String(error)}\n` };
  }
}

void main(process.argv.slice(2));
