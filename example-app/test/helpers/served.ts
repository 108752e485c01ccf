// The service as it is deployed: started from the environment, in one process or several, with the
// real hashes.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Site } from './visitor';

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');

export interface ServedService extends Site {
  /** What the service wrote to standard error. */
  complaints(): string;
  /** The ids of the worker processes, without the primary. */
  workers(): number[];
  /** Kills the process with SIGKILL, as the kernel does if memory runs out. */
  kill(): void;
  /** Sends SIGTERM, as a machine does at shutdown. Resolves with the exit code. */
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
    // Each request uses a new connection, so the processes take turns.
    headers: { connection: 'close' },
    complaints: () => errors,
    workers: () => listChildren(child.pid!),
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

function listChildren(parent: number): number[] {
  const processes = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return processes.flatMap((line) => {
    const [pid, ppid, state] = line.trim().split(/\s+/);
    return Number(ppid) === parent && !state!.startsWith('Z') ? [Number(pid)] : [];
  });
}
