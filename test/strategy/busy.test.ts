// A burst of attempts over HTTP: how many slow hashes run, how many wait, and how the others are
// answered. Counted, never timed.
import type { RequestHandler } from 'express';
import { formats, type Hasher } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import {
  expressVersions,
  openTestApp,
  makeService,
  makeStrategy,
  type Answer,
  type TestApp,
} from './test-app';

const WRONG = 'AAAA-AAAA-AAAA-AAAA';
const BURST = 20;
const PLACES = 2;
const QUEUE = 3;

describe.each(expressVersions)('on %s', (_name, express) => {
  /** Both channels. On the second factor the user is the one that the body names. */
  const open = (held: HeldHasher): Promise<TestApp> => {
    const { backupCodes } = makeService({
      format: formats.recovery,
      hasher: held,
      hashConcurrency: PLACES,
      maxQueuedHashes: QUEUE,
    });
    return openTestApp(express, (app, { passport }) => {
      passport.use('second-factor', makeStrategy(backupCodes, 'second_factor'));
      passport.use('recovery', makeStrategy(backupCodes, 'recovery'));
      app.use((req, _res, next) => {
        req.user = { id: (req.body as { username: string }).username };
        next();
      });
      for (const name of ['second-factor', 'recovery'])
        app.post(`/${name}`, passport.authenticate(name, { session: false }) as RequestHandler);
    });
  };
  const attempt = (
    site: TestApp,
    { path = '/second-factor', user = 'ada' } = {},
  ): Promise<Answer> => site.post(path, { username: user, code: WRONG });

  it.each([
    ['/second-factor', PLACES],
    ['/recovery', PLACES / 2],
  ])('a burst at %s fills the hash queue, and the rest gets 503', async (path, places) => {
    const held = heldHasher();
    const site = await open(held);
    const answers: Answer[] = [];
    const burst = Array.from({ length: BURST }, async (_, index) =>
      answers.push(await attempt(site, { path, user: `user-${index}` })),
    );
    await until(() => answers.length === BURST - places - QUEUE);

    expect(answers.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual(
      Array(BURST - places - QUEUE).fill([503, '5']),
    );
    expect([held.inside, held.count]).toEqual([places, places]);

    held.letGo();
    await Promise.all(burst);
    expect(
      answers
        .slice(BURST - places - QUEUE)
        .map(({ status, headers }) => [status, headers.get('retry-after')]),
    ).toEqual(Array(places + QUEUE).fill([401, null]));
    expect([held.most, held.count]).toEqual([places, places + QUEUE]);
  });
});

/** Holds every hash until `letGo`, and counts the hashes that it holds. */
interface HeldHasher extends Hasher {
  inside: number;
  most: number;
  count: number;
  letGo(): void;
}

function heldHasher(): HeldHasher {
  const quick = countingHasher();
  let letGo = (): void => undefined;
  const released = new Promise<void>((resolve) => (letGo = resolve));
  const held: HeldHasher = {
    ...quick,
    letGo,
    inside: 0,
    most: 0,
    hash: async (code, salt) => {
      held.count += 1;
      held.inside += 1;
      held.most = Math.max(held.most, held.inside);
      await released;
      held.inside -= 1;
      return quick.hash(code, salt);
    },
  };
  return held;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
