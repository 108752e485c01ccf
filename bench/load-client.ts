// The callers of the load suite, in a process of their own so that they do not disturb the event loop they measure.
// Started by load.ts; answers each order with what the callers saw.
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Order {
  readonly origin: string;
  /** Wrong codes to send, each of another user. */
  readonly attempts: number;
  /** As many of them at once. */
  readonly inFlight: number;
  /** How long the plain route is called at least. */
  readonly leastSeconds: number;
}

export interface Report {
  readonly attempts: readonly {
    readonly status: number;
    readonly retryAfter: string | null;
    readonly ms: number;
  }[];
  /** Each call of the plain route, in ms. */
  readonly plain: readonly number[];
  readonly seconds: number;
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly ms: number;
}

/** Started at this pace whether the one before was answered or not: a caller who waited would not see the worst. */
const PLAIN_EVERY_MS = 20;

async function carryOut({ origin, attempts, inFlight, leastSeconds }: Order): Promise<Report> {
  const agent = new Agent({ keepAlive: true });
  const started = performance.now();
  const plain: Promise<Answer>[] = [];
  const timer = setInterval(() => plain.push(call(`${origin}/plain`, { agent })), PLAIN_EVERY_MS);

  const answers: Answer[] = [];
  let sent = 0;
  const caller = async (): Promise<void> => {
    while (sent < attempts)
      answers.push(
        await call(`${origin}/login`, {
          agent,
          body: JSON.stringify({ username: `user-${(sent += 1)}`, code: 'AAAA-AAAA' }),
        }),
      );
  };
  await Promise.all([sleep(leastSeconds * 1000), ...Array.from({ length: inFlight }, caller)]);
  const seconds = (performance.now() - started) / 1000;

  clearInterval(timer);
  const calls = await Promise.all(plain);
  agent.destroy();
  if (calls.some(({ status }) => status !== 200))
    throw new Error('The plain route did not answer with 200.');
  return { attempts: answers, plain: calls.map(({ ms }) => ms), seconds };
}

function call(url: string, { agent, body }: { agent: Agent; body?: string }): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const headers = { 'content-type': 'application/json' };
    const sending = request(
      url,
      { agent, ...(body === undefined ? {} : { method: 'POST', headers }) },
      (response: IncomingMessage) => {
        response
          .resume()
          .on('error', reject)
          .on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              retryAfter: response.headers['retry-after'] ?? null,
              ms: performance.now() - started,
            }),
          );
      },
    );
    sending.on('error', reject).end(body);
  });
}

process.on(
  'message',
  (order: Order) => void carryOut(order).then((report) => process.send?.(report)),
);
