// The counters of the recovery channel in `MemoryStore`: one for each user, or unknown user name,
// and network.
import { COUNTER_KEPT_MS } from './contract';
import { firstGeneration } from './generation';
import { freshCounter, type Counter } from './memory-user';
import type { AttemptRequest } from './requests';
import type { Subject } from './subject';

interface NetworkCounter extends Counter {
  /** When the counter is removed if no attempt follows. */
  readonly forgetAt: number;
}

export class MemoryNetworks {
  /** By subject and network. The one used last comes last. */
  readonly #counters = new Map<string, NetworkCounter>();

  /**
   * The counter of a request.
   *
   * @param generation the user's present one. A counter of another generation counts from zero.
   * `null` if the user has none: then every counter counts
   */
  use({ subject, network, now }: AttemptRequest, generation: number | null): Counter {
    this.removeExpired(now);
    const key = keyOf(subject, network);
    const existing = this.#counters.get(key);
    const isCurrent = existing !== undefined && isOfGeneration(existing, generation);
    const counter = {
      ...(isCurrent ? existing : freshCounter(generation ?? firstGeneration())),
      forgetAt: now + COUNTER_KEPT_MS,
    };
    this.#counters.delete(key);
    this.#counters.set(key, counter);
    return counter;
  }

  get(subject: Subject, network: string): Counter | undefined {
    return this.#counters.get(keyOf(subject, network));
  }

  /** The counters of all networks of a user. */
  of(subjectKey: string): Counter[] {
    const counters: Counter[] = [];
    for (const [key, counter] of this.#counters) {
      if (key.startsWith(`${subjectKey} `)) counters.push(counter);
    }
    return counters;
  }

  /** @returns whether there was one */
  remove(subjectKey: string): boolean {
    let wasStored = false;
    for (const key of this.#counters.keys()) {
      if (key.startsWith(`${subjectKey} `)) wasStored = this.#counters.delete(key);
    }
    return wasStored;
  }

  /** The map is in the order of the last attempts, so that only expired counters are visited. */
  removeExpired(now: number): void {
    for (const [key, { forgetAt }] of this.#counters) {
      if (now < forgetAt) break;
      this.#counters.delete(key);
    }
  }
}

/** Whether the attempts of a counter still count. */
export function isOfGeneration(counter: Counter, generation: number | null): boolean {
  return generation === null || counter.generation === generation;
}

function keyOf({ key }: Subject, network: string): string {
  return `${key} ${network}`;
}
