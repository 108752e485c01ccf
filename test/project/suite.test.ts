// `npm test` and `npm run test:all`: together they run every test file, each of them once.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import filter from '../suite/filter';
import { isLong, LONG } from '../suite/long';

const ROOT = join(__dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const fromRoot = (file: string): string => relative(ROOT, file).replaceAll(sep, '/');

/** Every test file of the repository. Those of the apps in test/hosts are fixtures. */
const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.test.ts', '*.test.tsx'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && !/^test\/(?:hosts|matrix|package\/fixtures)\//.test(file));

/** What Jest runs for the projects that both commands select. */
function listTests(): string[] {
  const projects = /const PROJECTS = \[(.*)\]/.exec(read('test/suite/run.ts'))?.[1] ?? '';
  const listed = execFileSync(
    process.execPath,
    [
      'node_modules/jest/bin/jest.js',
      ...['--listTests', '--json'],
      ...['--selectProjects', ...(projects.match(/\w+/g) ?? [])],
    ],
    { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return (JSON.parse(listed.slice(listed.indexOf('['))) as string[]).map(fromRoot);
}

it('Each test file belongs to one project that npm test or npm run test:all runs', () => {
  const listed = listTests();
  expect(files.filter((file) => !listed.includes(file))).toEqual([]);
  expect(listed.filter((file, n) => listed.indexOf(file) !== n)).toEqual([]);
});

it('npm run test:all runs each test file that npm test leaves out, and no other', () => {
  const paths = files.map((file) => join(ROOT, file));
  const before = process.env['TEST_PART'];
  const [short, long] = ['short', 'long'].map((part) => {
    process.env['TEST_PART'] = part;
    return filter(paths).filtered.map(fromRoot);
  });
  if (before === undefined) delete process.env['TEST_PART'];
  else process.env['TEST_PART'] = before;
  expect(long).toEqual(files.filter((file) => isLong(file)));
  expect([...short!, ...long!].sort()).toEqual([...files].sort());
});

it('Each path of the long tests leads to a test file', () => {
  const paths = Object.values(LONG).flat();
  expect(paths.filter((path) => !files.some((file) => file.startsWith(path)))).toEqual([]);
  expect(new Set(paths).size).toBe(paths.length);
});

it('CI runs both commands, and a missing server is a failure there', () => {
  expect(read('.ci/run').split('\n')).toEqual(
    expect.arrayContaining(['REQUIRE_ALL=1 npm test', 'REQUIRE_ALL=1 npm run test:all']),
  );
});
