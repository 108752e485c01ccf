import { asOneUser, atOnce, MOST_OF_ONE_USER, openService, serviceOn } from '../helpers/service';
import { onEachStore } from '../helpers/stores';

const CALLERS = 50;
const ROUNDS = 3;
/** Without waits, so that all fifty attempts reach the consumption. */
const attempts = { free: 50, lockAfter: 50 };

onEachStore('one code', (open) => {
  it(`Of ${CALLERS} callers with one code exactly one succeeds`, async () => {
    const { backupCodes, received, written } = await openService(open, { attempts });
    for (let round = 0; round < ROUNDS; round += 1) {
      const { codes, setId } = await backupCodes.issue('ada');
      const [first, ...others] = codes;
      const outcomes = await asOneUser(CALLERS, () => backupCodes.consume('ada', first));
      expect(outcomes.filter(({ ok }) => ok).length).toBe(1);
      expect(outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'reused').length).toBe(
        CALLERS - 1,
      );
      expect(outcomes.find(({ ok }) => ok)).toMatchObject({ remaining: 9, total: 10 });
      const trail = (await written())
        .filter(({ setId: of }) => of === setId)
        .map(({ type, reason }) => reason ?? type)
        .sort();
      expect(trail).toEqual([
        'consumed',
        'issued',
        ...new Array<string>(CALLERS - 1).fill('reused'),
      ]);
      // One of them had the last attempt, but locks nothing, because the consumption reset the
      // counter.
      expect(received.map(({ type }) => type)).not.toContain('locked');
      for (const [used, code] of others.entries())
        expect(await backupCodes.consume('ada', code)).toMatchObject({
          ok: true,
          remaining: 8 - used,
        });
    }
  });

  it('One code used on several instances at once is accepted exactly once', async () => {
    const opened = await open();
    const services = Array.from({ length: 5 }, () => serviceOn(opened, { attempts }));
    const { codes } = await services[0]!.backupCodes.issue('ada');
    const outcomes = await atOnce(CALLERS, (caller) =>
      services[caller % 5]!.backupCodes.consume('ada', codes[0]),
    );
    expect(outcomes.filter(({ ok }) => ok).length).toBe(1);
  });

  it('More callers at once than the hash queue takes of one user are busy, and one succeeds', async () => {
    const { backupCodes } = await openService(open, { attempts });
    const { codes } = await backupCodes.issue('ada');
    const outcomes = await atOnce(CALLERS, () => backupCodes.consume('ada', codes[0]));
    const reasons = outcomes.map((outcome) => (outcome.ok ? 'consumed' : outcome.reason));
    const reused = reasons.filter((reason) => reason === 'reused').length;
    expect(reused).toBeGreaterThanOrEqual(MOST_OF_ONE_USER - 1);
    expect(reasons.sort()).toEqual([
      ...new Array<string>(CALLERS - 1 - reused).fill('busy'),
      'consumed',
      ...new Array<string>(reused).fill('reused'),
    ]);
  });
});

onEachStore('different codes at once', (open) => {
  it('Two codes used at once are both accepted, and neither works again', async () => {
    const { backupCodes } = await openService(open);
    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, other] = (await backupCodes.issue('ada')).codes;
      const outcomes = await Promise.all([
        backupCodes.consume('ada', one),
        backupCodes.consume('ada', other),
      ]);
      expect(outcomes.map((outcome) => outcome.ok && outcome.remaining).sort()).toEqual([8, 9]);
      for (const code of [one, other])
        expect(await backupCodes.consume('ada', code)).toEqual({ ok: false, reason: 'reused' });
    }
  });

  it('Ten codes used at once are all accepted, each with its own remaining count', async () => {
    const { backupCodes } = await openService(open, { attempts });
    const { codes } = await backupCodes.issue('ada');
    const outcomes = await asOneUser(10, (nth) => backupCodes.consume('ada', codes[nth]));
    expect(outcomes.map((outcome) => (outcome.ok ? outcome.remaining : -1)).sort()).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 0 });
  });
});
