// Waits for what happens by itself. Fails where it does not.
import { setTimeout as wait } from 'node:timers/promises';

const PATIENCE_MS = 30_000;

export async function until(
  isSo: () => boolean | Promise<boolean>,
  otherwise: () => string = () => 'It did not come to be.',
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(otherwise());
    await wait(20);
  }
}
