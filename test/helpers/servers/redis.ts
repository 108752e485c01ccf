// A real Redis for tests, as one server or as a cluster. It is configured as in production: each
// write is on disk before it is answered.
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import type { ServerKind } from './describe-with';
import { findProgram, ServerProcess, type Server } from './server-process';

export interface RedisOptions {
  /** More options of redis-server, such as `['--maxmemory', '5mb']`. */
  readonly args?: readonly string[];
}

export interface RedisServer extends Server {
  readonly url: string;
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const FORM_TIMEOUT_MS = 30_000;

export const redis: ServerKind<RedisServer, RedisOptions> = {
  name: 'Redis',
  missing,
  start: startRedis,
};

export interface RedisClusterOptions {
  /** The number of nodes. @default 3 */
  readonly size?: number;
  /** More options of redis-server for every node. */
  readonly args?: readonly string[];
}

/** Nodes without replicas that share the slots equally. */
export const redisCluster: ServerKind<RedisCluster, RedisClusterOptions> = {
  name: 'a Redis cluster',
  missing,
  start: startCluster,
};

async function startRedis({ args = [] }: RedisOptions = {}): Promise<RedisServer> {
  const file = findProgram('redis-server') ?? 'redis-server';
  const server = await ServerProcess.start({
    name: 'Redis',
    program: (dir, port) => ({
      file,
      args: [
        ...['--port', String(port)],
        ...['--bind', '127.0.0.1'],
        ...['--dir', dir],
        ...['--save', ''],
        ...['--appendonly', 'yes'],
        ...['--appendfsync', 'always'],
        ...['--maxmemory-policy', 'noeviction'],
        ...args,
      ],
    }),
    probe: async (port) => {
      await sendCommand(port, ['PING']);
    },
  });
  return Object.assign(server, { url: `redis://127.0.0.1:${server.port}` });
}

async function startCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { size = 3 } = options;
  const args = [
    ...(options.args ?? []),
    ...['--cluster-enabled', 'yes'],
    ...['--cluster-announce-ip', '127.0.0.1'],
    ...['--cluster-node-timeout', '5000'],
  ];
  const started = await Promise.allSettled(
    Array.from({ length: size }, () => startRedis({ args })),
  );
  const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (const result of started) if (result.status === 'rejected') throw result.reason;
    for (const [n, { port }] of nodes.entries()) {
      const first = Math.floor((n * SLOTS) / size);
      const last = Math.floor(((n + 1) * SLOTS) / size) - 1;
      await sendCommand(port, ['CLUSTER', 'SET-CONFIG-EPOCH', String(n + 1)]);
      await sendCommand(port, ['CLUSTER', 'ADDSLOTSRANGE', String(first), String(last)]);
      if (n > 0) await sendCommand(port, ['CLUSTER', 'MEET', '127.0.0.1', String(nodes[0]!.port)]);
    }
    await Promise.all(nodes.map(({ port }) => waitUntilFormed(port, size)));
    return { nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function waitUntilFormed(port: number, size: number): Promise<void> {
  const deadline = Date.now() + FORM_TIMEOUT_MS;
  for (;;) {
    const info = String(await sendCommand(port, ['CLUSTER', 'INFO']));
    const slots = (await sendCommand(port, ['CLUSTER', 'SLOTS'])) as unknown[];
    const isFormed = info.includes('cluster_state:ok') && info.includes(`cluster_size:${size}`);
    if (isFormed && slots.length === size) return;
    if (Date.now() > deadline) throw new Error(`The Redis cluster did not form.\n${info}`);
    await sleep(50);
  }
}

/** Sends one command on a connection of its own. */
export async function sendCommand(port: number, command: [string, ...string[]]): Promise<unknown> {
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false } });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.sendCommand(command);
  } finally {
    client.destroy();
  }
}

export interface SentinelOptions {
  /** Where the sentinel and its clients reach the master. */
  readonly masterPort: number;
}

/** Starts a sentinel that watches one master, named `codes`. */
export async function startSentinel({ masterPort }: SentinelOptions): Promise<Server> {
  return ServerProcess.start({
    name: 'Sentinel',
    prepare: (dir) => {
      const watched = `sentinel monitor codes 127.0.0.1 ${masterPort} 1`;
      // A lost connection is no reason to look for another master.
      const patience = 'sentinel down-after-milliseconds codes 600000';
      const file = join(dir, 'sentinel.conf');
      writeFileSync(file, `bind 127.0.0.1\n${watched}\n${patience}\n`);
      chmodSync(file, 0o666);
    },
    program: (dir, port) => ({
      file: findProgram('redis-server') ?? 'redis-server',
      args: [join(dir, 'sentinel.conf'), '--sentinel', '--port', String(port), '--dir', dir],
    }),
    probe: async (port) => {
      await sendCommand(port, ['PING']);
    },
  });
}

function missing(): string | null {
  return findProgram('redis-server') === null
    ? 'redis-server is not installed; run .ci/install.'
    : null;
}
