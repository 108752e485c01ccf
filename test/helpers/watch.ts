// Looks on at the calls of a store, and makes one of them fail. The store behind is a real one.
import type { BackupCodeStore } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';

export type StoreMethod = (typeof STORE_METHODS)[number];

export interface Watch {
  /** In place of the store. */
  readonly store: BackupCodeStore;
  /** The methods that were called, in order. */
  readonly calls: StoreMethod[];
  /** The nth call from now on, counted from 1, throws: before the store did anything, or after it did all (a lost answer). */
  failAt(nth: number, when: 'before' | 'after'): void;
  /** Called before the next call of this method. */
  before(method: StoreMethod, hook: () => unknown): void;
  /** Forgets what was called, and makes nothing fail any more. @returns whether a fault was reached */
  reset(): boolean;
}

export const storeFault = new Error('the store is down');

export function watch(inner: BackupCodeStore): Watch {
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
