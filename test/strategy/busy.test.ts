// A burst of attempts over HTTP: how many slow hashes run at once, how many wait, and what the others are told. Counted, never timed.
import type { RequestHandler } from 'express';
import { formats, type Hasher } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import { expresses, openHost, service, strategyOf, type Answer, type Host } from './host';

const WRONG = 'AAAA-AAAA-AAAA-AAAA';
const BURST = 20;
const PLACES = 2;
const QUEUE = 3;

describe.each(expresses)('on %s', (_name, express) => {
  /** A route behind a first factor, whose user is whom the body names, and a recovery login. */
  const open = (held: HeldHasher): Promise<Host> => {
    const { backupCodes } = service({
      format: formats.recovery,
      hasher: held,
      hashConcurrency: PLACES,
      maxQueuedHashes: QUEUE,
    });
    return openHost(express, (app, { passport }) => {
      passport.use('second-factor', strategyOf(backupCodes, 'second_factor'));
      passport.use('fallback', strategyOf(backupCodes, 'recovery'));
      app.use((req, _res, next) => {
        req.user = { id: (req.body as { username: string }).username };
        next();
      });
      for (const name of ['second-factor', 'fallback'])
        app.post(`/${name}`, passport.authenticate(name, { session: false }) as RequestHandler);
    });
  };
  const attempt = (site: Host, { path = '/second-factor', user = 'ada' } = {}): Promise<Answer> =>
    site.post(path, { username: user, code: WRONG });

  it.each(['/second-factor', '/fallback'])(
    'of a burst at %s as many hash at once as there are places, as many wait as the queue holds, and the others are told to come back',
    async (path) => {
      const held = heldHasher();
      const site = await open(held);
      const answers: Answer[] = [];
      const burst = Array.from({ length: BURST }, async (_, index) =>
        answers.push(await attempt(site, { path, user: `user-${index}` })),
      );
      await until(() => answers.length === BURST - PLACES - QUEUE);

      expect(answers.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual(
        Array(BURST - PLACES - QUEUE).fill([503, '5']),
      );
      expect([held.inside, held.count]).toEqual([PLACES, PLACES]);

      held.letGo();
      await Promise.all(burst);
      expect(
        answers
          .slice(BURST - PLACES - QUEUE)
          .map(({ status, headers }) => [status, headers.get('retry-after')]),
      ).toEqual(Array(PLACES + QUEUE).fill([401, null]));
      expect([held.most, held.count]).toEqual([PLACES, PLACES + QUEUE]);
    },
  );
});

/** Keeps every hash waiting until it is let go, and counts those inside. */
interface HeldHasher extends Hasher {
  inside: number;
  most: number;
  count: number;
  letGo(): void;
}

function heldHasher(): HeldHasher {
  const quick = countingHasher();
  let letGo = (): void => undefined;
  const told = new Promise<void>((resolve) => (letGo = resolve));
  const held: HeldHasher = {
    ...quick,
    letGo,
    inside: 0,
    most: 0,
    hash: async (code, salt) => {
      held.count += 1;
      held.inside += 1;
      held.most = Math.max(held.most, held.inside);
      await told;
      held.inside -= 1;
      return quick.hash(code, salt);
    },
  };
  return held;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
