// Where the generations of a counter begin. They grow by one from there.
import { randomInt } from 'node:crypto';

/**
 * A random generation. After a user was forgotten, a call that still holds a ticket of the old
 * account must not change the counter of the next one with the same id: its generations begin at
 * another number.
 */
export function firstGeneration(): number {
  return randomInt(1, 2 ** 46);
}
