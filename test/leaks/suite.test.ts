// The tests run again in separate processes, and their output is recorded. No code that was issued
// in a test file may be in the other output of that file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Canary } from '../helpers/canary';
import type { Recording } from './recorder';

const ROOT = join(__dirname, '..', '..');
const TIMEOUT_MS = 600_000;

/** Ids and digests are hexadecimal. A code that is too (one in 700) would match them by chance. */
const isNotHexadecimal = (code: string): boolean => /[G-Z]/i.test(code);

let directory: string;
let output = '';
let exitCode: unknown;
let recordings: readonly Recording[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'backup-codes-leaks-'));
  const child = spawn(
    process.execPath,
    ['node_modules/jest/bin/jest.js', '--config', 'test/leaks/jest.config.js'],
    { cwd: ROOT, env: { ...process.env, LEAKS_DIR: directory } },
  );
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output += String(chunk)));
  [exitCode] = (await once(child, 'close')) as unknown[];
  recordings = readdirSync(directory).map(
    (name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as Recording,
  );
}, TIMEOUT_MS);
afterAll(() => rmSync(directory, { recursive: true }));

function canaryOf(codes: readonly string[]): Canary {
  const canary = new Canary();
  for (const code of codes.filter(isNotHexadecimal)) canary.addCode(code, 'a code');
  return canary;
}

it('The suite passes while its output is recorded', () => {
  expect({ exitCode, output }).toEqual({
    exitCode: 0,
    output: expect.stringContaining('Test Suites:'),
  });
  expect(recordings).toHaveLength(Number(/Test Suites: (\d+) passed/.exec(output)?.[1]));
  for (const place of ['events', 'answers', 'errors', 'objects', 'settlements']) {
    expect(
      recordings.filter(({ recorded }) => recorded.some((text) => text.startsWith(place))).length,
    ).toBeGreaterThan(1);
  }
  expect(recordings.flatMap(({ codes }) => codes).length).toBeGreaterThan(1000);
});

it(
  'No event, result, error or printed object contains a code',
  () => {
    const found = recordings.flatMap(({ file, codes, recorded }) => {
      const canary = canaryOf(codes);
      return recorded.flatMap((text) =>
        canary
          .findIn(text)
          .map((finding) => `${basename(file)}: ${finding} in ${text.slice(0, 300)}`),
      );
    });
    expect(found).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'The printed output contains no code',
  () => {
    expect(canaryOf(recordings.flatMap(({ codes }) => codes)).findIn(output)).toEqual([]);
  },
  TIMEOUT_MS,
);
