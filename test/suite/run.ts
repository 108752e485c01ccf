// `npm test` and, with the argument `long`, `npm run test:all`: builds, then runs the short or the
// long tests. Says first how long that takes and what is left out. `npm test` checks format, lint
// and types beside the tests. More arguments are given to Jest.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { chromiumPath } from '../../example-app/test/helpers/chromium';
import { galera, mariadb, pgbouncer, postgres, redis } from '../helpers/servers';
import { LONG } from './long';

const ROOT = join(__dirname, '../..');
const PROJECTS = ['unit', 'thorough', 'servers', 'package', 'example'];
/** Measured on two cores that do nothing else. */
const MINUTES = { short: 8, long: 18 } as const;

const isLong = process.argv[2] === 'long';
const jestArguments = process.argv.slice(isLong ? 3 : 2);

function introduction(): string {
  const groups = Object.keys(LONG)
    .map((group) => `  - ${group}\n`)
    .join('');
  const part = isLong
    ? `npm run test:all takes about ${MINUTES.long} minutes on two cores. It runs what npm test ` +
      `leaves out:\n${groups}`
    : `npm test takes about ${MINUTES.short} minutes on two cores. It leaves to npm run test:all, ` +
      `which takes about ${MINUTES.long}:\n${groups}`;
  return `${part}${missingPrograms()}\n`;
}

/** What this machine does not have, and what follows from it. */
function missingPrograms(): string {
  const missing = [postgres, mariadb, galera, redis, pgbouncer].flatMap((server) => {
    const reason = server.missing();
    return reason === null ? [] : [`${server.name}: ${reason}`];
  });
  if (chromiumPath === undefined) missing.push('A browser: there is no Chromium or Chrome.');
  if (missing.length === 0) return '';
  const consequence =
    process.env['REQUIRE_ALL'] === '1' ? 'These tests fail' : 'These tests are skipped';
  return `${consequence}, because a program is missing here:\n  - ${missing.join('\n  - ')}\n`;
}

interface Ended {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program of Node. With `isQuiet`, its output is returned and not printed. */
async function runNode(args: readonly string[], { isQuiet = false } = {}): Promise<Ended> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, TEST_PART: isLong ? 'long' : 'short' },
    stdio: ['inherit', isQuiet ? 'pipe' : 'inherit', isQuiet ? 'pipe' : 'inherit'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (output += String(chunk)));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode: exitCode ?? 1, output };
}

/** Runs a script of package.json. npm names its own program in the environment of a script. */
function runScript(name: string, options?: { isQuiet: boolean }): Promise<Ended> {
  const npm = process.env['npm_execpath'];
  if (npm === undefined) throw new Error('Run this with `npm test` or `npm run test:all`.');
  return runNode([npm, 'run', '--silent', name], options);
}

async function main(): Promise<number> {
  process.stdout.write(introduction());
  for (const script of ['build', 'build:example']) {
    const { exitCode } = await runScript(script);
    if (exitCode !== 0) return exitCode;
  }
  const [lint, tests] = await Promise.all([
    isLong ? null : runScript('lint', { isQuiet: true }),
    runNode([
      join(ROOT, 'node_modules/jest/bin/jest.js'),
      ...['--filter', join(__dirname, 'filter.js')],
      ...['--selectProjects', ...PROJECTS],
      ...jestArguments,
    ]),
  ]);
  if (lint !== null) {
    process.stdout.write(lint.output);
    process.stdout.write(`Format, lint and types: ${lint.exitCode === 0 ? 'passed' : 'FAILED'}\n`);
  }
  return tests.exitCode === 0 ? (lint?.exitCode ?? 0) : tests.exitCode;
}

main().then(
  (exitCode) => {
    process.exitCode = exitCode;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
