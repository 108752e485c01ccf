// The service as a process: it prints its address, stops gracefully, and refuses an invalid
// environment in one line.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(__dirname, '..', 'dist', 'main.js');

let dataDir: string;
beforeEach(() => {
  if (!existsSync(MAIN))
    throw new Error(
      'There is no build of the example: run `npm run build && npm run build:example` first.',
    );
  dataDir = mkdtempSync(join(tmpdir(), 'backup-code-main-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

interface Started {
  readonly child: ChildProcess;
  readonly output: { text: string; errors: string };
  /** Resolves with the exit code. */
  readonly end: Promise<unknown>;
}

function start(env: Record<string, string>): Started {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', ...env },
  });
  const output = { text: '', errors: '' };
  child.stdout.on('data', (chunk) => (output.text += String(chunk)));
  child.stderr.on('data', (chunk) => (output.errors += String(chunk)));
  return { child, output, end: once(child, 'close').then(([code]: unknown[]) => code) };
}

test('The service prints its address, answers, and exits with 0 on SIGTERM', async () => {
  const { child, output, end } = start({});
  await once(child.stdout!, 'data');
  expect(output.text).toMatch(/^http:\/\/localhost:\d+\n$/);
  const answer = await fetch(`${output.text.trim()}/healthz`);
  expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
  child.kill('SIGTERM');
  expect(await end).toBe(0);
  expect(output.errors).toBe('');
}, 60_000);

test('In production the service does not start without secrets', async () => {
  const { output, end } = start({ NODE_ENV: 'production' });
  expect(await end).toBe(1);
  expect(output).toEqual({
    text: '',
    errors:
      'In production SESSION_SECRET and BACKUP_CODE_PEPPER must be set. ' +
      'example-app/README.md shows how to generate them.\n',
  });
}, 60_000);

test('In production the service warns if no mail server is set', async () => {
  const { child, output, end } = start({
    NODE_ENV: 'production',
    TRUST_PROXY: '1',
    SESSION_SECRET: 'x'.repeat(32),
    BACKUP_CODE_PEPPER: `2026:${Buffer.alloc(32, 7).toString('base64')}`,
  });
  await once(child.stdout!, 'data');
  child.kill('SIGTERM');
  expect(await end).toBe(0);
  expect(output.errors).toContain(
    '[EXAMPLE_NO_MAIL] Warning: ' +
      'Users are not notified when one of their backup codes is used: set SMTP_URL.',
  );
}, 60_000);

test('A port that is in use gives a clear error', async () => {
  const first = start({});
  await once(first.child.stdout!, 'data');
  const port = /\d+$/.exec(first.output.text.trim())![0];
  const secondDir = mkdtempSync(join(tmpdir(), 'backup-code-main-'));
  const second = start({ PORT: port, DATA_DIR: secondDir });
  expect(await second.end).toBe(1);
  expect(second.output.errors).toBe(`PORT ${port} is in use by another program.\n`);
  first.child.kill('SIGTERM');
  await first.end;
  rmSync(secondDir, { recursive: true });
}, 60_000);
