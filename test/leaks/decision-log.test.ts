// With NODE_DEBUG=passport-backup-code each decision is one line, and no line has a secret.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Canary } from '../helpers/canary';
import type { Secrets } from './decision-log-child';

const ROOT = join(__dirname, '../..');

async function run(debug: string): Promise<{ lines: string[]; secrets: Secrets }> {
  const child = fork(join(__dirname, 'decision-log-child.ts'), [], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'test', NODE_DEBUG: debug },
    execArgv: ['--no-warnings', '--require', join(__dirname, '../helpers/run-typescript.js')],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let log = '';
  child.stderr?.on('data', (chunk) => (log += String(chunk)));
  let secrets: Secrets | undefined;
  child.once('message', (message) => (secrets = message as Secrets));
  await once(child, 'close');
  if (secrets === undefined) throw new Error(`The app failed:\n${log}`);
  return { lines: log.split('\n').filter((line) => line !== ''), secrets };
}

const PREFIX = /^PASSPORT-BACKUP-CODE \d+: /;

describe('with NODE_DEBUG=passport-backup-code', () => {
  let lines: string[];
  let secrets: Secrets;
  beforeAll(async () => {
    ({ lines, secrets } = await run('passport-backup-code'));
  });

  test('each decision is one line, in the words of docs/errors.md', () => {
    expect(lines.filter((line) => !PREFIX.test(line))).toEqual([]);
    expect(lines.map((line) => line.replace(PREFIX, ''))).toEqual([
      'requireAssurance: refused: no login that completeLogin made',
      'strategy (second_factor): 401 login_required',
      'beginLogin: a login is pending',
      'strategy (second_factor): error invalid_option',
      'completeLogin: error no_pending_login',
      'strategy (second_factor): 401 invalid_code (mismatch)',
      'strategy (second_factor): the code was accepted',
      'completeLogin: logged in, aal2',
      'requireAssurance: the request continues',
      'requireEnrollment: the request continues: the set works',
      'requireFreshSecondFactor: the request continues',
      'backupCodesRouter: GET 200',
      'requireAssurance: the request continues',
      'backupCodesRouter: POST 201',
      'strategy (recovery): error of the app or its store',
      'strategy (recovery): the code was accepted',
      'completeLogin: logged in, aal1',
      'requireAssurance: refused: 2 fresh kinds of factor are required, found possession',
      'strategy (recovery): 401 invalid_code (reused)',
      'strategy (recovery): 401 invalid_code (unknown_user)',
      'strategy (recovery): 401 invalid_code (reused)',
      'strategy (recovery): 401 invalid_code (unknown_user)',
      'strategy (recovery): 401 invalid_code (reused)',
      'strategy (recovery): 401 invalid_code (unknown_user)',
      'strategy (recovery): 429 too_many_attempts (throttled)',
      'strategy (recovery): 429 too_many_attempts (throttled)',
    ]);
  });

  test('no line has a code, digest, salt, key, session id, login id or user id', () => {
    const canary = new Canary();
    for (const code of secrets.codes) canary.addCode(code, 'a code');
    expect(secrets.codes.length).toBeGreaterThan(20);
    expect(secrets.others.length).toBeGreaterThan(60);
    for (const line of lines) {
      expect(canary.findIn(line)).toEqual([]);
      expect(secrets.others.filter((secret) => line.includes(secret))).toEqual([]);
    }
  });
});

test('without it nothing is written', async () => {
  expect((await run('another-package')).lines).toEqual([]);
});
