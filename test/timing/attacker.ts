// Opens a site and sends it what each class sends, in random order and one at a time, over one connection on loopback: nobody
// on a network hears as well. Judges nothing.
import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { classes, type Class, type ClassName, type Credential } from './classes';
import type { OpenedSite, SiteOptions } from './site';

export interface Plan extends Omit<SiteOptions, 'people'> {
  readonly classes: readonly ClassName[];
  /** Of each class. */
  readonly samples: number;
}

/** In microseconds. */
export type Times = ReadonlyMap<ClassName, readonly number[]>;

/** Each person's attempts, the first one included, stay below the 50 that a name permits. */
const MAX_ATTEMPTS = 40;

export async function attack({ classes: names, samples, ...options }: Plan): Promise<Times> {
  const site = fork(join(__dirname, 'site.ts'), {
    execArgv: ['--require', join(__dirname, '../helpers/run-typescript.js')],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    const people = Object.fromEntries(
      names.map((name) => [name, isOnce(name) ? samples : Math.ceil(samples / MAX_ATTEMPTS)]),
    );
    site.send({ ...options, people } satisfies SiteOptions);
    const ended = once(site, 'exit').then(() =>
      Promise.reject(new Error('The site ended before it was open.')),
    );
    const [{ port, credentials }] = (await Promise.race([once(site, 'message'), ended])) as [
      OpenedSite,
    ];
    const send = (name: ClassName, index: number): Promise<number> => {
      const list = credentials[name] ?? [];
      return answerTime(list[index % list.length], { agent, port });
    };
    // Once unmeasured: the first attempt at a name writes a row that later ones find, and code gets warm.
    const warm = names.filter((name) => !isOnce(name));
    for (let person = 0; person < samples / MAX_ATTEMPTS; person += 1)
      for (const name of warm) await send(name, person);

    const times = new Map(names.map((name) => [name, [] as number[]]));
    for (let round = 0; round < samples; round += 1)
      for (const name of shuffled(names)) times.get(name)?.push(await send(name, round));
    return times;
  } finally {
    agent.destroy();
    site.kill();
  }
}

function isOnce(name: ClassName): boolean {
  return (classes[name] as Class).isOnce === true;
}

function answerTime(
  credential: Credential | undefined,
  { agent, port }: { agent: Agent; port: number },
): Promise<number> {
  const body = JSON.stringify(credential);
  const headers = { 'content-type': 'application/json', 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const started = process.hrtime.bigint();
    request(
      { agent, port, host: '127.0.0.1', path: '/login', method: 'POST', headers },
      (response) => {
        response
          .resume()
          .on('error', reject)
          .on('end', () => {
            const elapsed = Number(process.hrtime.bigint() - started) / 1000;
            if (response.statusCode === 401 || response.statusCode === 200) resolve(elapsed);
            else reject(new Error(`The site answered ${response.statusCode ?? 'recovery'}.`));
          });
      },
    )
      .on('error', reject)
      .end(body);
  });
}

function shuffled<T>(list: readonly T[]): T[] {
  const result = [...list];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
