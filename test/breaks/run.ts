// Applies each break to a copy of the package, one at a time. The named tests must fail on it, and
// pass on the unchanged copy. Nothing in this tree changes, and only the named tests run.
//
// `npm run test:breaks` takes some minutes. `npm run test:breaks -- N-05 W-` applies the breaks of
// one requirement and those of a letter.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import type { Break } from './break';
import { breaks } from './breaks';
import { namePattern, parseReference, ROOT } from './test-names';

/** The fields of Jest's report that this file reads. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly Result[];
  }[];
}
interface Result {
  readonly fullName: string;
  readonly status: 'passed' | 'failed' | 'pending' | 'skipped' | 'todo';
  readonly failureMessages: readonly string[];
}

/** A test, the file that runs it, and whether a time-out counts as its failure. */
interface ExpectedFailure {
  readonly reference: string;
  readonly mayHang: boolean;
  readonly file: string;
  readonly pattern: RegExp;
}

const JEST_TIMEOUT_MS = 900_000;
/** A broken file that does not compile or lacks a name proves nothing. */
const NOT_A_FINDING = /ReferenceError|SyntaxError/;
const TIME_OUT = /Exceeded timeout/;

function main(filters: readonly string[]): void {
  const chosen = breaks.filter(
    ({ id }) => filters.length === 0 || filters.some((filter) => id.startsWith(filter)),
  );
  if (chosen.length === 0) throw new Error(`There is no break of ${filters.join(' ')}.`);
  const copy = copyTree();
  try {
    const unchanged = unexpectedResults(
      chosen.flatMap(failuresOf),
      runJest(copy, chosen.flatMap(failuresOf)),
      'passed',
    );
    if (unchanged.length > 0) throw new Error(`On the unchanged package:\n${unchanged.join('\n')}`);
    const survivors = chosen.filter((broken) => {
      const found = applyBreak(copy, broken);
      const verdict = found.length === 0 ? 'noticed ' : 'SURVIVED';
      console.log(`${verdict}  ${broken.id.padEnd(9)} ${broken.what}  (${broken.file})`);
      for (const result of found) console.log(`          ${result}`);
      return found.length > 0;
    });
    console.log(
      `\n${chosen.length - survivors.length} of ${chosen.length} breaks were noticed ` +
        'by every test that is named for them.',
    );
    process.exitCode = survivors.length === 0 ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** Copies tracked and new files, so that this can run before a commit. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), 'backup-codes-breaks-'));
  const { stdout } = spawnSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: ROOT, encoding: 'utf8' },
  );
  for (const file of stdout
    .split('\0')
    .filter((name) => name !== '' && existsSync(join(ROOT, name))))
    cpSync(join(ROOT, file), join(copy, file));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** @returns the unexpected results of the break. Empty if all its tests failed */
function applyBreak(copy: string, { file, find, replace, ...rest }: Break): string[] {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  const pieces = source.split(find);
  if (pieces.length !== 2) return [`The string to find occurs ${pieces.length - 1} times: ${find}`];
  const broken = pieces.join(replace);
  const wanted = failuresOf({ file, find, replace, ...rest });
  try {
    transformSync(broken, {
      jsc: { parser: { syntax: 'typescript', tsx: file.endsWith('.tsx') } },
    });
    writeFileSync(path, broken);
    return unexpectedResults(wanted, runJest(copy, wanted), 'failed');
  } catch (error) {
    return [String(error)];
  } finally {
    writeFileSync(path, source);
  }
}

function failuresOf({ file: broken, noticedBy, hangs }: Break): ExpectedFailure[] {
  return noticedBy.map((reference) => {
    const parsed = parseReference(reference);
    return {
      reference,
      mayHang: hangs === true,
      file: runsIn(parsed.path, broken),
      pattern: new RegExp(namePattern(parsed)),
    };
  });
}

/** The file that runs the tests of a shared suite. The store suite runs on the broken store. */
function runsIn(path: string, broken: string): string {
  if (path === 'test/helpers/report-tests.ts') return 'test/stores/audit.test.ts';
  if (path === 'test/helpers/restore-tests.ts') return 'test/stores/restore.test.ts';
  if (path === 'test/helpers/account-tests.ts') return 'test/service/account.test.ts';
  if (path === 'test/helpers/approval-tests.ts') return 'test/approval/stores.test.ts';
  if (path === 'test/helpers/query-plan-tests.ts') return 'test/sql/query-plans.test.ts';
  if (!path.startsWith('lib/testing/')) return path;
  return `test/testing/${broken.startsWith('lib/stores/memory') ? 'memory' : 'sqlite'}.test.ts`;
}

function runJest(copy: string, wanted: readonly ExpectedFailure[]): Report {
  const output = join(copy, 'report.json');
  rmSync(output, { force: true });
  const files = [...new Set(wanted.map(({ file }) => file))];
  const names = [...new Set(wanted.map(({ pattern }) => pattern.source))].join('|');
  const args = [
    'node_modules/jest/bin/jest.js',
    '--selectProjects',
    'unit',
    'thorough',
    '--silent',
    '--json',
    '--outputFile',
    output,
    '--testNamePattern',
    names,
    '--runTestsByPath',
    ...files,
  ];
  const { stderr } = spawnSync(process.execPath, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: JEST_TIMEOUT_MS,
  });
  if (!existsSync(output)) throw new Error(`Jest gave no report:\n${stderr}`);
  return JSON.parse(readFileSync(output, 'utf8')) as Report;
}

/**
 * The tests that did not end as expected. On the unchanged package each test must pass; on a broken
 * one at least one row of a table must fail.
 */
function unexpectedResults(
  wanted: readonly ExpectedFailure[],
  { testResults }: Report,
  status: 'passed' | 'failed',
): string[] {
  return wanted.flatMap(({ reference, mayHang, file, pattern }) => {
    const ran = testResults.filter(({ name }) => name.endsWith(`/${file}`));
    const named = ran
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ fullName }) => pattern.test(fullName));
    if (named.length === 0)
      return [`not run: ${reference}\n${ran.map(({ message }) => message).join('\n')}`];
    const isFinding = (message: string): boolean =>
      !NOT_A_FINDING.test(message) && (mayHang || !TIME_OUT.test(message));
    const ended = named.filter(
      (result) => result.status === status && result.failureMessages.every(isFinding),
    );
    const isRight = status === 'passed' ? ended.length === named.length : ended.length > 0;
    const why = named.flatMap(({ failureMessages }) => failureMessages)[0]?.split('\n')[0];
    return isRight ? [] : [`not ${status}${why === undefined ? '' : ` (${why})`}: ${reference}`];
  });
}

main(process.argv.slice(2));
