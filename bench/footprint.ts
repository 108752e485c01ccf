// The size of the package when installed, the time to load each entry point, and the same for its
// peers. The sizes are those of the built package in `dist`, not of a bundle.
import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { installPeers, PEERS } from './contestants/peers';
import { rowsOf, type Effort } from './sampling';
import type { Row, Table } from './table';

const ROOT = join(__dirname, '..');
const CHILD = join(__dirname, 'footprint-child.js');
const PRUNE = join(ROOT, '.ci/prune-build.mjs');
const ROUNDS = { quick: 3, full: 20 } as const;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** What footprint-child.js prints. */
interface Loaded {
  readonly ms: number;
  /** The size of the loaded files of this package. */
  readonly ownBytes: number;
  /** The size of the loaded files of its dependencies. */
  readonly otherBytes: number;
}

interface EntryPoint {
  readonly path: string;
  /** The folder in which the package is installed. */
  readonly cwd: string;
}

export function* footprint(effort: Effort): Generator<Table> {
  installPeers();
  const peers = ['better-auth', 'passport-backup-codes'].map((name) =>
    join(PEERS, 'node_modules', name),
  );
  yield { title: 'Installed size, in kB', rows: [ROOT, ...peers].map(measureInstalled) };
  yield measureEntryPoints(ROUNDS[effort]);
}

/** The published package and its dependencies. Packages of types are listed apart. */
function measureInstalled(directory: string): Row {
  const { name, version } = manifestOf(directory);
  const all = dependenciesOf(directory, () => true);
  const code = dependenciesOf(directory, (dependency) => !dependency.startsWith('@types/'));
  const types = all.filter((path) => !code.includes(path));
  const ownBytes = directory === ROOT ? publishedBytes() : bytesIn(directory);
  const sum = (paths: readonly string[]): number =>
    paths.reduce((bytes, path) => bytes + bytesIn(path), 0);
  return {
    name: `${name} ${version}`,
    figures: {
      'own kB': toKilobytes(ownBytes),
      dependencies: code.length,
      'their kB': toKilobytes(sum(code)),
      'type packages': types.length,
      'types kB': toKilobytes(sum(types)),
    },
  };
}

/** The folders of the dependencies, and of theirs. */
function dependenciesOf(
  directory: string,
  isWanted: (name: string) => boolean,
  found = new Set<string>(),
): readonly string[] {
  for (const name of Object.keys(manifestOf(directory).dependencies ?? {}).filter(isWanted)) {
    const path = packageDirectory(directory, name);
    if (found.has(path)) continue;
    found.add(path);
    dependenciesOf(path, isWanted, found);
  }
  return [...found];
}

function packageDirectory(from: string, name: string): string {
  const path = createRequire(join(from, 'package.json'))
    .resolve.paths(name)
    ?.map((modules) => join(modules, name))
    .find((candidate) => existsSync(join(candidate, 'package.json')));
  if (path === undefined) throw new Error(`${name} is not installed for ${from}.`);
  return path;
}

function manifestOf(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest;
}

function publishedBytes(): number {
  const options: ExecFileSyncOptionsWithStringEncoding = {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  };
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  const [packed] = JSON.parse(output) as { files: { path: string; size: number }[] }[];
  // A real `npm pack` removes these files from the build first.
  const pruned = execFileSync(process.execPath, [PRUNE, '--list'], options).split('\n');
  const published = packed?.files.filter(({ path }) => !pruned.includes(path)) ?? [];
  return published.reduce((bytes, { size }) => bytes + size, 0);
}

/** The size of the files of a package, without the packages that are installed inside of it. */
function bytesIn(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((bytes, entry) => {
    if (entry.name === 'node_modules') return bytes;
    const path = join(directory, entry.name);
    return bytes + (entry.isDirectory() ? bytesIn(path) : statSync(path).size);
  }, 0);
}

/** Loads the entry points in turn, each time in a fresh process. */
function measureEntryPoints(rounds: number): Table {
  const { name, exports = {} } = manifestOf(ROOT);
  const ours = Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key): EntryPoint => ({ path: posix.join(name, key), cwd: ROOT }));
  const bcrypt: EntryPoint = { path: 'bcrypt', cwd: ROOT };
  const peers = ['better-auth', 'better-auth/plugins', 'passport-backup-codes'].map(
    (path): EntryPoint => ({ path, cwd: PEERS }),
  );
  const entryPoints = [bcrypt, ...ours, ...peers];
  const loads = new Map<string, Loaded[]>(entryPoints.map(({ path }) => [path, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const entryPoint of entryPoints) loads.get(entryPoint.path)?.push(load(entryPoint));
  }
  const samples = new Map([...loads].map(([path, loaded]) => [path, loaded.map(({ ms }) => ms)]));
  const timeRows = rowsOf(
    entryPoints.map(({ path }) => ({ name: path })),
    samples,
  );
  const rows = timeRows.map((row): Row => {
    const [loaded] = loads.get(row.name) ?? [];
    const isOurs = ours.some(({ path }) => path === row.name);
    if (!loaded || !isOurs) return row;
    const sizes = { 'own kB': loaded.ownBytes / 1000, 'other kB': loaded.otherBytes / 1000 };
    return { ...row, figures: { ...row.figures, ...sizes } };
  });
  return { title: 'Entry points: the time to load one in a fresh process, and its files', rows };
}

function load({ path, cwd }: EntryPoint): Loaded {
  const output = execFileSync(process.execPath, [CHILD, path], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(output) as Loaded;
}

function toKilobytes(bytes: number): number {
  return Math.round(bytes / 1000);
}
