// Waits for a condition. Fails after 30 seconds.
import { setTimeout as wait } from 'node:timers/promises';

const TIMEOUT_MS = 30_000;

export async function until(
  isMet: () => boolean | Promise<boolean>,
  describeFailure: () => string = () => 'The condition was not met in time.',
): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isMet())) {
    if (Date.now() > deadline) throw new Error(describeFailure());
    await wait(20);
  }
}
