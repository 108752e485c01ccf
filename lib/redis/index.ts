// The public names of `passport-backup-code/redis`: stores on Redis or Valkey, on one server or on
// a cluster.
export { RedisApprovalStore } from './redis-approval-store';
export { RedisStore } from './redis-store';
export type { EvalOptions, RedisClient } from './client';
export type { RedisStoreOptions } from './redis-options';
