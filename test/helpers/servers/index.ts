// Real servers for tests: a table of contents.
export { describeWith } from './describe-with';
export type { ServerKind } from './describe-with';
export { mariadb } from './mariadb';
export type { MariadbServer } from './mariadb';
export { postgres } from './postgres';
export type { PostgresServer } from './postgres';
export { redis, redisCluster } from './redis';
export type { RedisCluster, RedisServer } from './redis';
export { redisSentinel } from './redis-sentinel';
export type { RedisSentinelGroup } from './redis-sentinel';
export type { Server } from './server-process';
