// A real Redis with a replica and a sentinel, which makes the replica the primary when the primary
// does not answer.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerKind } from './describe-with';
import { redis, sendCommand, type RedisServer } from './redis';
import { findProgram, ServerProcess } from './server-process';

export interface RedisSentinelGroup {
  /** The name by which the sentinel knows the primary. */
  readonly name: string;
  readonly sentinel: { readonly host: string; readonly port: number };
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** Resolves when the replica is the primary. */
  waitForFailover(): Promise<void>;
  stop(): Promise<void>;
}

const NAME = 'backup-codes';
const TIMEOUT_MS = 30_000;
/** The sentinel starts a failover when the primary has not answered for this long. */
const DOWN_AFTER_MS = 500;

export const redisSentinel: ServerKind<RedisSentinelGroup, never> = {
  name: 'Redis with a sentinel',
  missing: () => redis.missing(),
  start: startGroup,
};

async function startGroup(): Promise<RedisSentinelGroup> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
  };
  try {
    const primary = await redis.start();
    started.push(primary);
    const replica = await redis.start({
      args: ['--replicaof', `127.0.0.1 ${primary.port}`, '--repl-diskless-sync-delay', '0'],
    });
    started.push(replica);
    await waitUntil('the replica follows', async () =>
      (await infoOf(replica)).includes('master_link_status:up'),
    );
    const sentinel = await startSentinel(primary);
    started.push(sentinel);
    await waitUntil('the sentinel sees the replica', async () => {
      const replicas = await sendCommand(sentinel.port, ['SENTINEL', 'REPLICAS', NAME]);
      return Array.isArray(replicas) && replicas.length > 0;
    });
    const waitForFailover = (): Promise<void> =>
      waitUntil('the replica is the primary', async () =>
        (await infoOf(replica)).includes('role:master'),
      );
    return { name: NAME, sentinel, primary, replica, waitForFailover, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startSentinel(primary: RedisServer): Promise<ServerProcess> {
  return ServerProcess.start({
    name: 'Sentinel',
    prepare: (dir) => {
      const file = join(dir, 'sentinel.conf');
      const lines = [
        `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 1`,
        `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
        `sentinel failover-timeout ${NAME} 10000`,
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      // The sentinel runs as another user and writes its state into the file.
      chmodSync(file, 0o666);
    },
    program: (dir, port) => ({
      file: findProgram('redis-server') ?? 'redis-server',
      args: [
        join(dir, 'sentinel.conf'),
        '--sentinel',
        ...['--port', String(port)],
        ...['--bind', '127.0.0.1'],
        ...['--dir', dir],
      ],
    }),
    probe: async (port) => {
      await sendCommand(port, ['PING']);
    },
  });
}

async function infoOf({ port }: RedisServer): Promise<string> {
  return String(await sendCommand(port, ['INFO', 'replication']));
}

async function waitUntil(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + TIMEOUT_MS;
  while (!(await isTrue().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`Waited too long until ${what}.`);
    await sleep(50);
  }
}
