// The size that `<BackupCodeSheet>` adds to a page: the entry point and every file of this package
// that it loads, minified and gzipped. React is not counted. The build prints the result.
import { minifySync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = join(__dirname, '../dist');

/** The content of the file and of every file of this package that it loads, by path. */
function loadedFiles(file: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (found.has(file)) return found;
  const code = readFileSync(file, 'utf8');
  found.set(file, code);
  for (const [, path = ''] of code.matchAll(/\brequire\("(\.[^"]+)"\)/g)) {
    loadedFiles(`${join(dirname(file), path)}.js`, found);
  }
  return found;
}

const files = loadedFiles(join(DIST, 'react/index.js'));
const options = { module: false, mangle: true, compress: true } as const;
const minified = [...files.values()].map((code) => minifySync(code, options).code);
const gzipped = gzipSync(minified.join('\n'), { level: 9 }).length;
const names = [...files.keys()].map((file) => relative(DIST, file)).join(', ');
process.stdout.write(
  `passport-backup-code/react: ${(gzipped / 1000).toFixed(1)} kB minified and gzipped, ` +
    `without React (${names})\n`,
);
