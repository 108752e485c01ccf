// Runs a server on a free port and in a directory of its own. Both end with the tests, even if the
// test process is killed. Nothing here is about one database.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
}

export interface ServerRecipe {
  readonly name: string;
  /** Fills the new directory. */
  readonly prepare?: (dir: string) => void;
  readonly program: (dir: string, port: number) => Program;
  /** Rejects until the server answers. */
  readonly probe: (port: number) => Promise<void>;
  /** The signal that stops it quickly. @default SIGKILL */
  readonly stopSignal?: NodeJS.Signals;
}

/** A running server. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** The directory of all its files. It is removed when the server stops. */
  readonly dir: string;
  /** Kills the server as `kill -9` does. Resolves when the process has ended. */
  kill(): Promise<void>;
  /** Starts the server again on the same port and directory. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const TRIES = 3;
/**
 * Below the ports that the system gives to outgoing connections. The ports of the bus of a Redis
 * cluster are 10 000 above these.
 */
const PORTS = { from: 12_000, to: 22_000 } as const;

/**
 * A shell that reads the process id of the server after each start. When the test process ends, its
 * end of the pipe closes. The shell then stops the server and removes its directory.
 */
const GUARD = `
pid=; while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -s "$1" "$pid"
  for n in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$pid" || break; sleep 0.2; done
  kill -9 "$pid"
fi
rm -rf "$2"
`;

export class ServerProcess implements Server {
  readonly host = '127.0.0.1';
  private child: ChildProcess | null = null;
  private log = '';

  private constructor(
    private readonly recipe: ServerRecipe,
    readonly port: number,
    readonly dir: string,
    private readonly guard: ChildProcess,
  ) {}

  /** If another process takes the port first, the next one is tried. */
  static async start(recipe: ServerRecipe): Promise<ServerProcess> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      const dir = mkdtempSync(join(tmpdir(), `backup-codes-${recipe.name.toLowerCase()}-`));
      const server = new ServerProcess(recipe, port, dir, startGuard(dir, recipe.stopSignal));
      try {
        giveAway(dir);
        recipe.prepare?.(dir);
        await server.restart();
        return server;
      } catch (error) {
        await server.stop();
        if (attempt >= TRIES) throw error;
      }
    }
  }

  async restart(): Promise<void> {
    const { file, args } = this.recipe.program(this.dir, this.port);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await this.startOnce(file, args, deadline))) {
      // A server that was killed may still hold its port or its memory.
      if (Date.now() > deadline) throw new Error(`${this.recipe.name} did not start.\n${this.log}`);
      await sleep(200);
    }
  }

  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.end(this.recipe.stopSignal ?? 'SIGKILL');
    this.guard.stdin?.end('\n');
    if (isRunning(this.guard)) await once(this.guard, 'exit');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Whether the server answers. `false` if it ended before. */
  private async startOnce(
    file: string,
    args: readonly string[],
    deadline: number,
  ): Promise<boolean> {
    this.log = '';
    const child = spawn(file, args, {
      cwd: this.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      ...unprivileged(),
    });
    const keep = (chunk: Buffer): void => {
      this.log = (this.log + chunk.toString()).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // A file that cannot be run has no process id. The reason is in this event.
    child.once('error', (error) => keep(Buffer.from(error.message)));
    this.child = child;
    this.guard.stdin?.write(`${child.pid ?? ''}\n`);
    while (Date.now() < deadline) {
      if (!isRunning(child)) return false;
      try {
        await this.recipe.probe(this.port);
        return isRunning(child);
      } catch {
        await sleep(50);
      }
    }
    throw new Error(`${this.recipe.name} does not answer.\n${this.log}`);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || !isRunning(child)) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

/** Runs a program to its end, as the user of the server. */
export function run({ file, args }: Program, dir: string): void {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    cwd: dir,
    encoding: 'utf8',
    ...unprivileged(),
  });
  if (status !== 0)
    throw new Error(`${file} failed: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
}

/** Whether the user of the server may run this file. */
export function canRun(file: string): boolean {
  return spawnSync('test', ['-x', file], unprivileged()).status === 0;
}

/** Finds a program, also in the directories that only root has in its path. */
export function findProgram(name: string): string | null {
  const dirs = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  return dirs.map((dir) => join(dir, name)).find((file) => existsSync(file)) ?? null;
}

/** PostgreSQL and MariaDB refuse to run as root. The user `nobody` exists on every machine. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (option: string): number =>
    Number(spawnSync('id', [option, 'nobody'], { encoding: 'utf8' }).stdout);
  return { uid: idOf('-u'), gid: idOf('-g') };
}

function giveAway(dir: string): void {
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) chownSync(dir, uid, gid);
}

function startGuard(dir: string, signal = 'SIGKILL'): ChildProcess {
  const guard = spawn('sh', ['-c', GUARD, 'guard', signal.replace('SIG', ''), dir], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return guard;
}

function isRunning(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** A port that no program listens on, nor on the one 10 000 above. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
