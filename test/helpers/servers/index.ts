// Real servers for tests: a table of contents.
export { describeWith } from './describe-with';
export type { ServerKind } from './describe-with';
export { Forwarder } from './forwarder';
export { mariadb } from './mariadb';
export type { MariadbServer } from './mariadb';
export { pgbouncer } from './pgbouncer';
export type { PooledPostgres } from './pgbouncer';
export { postgres } from './postgres';
export type { PostgresServer } from './postgres';
export { postgresPair } from './postgres-pair';
export type { PostgresPair, PostgresPairOptions } from './postgres-pair';
export { redis, redisCluster } from './redis';
export type { RedisCluster, RedisServer } from './redis';
export { redisSentinel } from './redis-sentinel';
export type { RedisSentinelGroup } from './redis-sentinel';
export type { Server } from './server-process';
