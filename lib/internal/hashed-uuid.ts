// A UUID that follows from its input, the same in every process.
import { createHash } from 'node:crypto';

/**
 * A UUID of version 8 from the SHA-256 hash of a list. RFC 9562, section 5.8.
 *
 * @param parts what the UUID stands for. Two lists with different values have different UUIDs
 */
export function hashedUuid(parts: readonly string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
