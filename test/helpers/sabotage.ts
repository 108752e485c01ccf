// Makes one call of a store go wrong in any way. The store behind is a real one, and does what it does at all other times.
import type { BackupCodeStore } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';
import type { StoreMethod } from './watch';

/** What happens in place of a call; `call` makes it. */
export type Sabotage = (call: () => Promise<unknown>) => unknown;

export interface SabotagedStore {
  /** In place of the store. */
  readonly store: BackupCodeStore;
  /** Once, at the next call of this method. */
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
