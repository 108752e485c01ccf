// Replaces one call of a real store by any behavior. All other calls reach the store.
import type { BackupCodeStore } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';
import type { StoreMethod } from './watch';

/** Runs in place of a call; `call` makes the real one. */
export type Sabotage = (call: () => Promise<unknown>) => unknown;

export interface SabotagedStore {
  /** Passed to the service in place of the real store. */
  readonly store: BackupCodeStore;
  /** Replaces the next call of this method, once. */
  next(method: StoreMethod, sabotage: Sabotage): void;
}

export function sabotaged(inner: BackupCodeStore): SabotagedStore {
  const pending = new Map<StoreMethod, Sabotage>();
  const call = (method: StoreMethod, args: unknown[]): unknown => {
    const real = (): Promise<unknown> => Reflect.apply(inner[method], inner, args);
    const sabotage = pending.get(method);
    pending.delete(method);
    return sabotage === undefined ? real() : sabotage(real);
  };
  return {
    store: Object.fromEntries(
      STORE_METHODS.map((method) => [method, (...args: unknown[]) => call(method, args)]),
    ) as unknown as BackupCodeStore,
    next: (method, sabotage) => void pending.set(method, sabotage),
  };
}
