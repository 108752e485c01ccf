// A quick hash that counts, in place of a slow one. For tests only: the product has no switch for weak hashing.
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
