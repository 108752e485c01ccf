// Real servers for tests: a table of contents.
export { describeWith } from './describe-with';
export type { ServerKind } from './describe-with';
export { galera } from './galera';
export type { GaleraCluster } from './galera';
export { mariadb } from './mariadb';
export type { MariadbServer } from './mariadb';
export { pgBouncer } from './pgbouncer';
export type { BouncedPostgres } from './pgbouncer';
export { postgres } from './postgres';
export type { PostgresServer } from './postgres';
export { redis, redisCluster } from './redis';
export type { RedisCluster, RedisServer } from './redis';
export type { Server } from './server-process';
