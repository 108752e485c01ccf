// One code sent many times at once: every request has found it unspent before any of them consumes it.
import { BackupCodeStrategy, type Hasher } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import { expresses, openSite, service } from './host';

const REQUESTS = 20;

/** Hashes nobody's code before so many wait for it. */
function meetingHasher(): { hasher: Hasher; expect: (callers: number) => void } {
  const quick = countingHasher();
  let [missing, meet] = [0, (): void => undefined];
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

describe.each(expresses)('on %s', (_name, express) => {
  it('of twenty requests that have all found the code unspent exactly one is let in', async () => {
    const meeting = meetingHasher();
    const { backupCodes, issue } = service({
      hasher: meeting.hasher,
      hashConcurrency: REQUESTS,
      attempts: { free: 50 },
    });
    const [code] = await issue();
    const site = await openSite(express, new BackupCodeStrategy({ backupCodes }));
    meeting.expect(REQUESTS);

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
