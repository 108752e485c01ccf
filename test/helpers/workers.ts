// Starts processes of test/servers/worker.js, and stops them.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AttemptOptions } from '../../lib';

/** The database of a worker. */
export interface Connection {
  readonly kind: 'sqlite' | 'postgres' | 'mysql' | 'redis';
  /** The path of the file for SQLite. */
  readonly url: string;
}

export interface WorkerOutcome {
  readonly ok: boolean;
  readonly reason?: string;
}

/** A message of a worker that runs until it is killed. */
export interface WorkerReport {
  readonly done: 'statement' | 'issued' | 'consumed';
  readonly setId?: string;
  readonly codeId?: string;
}

/** Starts a worker, which loads all modules and waits for its first message. */
export function startWorker(): ChildProcess {
  return fork(join(__dirname, '../servers/worker.js'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/**
 * Resolves when the child has sent `count` more messages, of the kind `done` if it is given.
 * Rejects if the child exits before.
 */
export function receive(child: ChildProcess, count: number, done?: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = count;
    child.on('message', (message: { readonly done?: string }) => {
      if (done !== undefined && message.done !== done) return;
      missing -= 1;
      if (missing === 0) resolve();
    });
    child.once('exit', (code, signal) => {
      reject(new Error(`The child exited with ${code ?? signal}, ${missing} messages too early.`));
    });
  });
}

export async function stop(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exited = once(worker, 'exit');
  worker.kill('SIGKILL');
  await exited;
}

/** Workers that consume codes on request. */
export class ConsumingWorkers {
  private constructor(private readonly workers: readonly ChildProcess[]) {}

  static async start(
    count: number,
    connection: Connection,
    attempts: AttemptOptions,
  ): Promise<ConsumingWorkers> {
    const workers = Array.from({ length: count }, startWorker);
    await Promise.all(
      workers.map(async (worker) => {
        worker.send({ connection, attempts });
        await once(worker, 'message');
      }),
    );
    return new ConsumingWorkers(workers);
  }

  /**
   * Each worker consumes its code `times` times, as many at once as its hash queue takes of one
   * user, and all workers run at once.
   */
  async consume(
    user: string,
    codeOf: (worker: number) => string,
    times: number,
  ): Promise<WorkerOutcome[]> {
    const answers = await Promise.all(
      this.workers.map(async (worker, index) => {
        const answer = once(worker, 'message');
        worker.send({ user, code: codeOf(index), times });
        return answer as Promise<[{ outcomes: WorkerOutcome[] }]>;
      }),
    );
    return answers.flatMap(([{ outcomes }]) => outcomes);
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map(stop));
  }
}
