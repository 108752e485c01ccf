// What the package weighs: installed, each entry point, and the time to load one; beside the peers. Bytes of the built package in
// `dist`, not of a bundle.
import { execFileSync, type ExecFileSyncOptionsWithStringEncoding } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import { installPeers, PEERS } from './contestants/peers';
import { rowsOf, type Effort } from './rounds';
import type { Row, Table } from './table';

const ROOT = join(__dirname, '..');
const CHILD = join(__dirname, 'footprint-child.js');
const ROUNDS = { quick: 3, full: 20 } as const;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}
interface Loaded {
  readonly ms: number;
  readonly own: number;
  readonly others: number;
}
interface Entry {
  readonly path: string;
  readonly cwd: string;
}

export function* footprint(effort: Effort): Generator<Table> {
  installPeers();
  const peers = ['better-auth', 'passport-backup-codes'].map((name) =>
    join(PEERS, 'node_modules', name),
  );
  yield { title: 'Installed, in kB on the disk', rows: [ROOT, ...peers].map(installed) };
  yield entries(ROUNDS[effort]);
}

/** The package as it is published, and all that npm installs with it; what types bring apart, for it is not run. */
function installed(directory: string): Row {
  const { name, version } = manifestOf(directory);
  const all = closureOf(directory, () => true);
  const code = closureOf(directory, (dependency) => !dependency.startsWith('@types/'));
  const types = all.filter((path) => !code.includes(path));
  const own = directory === ROOT ? publishedBytes() : bytesIn(directory);
  const sum = (paths: readonly string[]): number =>
    paths.reduce((bytes, path) => bytes + bytesIn(path), 0);
  const figures = {
    itself: kB(own),
    'packages with it': code.length,
    'they have': kB(sum(code)),
    'packages of types': types.length,
    'these have': kB(sum(types)),
  };
  return { name: `${name} ${version}`, figures };
}

/** Its dependencies and theirs, without itself. */
function closureOf(
  directory: string,
  isWanted: (name: string) => boolean,
  found = new Set<string>(),
): readonly string[] {
  for (const name of Object.keys(manifestOf(directory).dependencies ?? {}).filter(isWanted)) {
    const path = packageDir(directory, name);
    if (found.has(path)) continue;
    found.add(path);
    closureOf(path, isWanted, found);
  }
  return [...found];
}

function packageDir(from: string, name: string): string {
  const path = createRequire(join(from, 'package.json'))
    .resolve.paths(name)
    ?.map((place) => join(place, name))
    .find((place) => existsSync(join(place, 'package.json')));
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
  const told = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], options);
  return (JSON.parse(told) as { unpackedSize: number }[])[0]?.unpackedSize ?? NaN;
}

/** Packages inside of it are counted by themselves. */
function bytesIn(directory: string): number {
  return readdirSync(directory, { withFileTypes: true }).reduce((bytes, entry) => {
    if (entry.name === 'node_modules') return bytes;
    const path = join(directory, entry.name);
    return bytes + (entry.isDirectory() ? bytesIn(path) : statSync(path).size);
  }, 0);
}

/** Each time in a process of its own, in turns. */
function entries(rounds: number): Table {
  const { name, exports = {} } = manifestOf(ROOT);
  const ours = Object.keys(exports)
    .filter((key) => key !== './package.json')
    .map((key): Entry => ({ path: posix.join(name, key), cwd: ROOT }));
  const bcrypt: Entry = { path: 'bcrypt', cwd: ROOT };
  const peers = ['better-auth', 'better-auth/plugins', 'passport-backup-codes'].map(
    (path): Entry => ({ path, cwd: PEERS }),
  );
  const all = [bcrypt, ...ours, ...peers];
  const seen = new Map<string, Loaded[]>(all.map(({ path }) => [path, []]));
  for (let round = 0; round < rounds; round += 1)
    for (const entry of all) seen.get(entry.path)?.push(load(entry));
  const samples = new Map([...seen].map(([path, loaded]) => [path, loaded.map(({ ms }) => ms)]));
  const rows = rowsOf(
    all.map(({ path }) => ({ name: path })),
    samples,
  ).map((row): Row => {
    const [loaded] = seen.get(row.name) ?? [];
    const isOurs = ours.some(({ path }) => path === row.name);
    return loaded && isOurs
      ? {
          ...row,
          figures: {
            ...row.figures,
            'own kB': loaded.own / 1000,
            'other kB': loaded.others / 1000,
          },
        }
      : row;
  });
  return {
    title:
      'Entry points: the time that a fresh process needs to load one, and the files that it loads',
    rows,
  };
}

function load({ path, cwd }: Entry): Loaded {
  return JSON.parse(
    execFileSync(process.execPath, [CHILD, path], {
      cwd,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as Loaded;
}

function kB(bytes: number): number {
  return Math.round(bytes / 1000);
}
