// The example app as it is deployed: several processes on PostgreSQL or MariaDB, sessions and codes
// in Redis or in the database. The same stories as in one process on SQLite, each request answered
// by whichever process has its turn.
import { setTimeout as wait } from 'node:timers/promises';
import { isRunning, type ServedService, startServed } from '../../example-app/test/helpers/served';
import { addKey, showKey, SoftKey } from '../../example-app/test/helpers/soft-key';
import {
  doubleClick,
  raceWithOneCode,
  replaceCodes,
  playStory,
} from '../../example-app/test/helpers/stories';
import {
  givePassword,
  keepCodes,
  secretIn,
  signUp,
  tokenIn,
  totpAt,
  type Visitor,
} from '../../example-app/test/helpers/visitor';
import { describeWith, mariadb, postgres, redis } from '../helpers/servers';

jest.setTimeout(120_000);

const ORIGIN = 'https://codes.example.com';

describeWith(
  postgres,
  'on PostgreSQL and Redis',
  (database) => {
    describeWith(redis, 'with sessions in Redis, four processes', (cache) => {
      const service = serve(4, () => ({
        DATABASE_URL: database().url,
        REDIS_URL: cache().url,
        PUBLIC_URL: ORIGIN,
      }));

      const bobsCodes = tellStories(service, { browsers: 25 });

      test('a double click whose clicks reach two processes logs in with one code', async () => {
        for (const code of bobsCodes().slice(0, 2)) {
          const visitor = await givePassword(service(), 'bob');
          const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
          expect(await doubleClick(visitor, '/login/backup-code', { _csrf, code })).toMatchObject({
            status: 303,
            location: '/account',
          });
          expect(await visitor.isLoggedIn()).toBe(true);
        }
        const { text } = await (await logInAsBob(service(), bobsCodes()[2]!)).get('/account');
        expect(text).toContain('6 of 10 are left');
      });

      test('a double click that turns the app on shows ten codes, and they work', async () => {
        const dan = await signUp(service(), 'dan');
        const { text } = await dan.get('/account/totp');
        const codes = await keepCodes(
          dan,
          await doubleClick(dan, '/account/totp', {
            _csrf: tokenIn(text),
            code: totpAt(secretIn(text), Date.now()),
          }),
        );
        expect(
          (
            await (
              await givePassword(service(), 'dan')
            ).submit('/login/backup-code', { code: codes[9]! })
          ).location,
        ).toBe('/account');
      });

      test('a security key that one process challenges answers another', async () => {
        const [gus, key] = [await signUp(service(), 'gus'), new SoftKey(ORIGIN)];
        await keepCodes(gus, await addKey(gus, key));
        for (let login = 0; login < 4; login += 1)
          expect(await showKey(await givePassword(service(), 'gus'), key)).toMatchObject({
            status: 303,
            location: '/account',
          });
      });

      test('posts of one address are counted across the processes', async () => {
        const left: number[] = [];
        for (let post = 0; post < 5; post += 1) {
          const { headers } = await (
            await givePassword(service(), 'dan')
          ).submit('/login/backup-code', { code: '?' });
          left.push(Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]));
        }
        // Two posts each time: the password, and the code.
        expect(left.map((count) => count - left[0]!)).toEqual([0, -2, -4, -6, -8]);
      });

      test('a process that is killed is replaced; the others go on, and nobody is logged out', async () => {
        const loggedIn = await logInAsBob(service(), bobsCodes()[3]!);
        const inTheMiddle = await givePassword(service(), 'bob');
        const before = service().workers();
        expect(before).toHaveLength(4);
        process.kill(before[0]!, 'SIGKILL');
        // Until the first process knows, it may hand a connection to the dead one, which hangs
        // until its client gives up.
        await until(() => service().complaints().includes(`Process ${before[0]} ended`));
        expect(
          await inTheMiddle.submit('/login/backup-code', { code: bobsCodes()[4]! }),
        ).toMatchObject({ status: 303, location: '/account' });
        await until(() => service().workers().length === 4);
        expect(await loggedIn.isLoggedIn()).toBe(true);
        expect(service().complaints()).toMatch(
          new RegExp(`^Process ${before[0]} ended with SIGKILL. Another one starts in \\d+ ms.\n$`),
        );
      });

      test('all end on SIGTERM', async () => {
        const workers = service().workers();
        expect(await service().stop()).toBe(0);
        expect(workers.filter(isRunning)).toEqual([]);
      });
    });

    describeWith(redis, 'with codes and sessions in Redis, two processes', (cache) => {
      const service = serve(2, async () => ({
        DATABASE_URL: await database().createDatabase('codes_in_redis'),
        REDIS_URL: cache().url,
        BACKUP_CODE_STORE: 'redis',
      }));
      const bobsCodes = tellStories(service, { browsers: 10 });

      test('a server that goes away lets nobody in; no process ends of it, and the next try works once it is back', async () => {
        const workers = service().workers();
        for (const [server, code] of [
          [database(), bobsCodes()[0]!],
          [cache(), bobsCodes()[1]!],
        ] as const) {
          const visitor = await givePassword(service(), 'bob');
          const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
          await server.kill();
          const answer = await visitor.post('/login/backup-code', { _csrf, code });
          expect([answer.status, answer.text.includes('Something went wrong')]).toEqual([
            500,
            true,
          ]);
          expect((await visitor.get('/healthz')).status).toBe(500);
          await server.restart();
          await until(() => isHealthy(service()));
          expect(await visitor.submit('/login/backup-code', { code })).toMatchObject({
            status: 303,
            location: '/account',
          });
        }
        expect(service().workers()).toEqual(workers);
      });

      test('where the first process is killed, the others end too', async () => {
        const workers = service().workers();
        service().kill();
        await until(() => !workers.some(isRunning));
      });
    });
  },
  { isolation: 'REPEATABLE READ' },
);

describeWith(mariadb, 'on MariaDB, with sessions in it, two processes', (database) => {
  const service = serve(2, () => ({ DATABASE_URL: database().url }));
  tellStories(service, { browsers: 10 });
});

/** Starts the service after the servers, and ends it before them. */
function serve(
  processes: number,
  env: () => Record<string, string> | Promise<Record<string, string>>,
): () => ServedService {
  let service: ServedService | null = null;
  beforeAll(async () => {
    service = await startServed({ WEB_CONCURRENCY: String(processes), ...(await env()) });
  });
  afterAll(() => service?.stop());
  return () => service!;
}

/** What passes everywhere. Afterwards there is Bob, whose codes these are. */
function tellStories(
  service: () => ServedService,
  { browsers }: { browsers: number },
): () => string[] {
  let codes: string[];
  let bobsCodes: string[];

  test('a person loses the phone, and gets in with a code that never works again', async () => {
    codes = await playStory(service(), 'ada');
  });

  test(`of ${browsers} browsers with one code at once exactly one gets in`, () =>
    raceWithOneCode(service(), { username: 'ada', code: codes[0]!, browsers }));

  test('new codes end the old ones', async () => {
    bobsCodes = await replaceCodes(service(), 'bob');
  });

  test('twenty pages of one session at once are all answered, and none of it was a fault', async () => {
    const visitor = await signUp(service(), 'zoe');
    const pages = await Promise.all(Array.from({ length: 20 }, () => visitor.get('/account/totp')));
    expect(pages.map(({ status }) => status)).toEqual(pages.map(() => 200));
    expect(service().complaints()).toBe('');
  });

  return () => bobsCodes;
}

async function logInAsBob(service: ServedService, code: string): Promise<Visitor> {
  const visitor = await givePassword(service, 'bob');
  expect(await visitor.submit('/login/backup-code', { code })).toMatchObject({
    status: 303,
    location: '/account',
  });
  return visitor;
}

/** In every process: new connections go to them in turn. */
async function isHealthy({ url }: ServedService): Promise<boolean> {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () =>
      fetch(new URL('/healthz', url), { headers: { connection: 'close' } }),
    ),
  );
  return answers.every(({ status }) => status === 200);
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error('It did not come to be.');
    await wait(50);
  }
}
