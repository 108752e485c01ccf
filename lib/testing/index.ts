// `passport-backup-code/testing`: the suites that prove a store, or an app's own `consumeCode`.
export { consumeContract } from './consume-contract';
export type { ConsumeContractOptions } from './consume-contract';
export type { Runner } from './runner';
export { storeContract } from './store-contract';
export type { StoreConnection, StoreContractOptions, StoredEvent } from './store-contract';
