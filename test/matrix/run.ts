// `npm run test:matrix`: packs the package, tries it on every version, and prints a table; all or,
// with `--node 22` or `--check jest` (each as often as needed), a part. Ends with 1 where anything
// failed or could not be run.
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

/** What is to be tried. */
interface Part {
  readonly nodes: readonly Node[];
  readonly checks: readonly Check[];
}

async function main(args: readonly string[]): Promise<void> {
  // Until the table says otherwise: a process that ends halfway is no proof.
  process.exitCode = 1;
  const part = readPart(args);
  if (part === null) {
    const checks = CHECKS.map(({ name }) => `  ${name}\n`).join('');
    process.stderr.write(
      `Usage: npm run test:matrix [-- --node MAJOR ...] [--check WORD ...]; Node: ${NODES.join(', ')}; checks:\n${checks}`,
    );
    process.exitCode = 2;
    return;
  }
  const work = mkdtempSync(join(tmpdir(), 'backup-codes-matrix-'));
  // A server that is being started does not keep this process alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    const tarball = await pack(work);
    const columns: Result[][] = [];
    for (const node of part.nodes)
      columns.push(await tryOn(node, { checks: part.checks, tarball, work }));
    const rows = part.checks.map(({ name }, row) => [
      name,
      ...columns.map((results) => results[row] ?? 'not run'),
    ]);
    process.stdout.write(
      `\n${formatTable([['', ...part.nodes.map((node) => `Node ${node}`)], ...rows])}`,
    );
    process.exitCode = columns.flat().every((result) => result === 'ok' || result === '-') ? 0 : 1;
  } finally {
    clearInterval(alive);
    rmSync(work, { recursive: true });
  }
}

/** @returns `null` where there is no such Node or check, or no such option */
function readPart(args: readonly string[]): Part | null {
  try {
    const repeatable = { type: 'string', multiple: true } as const;
    const { node: majors = [], check: words = [] } = parseArgs({
      args: [...args],
      options: { node: repeatable, check: repeatable },
    }).values;
    const nodes = NODES.filter(
      (node) => majors.length === 0 || majors.some((major) => isOf(major, node)),
    );
    const checks = CHECKS.filter(
      ({ name }) =>
        words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())),
    );
    const isKnown =
      majors.every((major) => nodes.some((node) => isOf(major, node))) && checks.length > 0;
    return isKnown ? { nodes, checks } : null;
  } catch {
    return null;
  }
}

/** `--node 20` is 20.19. */
function isOf(major: string, node: Node): boolean {
  return `${node}.`.startsWith(`${major}.`);
}

async function tryOn(
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
    const { result, said = '' } =
      check.isFor?.(node) === false
        ? { result: '-' as const }
        : await tryOne(check, () => appOf(check.app));
    process.stdout.write(
      `Node ${node}: ${check.name}: ${result}, ${((performance.now() - start) / 1000).toFixed(1)} s\n${said}`,
    );
    results.push(result);
  }
  return results;
}

async function tryOne(
  check: Check,
  app: () => Promise<App>,
): Promise<{ result: Result; said?: string }> {
  const missing = check.missing?.() ?? null;
  if (missing !== null) return { result: 'not run', said: `${missing}\n` };
  let installed: App;
  try {
    installed = await app();
  } catch (error) {
    return { result: 'not run', said: `The app could not be installed. ${String(error)}\n` };
  }
  try {
    await check.run(installed);
    return { result: 'ok' };
  } catch (error) {
    return { result: 'failed', said: `${String(error)}\n` };
  }
}

void main(process.argv.slice(2));
