// Everything that a Redis server holds, for tests that compare it before and after a call.
import type { createClient } from 'redis';

export type SingleClient = ReturnType<typeof createClient>;

/** Every key with its value. */
export async function readAllKeys(client: SingleClient): Promise<Record<string, unknown>> {
  const data: Record<string, unknown> = {};
  for (const key of (await client.keys('*')).sort()) data[key] = await readKey(client, key);
  return data;
}

async function readKey(client: SingleClient, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case 'hash':
      return { ...(await client.hGetAll(key)) };
    case 'stream':
      return client.xRange(key, '-', '+');
    case 'zset':
      return client.zRangeWithScores(key, 0, -1);
    default:
      return client.get(key);
  }
}

/** A digest of every key with its value, in one round trip. Needs `--enable-debug-command local`. */
export function digestOfAllKeys(client: SingleClient): Promise<string> {
  return client.sendCommand<string>(['DEBUG', 'DIGEST']);
}

const COPY_ALL = `
redis.call('SELECT', ARGV[2])
redis.call('FLUSHDB')
redis.call('SELECT', ARGV[1])
for _, key in ipairs(redis.call('KEYS', '*')) do
  redis.call('COPY', key, key, 'DB', ARGV[2])
end
`;

export interface Copy {
  readonly from: number;
  readonly to: number;
}

/** Replaces a database of the server by a copy of another one. */
export async function copyDatabase(client: SingleClient, { from, to }: Copy): Promise<void> {
  await client.eval(COPY_ALL, { arguments: [String(from), String(to)] });
}
