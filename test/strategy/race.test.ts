// One code sent many times at once: each request finds it unspent before any request consumes it.
import { BackupCodeStrategy, type Hasher } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import { expressVersions, openLoginApp, makeService } from './test-app';

const REQUESTS = 20;

/** Holds each hash until the expected number of callers wait. */
function barrierHasher(): { hasher: Hasher; expect: (callers: number) => void } {
  const quick = countingHasher();
  let missing = 0;
  let meet = (): void => undefined;
  let met: Promise<void> = Promise.resolve();
  return {
    hasher: {
      ...quick,
      hash: async (code, salt) => {
        missing -= 1;
        if (missing <= 0) meet();
        await met;
        return quick.hash(code, salt);
      },
    },
    expect: (callers) => {
      missing = callers;
      met = new Promise((resolve) => (meet = resolve));
    },
  };
}

describe.each(expressVersions)('on %s', (_name, express) => {
  it('exactly one of twenty requests that all found the code unconsumed is let in', async () => {
    const barrier = barrierHasher();
    const { backupCodes, issue } = makeService({
      hasher: barrier.hasher,
      hashConcurrency: REQUESTS,
      attempts: { free: 50 },
    });
    const [code] = await issue();
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));
    barrier.expect(REQUESTS);

    const answers = await Promise.all(
      Array.from({ length: REQUESTS }, () => site.post('/login', { code })),
    );

    expect(answers.map(({ status }) => status).sort()).toEqual([
      200,
      ...Array<number>(REQUESTS - 1).fill(401),
    ]);
    expect((await backupCodes.status('ada'))?.remaining).toBe(9);
  });
});
