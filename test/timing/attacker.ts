// Starts a site and sends it requests of each class, in random order, one at a time, over one
// connection on the loopback interface. No other host on a network adds noise.
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { classes, type ClassName, type Credentials, type RequestClass } from './classes';
import type { OpenedSite, SiteOptions } from './site';

export interface AttackPlan extends Omit<SiteOptions, 'users'> {
  readonly classes: readonly ClassName[];
  /** The number of samples of each class. */
  readonly samples: number;
}

/** Response times in microseconds. */
export type Times = ReadonlyMap<ClassName, readonly number[]>;

/** The attempts for each user, with the first one that is not measured. The site permits 50. */
const MAX_ATTEMPTS_PER_USER = 40;

export async function attack({ classes: names, samples, ...options }: AttackPlan): Promise<Times> {
  const site = fork(join(__dirname, 'site.ts'), {
    execArgv: ['--require', join(__dirname, '../helpers/run-typescript.js')],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const usersForAll = Math.ceil(samples / MAX_ATTEMPTS_PER_USER);
    const users = Object.fromEntries(
      names.map((name) => [name, isOneTime(name) ? samples : usersForAll]),
    );
    site.send({ ...options, users } satisfies SiteOptions);
    const ended = once(site, 'exit').then(() =>
      Promise.reject(new Error('The site ended before it was open.')),
    );
    const [opened] = (await Promise.race([once(site, 'message'), ended])) as [OpenedSite];
    const send = (name: ClassName, index: number): Promise<number> => {
      const credentials = opened.credentials[name] ?? [];
      return measureResponse(credentials[index % credentials.length], {
        agent,
        port: opened.port,
      });
    };
    // One request for each user is not measured. The first attempt for a name writes a row that
    // later ones find, and the first calls run slow code.
    const repeatable = names.filter((name) => !isOneTime(name));
    for (let user = 0; user < samples / MAX_ATTEMPTS_PER_USER; user += 1) {
      for (const name of repeatable) await send(name, user);
    }

    const times = new Map(names.map((name) => [name, [] as number[]]));
    for (let round = 0; round < samples; round += 1) {
      for (const name of shuffle(names)) times.get(name)?.push(await send(name, round));
    }
    return times;
  } finally {
    agent.destroy();
    site.kill();
  }
}

function isOneTime(name: ClassName): boolean {
  return (classes[name] as RequestClass).isOneTime === true;
}

function measureResponse(
  credentials: Credentials | undefined,
  { agent, port }: { agent: Agent; port: number },
): Promise<number> {
  const body = JSON.stringify(credentials);
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  const options = { agent, port, host: '127.0.0.1', path: '/login', method: 'POST', headers };
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    const sending = request(options, (response) => {
      response.on('error', reject);
      response.on('end', () => {
        const microseconds = Number(process.hrtime.bigint() - started) / 1000;
        const { statusCode = 0 } = response;
        if (statusCode === 200 || statusCode === 401) resolve(microseconds);
        else reject(new Error(`The site answered with status ${statusCode}.`));
      });
      response.resume();
    });
    sending.on('error', reject).end(body);
  });
}

/** Fisher and Yates. */
function shuffle<T>(list: readonly T[]): T[] {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
