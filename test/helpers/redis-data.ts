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
