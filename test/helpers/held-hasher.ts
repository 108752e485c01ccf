// A hasher whose hashes end by hand, so that a test decides what runs and sees what began.
import type { Hasher } from '../../lib';
import { countingHasher } from './counting-hasher';

interface HeldHash {
  readonly code: string;
  readonly end: () => void;
}

export class HeldHasher implements Hasher {
  /** The codes of all hashes, as bare symbols, in the order in which they began. */
  readonly begun: string[] = [];
  /** The hashes that run, oldest first. */
  readonly running: HeldHash[] = [];
  readonly #quick = countingHasher();

  readonly newSalt = (): string => this.#quick.newSalt();
  readonly reads = (salt: string): boolean => this.#quick.reads(salt);

  readonly hash = async (code: string, salt: string): Promise<Buffer> => {
    this.begun.push(code);
    await new Promise<void>((resolve) => {
      const held = {
        code,
        end: () => {
          this.running.splice(this.running.indexOf(held), 1);
          resolve();
        },
      };
      this.running.push(held);
    });
    return this.#quick.hash(code, salt);
  };

  /** How many hashes run whose code is one of these, or of all if none is given. */
  count(isCounted: (code: string) => boolean = () => true): number {
    return this.running.filter(({ code }) => isCounted(code)).length;
  }

  /** Ends one hash after the other until none runs, and looks after each step. */
  async endAll(look: () => void = () => undefined): Promise<void> {
    await settle();
    while (this.running.length > 0) {
      look();
      this.running[0]?.end();
      await settle();
    }
  }
}

/** Lets everything continue that can. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
