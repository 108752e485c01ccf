// Starts several processes for one port. Creates what they share, replaces a process that dies, and
// stops all of them together.
import cluster, { type Worker } from 'node:cluster';
import type { Config } from '../config';
import { openStores } from '../data/open-stores';
import { LocalFormsInProgress } from './forms-in-progress';
import { reportToStderr } from './report-to-stderr';
import { shareFormsInProgress } from './shared-forms-in-progress';
import { SHUTDOWN_MS } from './start-server';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;
/** A process that ran this long was not killed by the same fault as the one before it. */
const STEADY_MS = 60_000;

/**
 * The configuration has been read, so the secrets exist. The tables are created here, so that a
 * fault is reported only once.
 */
export async function startWorkers(
  config: Config,
  { onListening }: { onListening: (port: number) => void },
): Promise<void> {
  const stores = await openStores(config, reportToStderr);
  await stores.close();

  // Connections are distributed round-robin, which is Node's default. Left to the kernel, one
  // process computed almost four times as many hashes as another. The disadvantage: a connection
  // that was passed to a process just killed ends only with its client's timeout. `advanced` sends
  // buffers over the channel as they are.
  cluster.setupPrimary({ serialization: 'advanced' });
  const forms = new LocalFormsInProgress();
  const living = new Set<Worker>();
  let listening = 0;
  let pauseMs = FIRST_PAUSE_MS;
  let exitCode: number | null = null;

  const stop = (code: number): void => {
    if (exitCode !== null) return;
    exitCode = code;
    if (living.size === 0) process.exit(code);
    for (const worker of living) worker.process.kill('SIGTERM');
    // The workers stop by themselves a little earlier.
    setTimeout(() => {
      for (const worker of living) worker.process.kill('SIGKILL');
      process.exit(1);
    }, SHUTDOWN_MS + 1000);
  };

  const replace = (
    worker: Worker,
    { startedAt, end }: { startedAt: number; end: string },
  ): void => {
    pauseMs =
      Date.now() - startedAt > STEADY_MS ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, MAX_PAUSE_MS);
    reportToStderr(
      `Process ${worker.process.pid ?? '?'} ended with ${end}. ` +
        `Another one starts in ${pauseMs} ms.`,
    );
    setTimeout(start, pauseMs);
  };

  const start = (): void => {
    if (exitCode !== null) return;
    const worker = cluster.fork();
    const startedAt = Date.now();
    living.add(worker);
    shareFormsInProgress(worker, forms);
    // A message could not be sent to a dying process. Its exit event follows.
    worker.on('error', reportToStderr);
    worker.once('listening', ({ port }) => {
      listening += 1;
      if (listening === config.workers) onListening(port);
    });
    worker.once('exit', (code: number | null, signal: NodeJS.Signals | null) => {
      living.delete(worker);
      if (exitCode !== null) {
        if (living.size === 0) process.exit(exitCode);
      } else if (listening < config.workers) {
        // A worker that fails at the first start is a deployment fault, and has reported it.
        stop(1);
      } else {
        replace(worker, { startedAt, end: signal ?? `code ${code ?? '?'}` });
      }
    });
  };

  process.on('SIGTERM', () => stop(0));
  process.on('SIGINT', () => stop(0));
  for (let count = 0; count < config.workers; count += 1) start();
}
