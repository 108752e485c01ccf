// The callers of the load suite. They run in their own process, so that they do not slow down the
// event loop that they measure. load.ts starts the process and sends it orders. It answers each
// order with a report.
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Order {
  readonly origin: string;
  /** The number of invalid codes to send, each for another user. */
  readonly attempts: number;
  /** The number of attempts in flight at the same time. */
  readonly inFlight: number;
  /** The shortest time for which the plain route is called. */
  readonly minSeconds: number;
}

export interface Response {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly ms: number;
}

export interface Report {
  readonly attempts: readonly Response[];
  /** The time of each call of the plain route, in milliseconds. */
  readonly plainMs: readonly number[];
  readonly seconds: number;
}

/**
 * The calls start at this pace and do not wait for each other: a caller that waits misses the
 * worst.
 */
const PLAIN_INTERVAL_MS = 20;

async function runOrder({ origin, attempts, inFlight, minSeconds }: Order): Promise<Report> {
  const agent = new Agent({ keepAlive: true });
  const started = performance.now();
  const plainCalls: Promise<Response>[] = [];
  const callPlain = (): unknown => plainCalls.push(send(`${origin}/plain`, { agent }));
  const timer = setInterval(callPlain, PLAIN_INTERVAL_MS);

  const responses: Response[] = [];
  let sent = 0;
  const runCaller = async (): Promise<void> => {
    while (sent < attempts) {
      sent += 1;
      const body = JSON.stringify({ username: `user-${sent}`, code: 'AAAA-AAAA' });
      responses.push(await send(`${origin}/login`, { agent, body }));
    }
  };
  await Promise.all([sleep(minSeconds * 1000), ...Array.from({ length: inFlight }, runCaller)]);
  const seconds = (performance.now() - started) / 1000;

  clearInterval(timer);
  const plain = await Promise.all(plainCalls);
  agent.destroy();
  if (plain.some(({ status }) => status !== 200)) {
    throw new Error('The plain route did not answer with status 200.');
  }
  return { attempts: responses, plainMs: plain.map(({ ms }) => ms), seconds };
}

function send(url: string, { agent, body }: { agent: Agent; body?: string }): Promise<Response> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const headers = { 'content-type': 'application/json' };
    const options = { agent, ...(body !== undefined && { method: 'POST', headers }) };
    const onResponse = (response: IncomingMessage): void => {
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'] ?? null,
          ms: performance.now() - started,
        }),
      );
      response.resume();
    };
    request(url, options, onResponse).on('error', reject).end(body);
  });
}

process.on('message', (order: Order) => {
  void runOrder(order).then((report) => process.send?.(report));
});
