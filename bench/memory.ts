// The heap memory of an attempt, while its hash runs and while it waits for its turn. The memory of
// the hash itself is not counted. For bcrypt this is 4 kB.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BackupCodes, fastHasher, MemoryStore, type Hasher } from '../lib';
import type { Table } from './table';

const ATTEMPTS = 1000;

export async function* memory(): AsyncGenerator<Table> {
  const running = await measureHeap({ hashConcurrency: ATTEMPTS });
  const waiting = await measureHeap({ hashConcurrency: 1 });
  yield {
    title: `Heap memory of an attempt in flight, with ${ATTEMPTS} of them`,
    rows: [
      { name: 'while its hash runs', figures: { bytes: running } },
      { name: 'while it waits for its turn', figures: { bytes: waiting } },
    ],
  };
}

/** Bytes per attempt. */
async function measureHeap(options: { hashConcurrency: number }): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  let releaseHashes: () => void = () => undefined;
  let gate = Promise.resolve();
  const fast = fastHasher();
  const heldHasher: Hasher = {
    ...fast,
    minimumBits: 0,
    hash: (code, salt) => gate.then(() => fast.hash(code, salt)),
  };
  const backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: heldHasher,
    maxQueuedHashes: ATTEMPTS,
    ...options,
  });
  const users = Array.from({ length: ATTEMPTS }, (_, n) => `user ${n}`);
  for (const user of users) await backupCodes.issue(user);
  const startAttempts = (): Promise<unknown>[] =>
    users.map((user) => backupCodes.consume(user, 'AAAA-AAAA'));
  // The first attempts make rows that later ones find, so they are not measured.
  await Promise.all(startAttempts());
  gate = new Promise((resolve) => (releaseHashes = resolve));
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const attempts = startAttempts();
  await new Promise(setImmediate);
  collectGarbage();
  const bytes = Math.round((process.memoryUsage().heapUsed - before) / ATTEMPTS);
  releaseHashes();
  await Promise.all(attempts);
  return bytes;
}
