// What `import 'passport-backup-code/redis'` gives: a store on Redis or Valkey, alone or as a cluster.
export { RedisStore } from './store';
export { RedisApprovalStore } from './approvals';
export type { RedisClient } from './client';
export type { RedisStoreOptions } from './store';
