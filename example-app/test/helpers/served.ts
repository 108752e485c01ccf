// The service as it is deployed: started from the environment, one process or several, with the
// hashes that it really has.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Site } from './visitor';

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');

export interface ServedService extends Site {
  /** What was told to whoever runs it. */
  complaints(): string;
  /** The processes that serve, without the one that started them. */
  workers(): number[];
  /** Without a word, as the kernel does where memory runs out. */
  kill(): void;
  /** Asks it to end, as a machine that shuts down does. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

export async function startServed(env: Record<string, string>): Promise<ServedService> {
  if (!existsSync(MAIN))
    throw new Error(
      'There is no build of the example: run `npm run build && npm run build:example` first.',
    );
  const dataDir = mkdtempSync(join(tmpdir(), 'backup-code-served-'));
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', ...env },
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const [line] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
  const [url] = /http:\S+/.exec(String(line)) ?? [];
  if (url === undefined) throw new Error(`The service did not start.\n${errors}`);
  return {
    url: url.replace('localhost', '127.0.0.1'),
    now: Date.now,
    // Each request on a connection of its own, and so in whichever process has its turn.
    headers: { connection: 'close' },
    complaints: () => errors,
    workers: () => childrenOf(child.pid!),
    kill: () => child.kill('SIGKILL'),
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = await ended;
      rmSync(dataDir, { recursive: true, force: true });
      return code;
    },
  };
}

export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function childrenOf(parent: number): number[] {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return processes.flatMap((line) => {
    const [pid, ppid, state] = line.trim().split(/\s+/);
    return Number(ppid) === parent && !state!.startsWith('Z') ? [Number(pid)] : [];
  });
}
