// A fast hasher that counts its calls. For tests only: the package has no option for weak hashing.
import { createHash, randomBytes } from 'node:crypto';
import type { Hasher } from '../../lib';

export interface CountingHasher extends Hasher {
  /** How often `hash` was called. */
  count: number;
}

export function countingHasher(scheme = 'counted'): CountingHasher {
  const hasher: CountingHasher = {
    count: 0,
    newSalt: () => `$${scheme}$${randomBytes(16).toString('hex')}`,
    reads: (salt) => salt.startsWith(`$${scheme}$`),
    hash: (code, salt) => {
      hasher.count += 1;
      return Promise.resolve(createHash('sha256').update(`${salt}\0${code}`).digest());
    },
  };
  return hasher;
}
