// What `<BackupCodeSheet>` adds to a page, React aside: its entry and every file of this package that it loads, minified and gzipped. Printed by
// the build; measures nothing else.
import { minifySync } from '@swc/core';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const DIST = join(__dirname, '../dist');

/** The file, and what it loads of this package, each once. */
function loaded(file: string, found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (found.has(file)) return found;
  const code = readFileSync(file, 'utf8');
  found.set(file, code);
  for (const [, path = ''] of code.matchAll(/\brequire\("(\.[^"]+)"\)/g))
    loaded(`${join(dirname(file), path)}.js`, found);
  return found;
}

const minified = [...loaded(join(DIST, 'react/index.js'))].map(
  ([file, code]) =>
    [
      relative(DIST, file),
      minifySync(code, { module: false, mangle: true, compress: true }).code,
    ] as const,
);
const gzipped = gzipSync(minified.map(([, code]) => code).join('\n'), { level: 9 }).length;
process.stdout.write(
  `passport-backup-code/react: ${(gzipped / 1000).toFixed(1)} kB minified and gzipped, React aside (${minified.map(([file]) => file).join(', ')})\n`,
);
