// Records the calls of a real store, and makes one of them fail.
import type { BackupCodeStore } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';

export type StoreMethod = (typeof STORE_METHODS)[number];

export interface WatchedStore {
  /** Passed to the service in place of the real store. */
  readonly store: BackupCodeStore;
  /** The methods that were called, in order. */
  readonly calls: StoreMethod[];
  /**
   * Makes the nth call from now on throw, counting from 1: before the store does anything, or after
   * it has committed (a lost answer).
   */
  failAt(nth: number, when: 'before' | 'after'): void;
  /** Runs `hook` before the next call of this method. */
  before(method: StoreMethod, hook: () => unknown): void;
  /** Clears the calls and the fault. @returns whether a fault was reached */
  reset(): boolean;
}

export const storeFault = new Error('the store is down');

export function watchStore(inner: BackupCodeStore): WatchedStore {
  const calls: StoreMethod[] = [];
  const hooks = new Map<StoreMethod, () => unknown>();
  let fault: { nth: number; when: 'before' | 'after' } | null = null;
  let wasReached = false;

  const call = async (method: StoreMethod, args: unknown[]): Promise<unknown> => {
    calls.push(method);
    const isFaulty = calls.length === fault?.nth;
    wasReached ||= isFaulty;
    if (isFaulty && fault?.when === 'before') throw storeFault;
    const hook = hooks.get(method);
    hooks.delete(method);
    await hook?.();
    const result: unknown = await Reflect.apply(inner[method], inner, args);
    if (isFaulty) throw storeFault;
    return result;
  };

  return {
    store: Object.fromEntries(
      STORE_METHODS.map((method) => [method, (...args: unknown[]) => call(method, args)]),
    ) as unknown as BackupCodeStore,
    calls,
    failAt: (nth, when) => {
      fault = { nth: calls.length + nth, when };
      wasReached = false;
    },
    before: (method, hook) => void hooks.set(method, hook),
    reset: () => {
      fault = null;
      calls.length = 0;
      const reached = wasReached;
      wasReached = false;
      return reached;
    },
  };
}
