// A fast hasher for tests. The product has no switch for weak hashing; this uses the interface for
// custom hashers.
import { createHash, randomBytes } from 'node:crypto';
import type { Hasher } from 'passport-backup-code';

export const quickHasher: Hasher = {
  newSalt: () => `$quick$${randomBytes(16).toString('hex')}`,
  reads: (salt) => salt.startsWith('$quick$'),
  hash: async (code, salt) => createHash('sha256').update(`${salt}:${code}`).digest(),
};
