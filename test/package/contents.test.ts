// What the tarball on npm contains. Installs nothing and needs no registry.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { pack } from '../helpers/packed';
import { EXPORTS } from './entry-points';

const ROOT = join(__dirname, '../..');
const MAX_FILES = 400;
const MAX_PACKED_BYTES = 350_000;
const DOCUMENTS = [
  'package.json',
  'README.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'LICENSE',
  'docs/errors.md',
];

const work = mkdtempSync(join(tmpdir(), 'passport-backup-code-'));
/** npm puts everything into a folder of this name. */
const unpacked = join(work, 'package');
let tarball = '';
let files: string[] = [];

beforeAll(async () => {
  tarball = await pack(work);
  execFileSync('tar', ['-xzf', tarball, '-C', work]);
  files = filesIn(unpacked);
}, 300_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Paths below the directory, with forward slashes. */
function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .map((path) => path.split(sep).join('/'));
}

function readUnpacked(file: string): string {
  return readFileSync(join(unpacked, file), 'utf8');
}

/** The JavaScript and the type declarations that the compiler makes from a source file. */
function outputsOf(source: string): string[] {
  if (source.endsWith('.json')) return [`dist/${source}`];
  const stem = source.replace(/\.(?:mts|tsx?)$/, '');
  return source.endsWith('.mts')
    ? [`dist/${stem}.mjs`, `dist/${stem}.d.mts`]
    : [`dist/${stem}.js`, `dist/${stem}.d.ts`];
}

it('the package contains the build and six documents, and nothing else', () => {
  const others = files.filter((name) => !name.startsWith('dist/'));
  expect(others.sort()).toEqual(DOCUMENTS.toSorted());
});

it('every file of the build comes from a source file of today', () => {
  const outputs = filesIn(join(ROOT, 'lib')).flatMap(outputsOf);
  const built = files.filter((name) => name.startsWith('dist/'));
  expect(built.filter((name) => !outputs.includes(name))).toEqual([]);
});

it('every file of the build can be loaded from an entry point or from the command', () => {
  const script = join(ROOT, '.ci/prune-build.mjs');
  const unreachable = execFileSync(process.execPath, [script, '--list', unpacked]);
  expect(unreachable.toString()).toBe('');
});

it('the package contains no source and no source map, and no comment that names one', () => {
  expect(files.filter((name) => /\.map$|^lib\/|(?<!\.d)\.m?tsx?$/.test(name))).toEqual([]);
  expect(files.filter((name) => readUnpacked(name).includes('sourceMappingURL='))).toEqual([]);
});

it('the package has at most 400 files and is at most 350 kB as npm downloads it', () => {
  expect(files.length).toBeLessThanOrEqual(MAX_FILES);
  expect(statSync(tarball).size).toBeLessThanOrEqual(MAX_PACKED_BYTES);
});

it('the type declarations keep the documentation comments, which editors show', () => {
  expect(readUnpacked('dist/service/backup-codes.d.ts')).toMatch(/\*\/\s+consume\(/);
});

it('the package runs no script when it is installed', () => {
  const { scripts } = JSON.parse(readUnpacked('package.json')) as {
    scripts: Record<string, string>;
  };
  const names = Object.keys(scripts);
  expect(names.filter((name) => /install|prepare|^prepublish$/.test(name))).toEqual([]);
});

it('the package has the entry points that these tests know, and no others', () => {
  const { exports } = JSON.parse(readUnpacked('package.json')) as {
    exports: Record<string, unknown>;
  };
  const entryPoints = Object.keys(exports)
    .filter((name) => name !== './package.json')
    .map((name) => name.replace(/^\./, 'passport-backup-code'));
  expect(entryPoints.sort()).toEqual(Object.keys(EXPORTS).sort());
});

it('the React entry point is marked as client code for frameworks with server components', () => {
  expect(readUnpacked('dist/react/index.js')).toMatch(/^(?:"use strict";\n)?'use client';\n/);
});
