// The example app as it is deployed: several processes on PostgreSQL or MariaDB, with sessions and
// codes in Redis or in the database. The stories are those of one process on SQLite, and the
// processes answer the requests in turn.
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
  'the example on PostgreSQL and Redis',
  (database) => {
    describeWith(redis, 'with sessions in Redis, four processes', (cache) => {
      const service = serve(4, () => ({
        DATABASE_URL: database().url,
        REDIS_URL: cache().url,
        PUBLIC_URL: ORIGIN,
      }));

      const bobsCodes = storyTests(service, { browsers: 25 });

      test('A double click that reaches two processes logs in with one code', async () => {
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

      test('A double click that turns the app on shows ten working codes', async () => {
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

      test('A challenge of one process for a security key is accepted by another', async () => {
        const [gus, key] = [await signUp(service(), 'gus'), new SoftKey(ORIGIN)];
        await keepCodes(gus, await addKey(gus, key));
        for (let login = 0; login < 4; login += 1)
          expect(await showKey(await givePassword(service(), 'gus'), key)).toMatchObject({
            status: 303,
            location: '/account',
          });
      });

      test('Posts from one address are counted across the processes', async () => {
        const left: number[] = [];
        for (let post = 0; post < 5; post += 1) {
          const { headers } = await (
            await givePassword(service(), 'dan')
          ).submit('/login/backup-code', { code: '?' });
          left.push(Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1]));
        }
        // Each round has two posts: the password and the code.
        expect(left.map((count) => count - left[0]!)).toEqual([0, -2, -4, -6, -8]);
      });

      test('A process that is killed is replaced, and no user is logged out', async () => {
        const loggedIn = await logInAsBob(service(), bobsCodes()[3]!);
        const inTheMiddle = await givePassword(service(), 'bob');
        const before = service().workers();
        expect(before).toHaveLength(4);
        process.kill(before[0]!, 'SIGKILL');
        // Until the first process notices, it may give a connection to the dead one, which then
        // hangs.
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

      test('All processes end on SIGTERM', async () => {
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
      const bobsCodes = storyTests(service, { browsers: 10 });

      test('While a database is down no user gets in, and no process ends', async () => {
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

      test('If the first process is killed, the others end too', async () => {
        const workers = service().workers();
        service().kill();
        await until(() => !workers.some(isRunning));
      });
    });
  },
  { isolation: 'REPEATABLE READ' },
);

describeWith(mariadb, 'the example on MariaDB, with sessions in it, two processes', (database) => {
  const service = serve(2, () => ({ DATABASE_URL: database().url }));
  storyTests(service, { browsers: 10 });
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

/** Declares the tests of every deployment. @returns the codes of the user bob, who exists then */
function storyTests(
  service: () => ServedService,
  { browsers }: { browsers: number },
): () => string[] {
  let codes: string[];
  let bobsCodes: string[];

  test('A user without the phone logs in with a code, which never works again', async () => {
    codes = await playStory(service(), 'ada');
  });

  test(`of ${browsers} browsers with one code at once exactly one gets in`, () =>
    raceWithOneCode(service(), { username: 'ada', code: codes[0]!, browsers }));

  test('New codes end the old ones', async () => {
    bobsCodes = await replaceCodes(service(), 'bob');
  });

  test('Twenty concurrent pages of one session are answered without an error', async () => {
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

/** Whether every process is healthy: new connections go to the processes in turn. */
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
    if (Date.now() > deadline) throw new Error('The condition was not met in 20 seconds.');
    await wait(50);
  }
}
