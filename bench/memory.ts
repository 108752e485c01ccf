// The memory that an attempt holds while its hash runs, and while it waits for its turn. A hash's own memory is its hasher's: bcrypt has 4 kB.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BackupCodes, fastHasher, MemoryStore, type Hasher } from '../lib';
import type { Table } from './table';

const HELD = 1000;

export async function* memory(): AsyncGenerator<Table> {
  const rows = [
    { name: 'while its hash runs', figures: { bytes: await heldBy({ hashConcurrency: HELD }) } },
    {
      name: 'while it waits for its turn',
      figures: { bytes: await heldBy({ hashConcurrency: 1 }) },
    },
  ];
  yield { title: `On the heap for an attempt in flight, with ${HELD} of them`, rows };
}

async function heldBy(options: { hashConcurrency: number }): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  let release: () => void = () => undefined;
  let hold = Promise.resolve();
  const fast = fastHasher();
  const held: Hasher = {
    ...fast,
    minimumBits: 0,
    hash: (code, salt) => hold.then(() => fast.hash(code, salt)),
  };
  const backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: held,
    maxQueuedHashes: HELD,
    ...options,
  });
  const users = Array.from({ length: HELD }, (_, n) => `user ${n}`);
  for (const user of users) await backupCodes.issue(user);
  const attempt = (): Promise<unknown>[] =>
    users.map((user) => backupCodes.consume(user, 'AAAA-AAAA'));
  await Promise.all(attempt());
  hold = new Promise((resolve) => (release = resolve));
  collect();
  const before = process.memoryUsage().heapUsed;
  const attempts = attempt();
  await new Promise(setImmediate);
  collect();
  const bytes = Math.round((process.memoryUsage().heapUsed - before) / HELD);
  release();
  await Promise.all(attempts);
  return bytes;
}
