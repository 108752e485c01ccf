// The API documentation that `npm run docs` makes from the doc comments.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

it('the API documentation covers every entry point', () => {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(ROOT, file), 'utf8'));
  const { exports } = read('package.json') as {
    exports: Record<string, { readonly default?: string }>;
  };
  const sources = Object.entries(exports)
    .filter(([entry]) => entry !== './package.json')
    .map(([entry, { default: built }]) =>
      entry === '.' ? 'lib/index.ts' : built?.replace('./dist/', 'lib/').replace(/\.js$/, '.ts'),
    );
  expect((read('typedoc.json') as { entryPoints: string[] }).entryPoints.toSorted()).toEqual(
    sources.sort(),
  );
});

it('every export is documented, and no link in the API documentation is broken', () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/typedoc/bin/typedoc'), '--emit', 'none'],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } },
  );
  expect([`${stdout}${stderr}`.split('\n').filter((line) => line.startsWith('[')), status]).toEqual(
    [[], 0],
  );
}, 300_000);
