// Replaces one call of a real store by any behavior. All other calls reach the store.
import type { BackupCodeStore } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';
import type { StoreMethod } from './watched-store';

/** Runs in place of a call; `call` makes the real one. */
export type StoreFault = (call: () => Promise<unknown>) => unknown;

export interface FaultyStore {
  /** Passed to the service in place of the real store. */
  readonly store: BackupCodeStore;
  /** Replaces the next call of this method, once. */
  replaceNext(method: StoreMethod, fault: StoreFault): void;
}

export function faultyStore(inner: BackupCodeStore): FaultyStore {
  const pending = new Map<StoreMethod, StoreFault>();
  const call = (method: StoreMethod, args: unknown[]): unknown => {
    const real = (): Promise<unknown> => Reflect.apply(inner[method], inner, args);
    const fault = pending.get(method);
    pending.delete(method);
    return fault === undefined ? real() : fault(real);
  };
  return {
    store: Object.fromEntries(
      STORE_METHODS.map((method) => [method, (...args: unknown[]) => call(method, args)]),
    ) as unknown as BackupCodeStore,
    replaceNext: (method, fault) => void pending.set(method, fault),
  };
}
