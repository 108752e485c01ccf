// Whichever statement of a transaction fails: afterwards a change and its event are both there, or
// neither is.
import { BackupCodes } from '../../lib';
import { DAY_MS, fakeClock, HOUR_MS } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { serviceOn, WRONG, type Service } from '../helpers/service';
import { openSqlite } from '../helpers/stores';

const fault = new Error('the disk is full');

/** Makes the nth statement from now on fail before the database sees it. */
function faultAt(): { before(): void; arm(nth: number): void; disarm(): boolean } {
  let left = Infinity;
  return {
    before: () => {
      left -= 1;
      if (left === 0) throw fault;
    },
    arm: (nth) => {
      left = nth;
    },
    disarm: () => {
      const wasReached = left <= 0;
      left = Infinity;
      return wasReached;
    },
  };
}

type Change = [
  what: string,
  change: (service: Service & { codes: string[]; stagedId: string }) => Promise<unknown>,
];

const changes: Change[] = [
  ['issue', ({ backupCodes }) => backupCodes.issue('ada')],
  ['the first issue', ({ backupCodes }) => backupCodes.issue('bob')],
  ['stage', ({ backupCodes }) => backupCodes.stage('ada')],
  ['activate', ({ backupCodes, stagedId }) => backupCodes.activate('ada', stagedId)],
  ['revoke', ({ backupCodes }) => backupCodes.revoke('ada')],
];

describe('a transaction of SqlStore', () => {
  it.each(changes)(
    'if a statement of %s fails, nothing has changed, and the call can be repeated',
    async (_what, change) => {
      const faults = faultAt();
      const opened = await openSqlite(faults.before);
      const service = serviceOn(opened);
      const { codes } = await service.backupCodes.issue('ada');
      const { setId: stagedId } = await service.backupCodes.stage('ada');
      const before = opened.rows();
      let nth = 1;
      for (; ; nth += 1) {
        faults.arm(nth);
        const failed = await change({ ...service, codes, stagedId }).then(
          () => false,
          (error: unknown) => error === fault,
        );
        if (!faults.disarm()) break;
        expect(failed).toBe(true);
        expect(opened.rows()).toEqual(before);
      }
      expect(nth).toBeGreaterThan(3);
      expect(opened.rows()).not.toEqual(before);
      await opened.close();
    },
  );

  it.each([
    ['a valid code', 6],
    ['an invalid code', 3],
  ] as const)(
    'if a statement fails, %s lets no user in, and a consumption is all or nothing',
    async (what, statements) => {
      const faults = faultAt();
      const opened = await openSqlite(faults.before);
      const { backupCodes, charged, clock, written } = serviceOn(opened);
      const { codes } = await backupCodes.issue('ada');
      const typed = what === 'a valid code' ? codes[0] : WRONG;
      let attempts = 0;
      for (let nth = 1; nth <= statements; nth += 1) {
        faults.arm(nth);
        await expect(backupCodes.consume('ada', typed)).rejects.toBe(fault);
        expect(faults.disarm()).toBe(true);
        // The first two statements take the attempt, in a transaction of their own. An invalid
        // code keeps it charged.
        if (nth > 2 && what === 'an invalid code') attempts += 1;
        expect(await charged('ada')).toBe(attempts);
        expect(await backupCodes.status('ada')).toMatchObject({
          remaining: 10,
          lastConsumedAt: null,
        });
        expect(await written()).toHaveLength(1);
      }
      clock.advance(HOUR_MS);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
      expect((await written()).map(({ type }) => type)).toEqual(['issued', 'consumed']);
      await opened.close();
    },
  );

  it('if a statement of a refusal fails, neither the counter nor the trail changes', async () => {
    const faults = faultAt();
    const opened = await openSqlite(faults.before);
    const { backupCodes } = serviceOn(opened, { attempts: { free: 1 } });
    await backupCodes.issue('ada');
    await backupCodes.consume('ada', WRONG);
    for (const refusal of [1, 2]) {
      const before = opened.rows();
      for (const nth of [1, 2, 3]) {
        faults.arm(nth);
        await expect(backupCodes.consume('ada', WRONG)).rejects.toBe(fault);
        expect(faults.disarm()).toBe(true);
        expect(opened.rows()).toEqual(before);
      }
      expect(await backupCodes.consume('ada', WRONG)).toMatchObject({ reason: 'throttled' });
      expect((await opened.events()).at(-1)).toMatchObject({
        type: 'throttled',
        refusals: refusal,
      });
    }
    await opened.close();
  });

  it('if a later batch of reminders fails, the call returns what was recorded', async () => {
    const faults = faultAt();
    const opened = await openSqlite(faults.before);
    const clock = fakeClock();
    const backupCodes = new BackupCodes({
      store: opened.store,
      hasher: countingHasher(),
      count: 1,
      now: clock.now,
    });
    for (let user = 0; user < 150; user += 1) await backupCodes.issue(user);
    clock.advance(340 * DAY_MS);
    // A batch is read, marked set by set, counted and recorded. Then comes the next read.
    faults.arm(1 + 100 + 2 + 1);
    const first = await backupCodes.audit.recordReminders();
    expect([faults.disarm(), first]).toEqual([true, 100]);
    faults.arm(1);
    await expect(backupCodes.audit.recordReminders()).rejects.toBe(fault);
    faults.disarm();
    const rest = await backupCodes.audit.recordReminders();
    expect(rest).toBe(50);
    const { events } = await backupCodes.audit.events({ types: ['expiring'], limit: 1000 });
    expect(new Set(events.map(({ userId }) => userId)).size).toBe(150);
    await opened.close();
  });
});
