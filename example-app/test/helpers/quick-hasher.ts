// A hasher for tests, as quick as the product's are slow on purpose. The product has no switch for
// weak hashing; this is an app's own.
import { createHash, randomBytes } from 'node:crypto';
import type { Hasher } from 'passport-backup-code';

export const quickHasher: Hasher = {
  newSalt: () => `$quick$${randomBytes(16).toString('hex')}`,
  reads: (salt) => salt.startsWith('$quick$'),
  hash: async (code, salt) => createHash('sha256').update(`${salt}:${code}`).digest(),
};
