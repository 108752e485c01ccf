// Opens the single Redis connection, which sessions, the rate limiter and (if configured) backup
// codes share.
import { createClient } from 'redis';

export type Redis = ReturnType<typeof newClient>;

/**
 * Rejects if the server does not answer. Later the client reconnects by itself; meanwhile commands
 * fail instead of waiting.
 */
export async function connectRedis(url: string, report: (error: unknown) => void): Promise<Redis> {
  const client = newClient(url);
  let isConnected = false;
  try {
    await new Promise<void>((resolve, reject) => {
      client.on('error', (error: Error) => {
        if (isConnected) report(error);
        else reject(error);
      });
      client.connect().then(() => resolve(), reject);
    });
  } catch (error) {
    client.destroy();
    throw new Error('REDIS_URL: the server does not answer.', { cause: error });
  }
  isConnected = true;
  return client;
}

/** No return type: the inferred one is too long to write. */
function newClient(url: string) {
  return createClient({ url, disableOfflineQueue: true });
}
