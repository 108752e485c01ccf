// What happens after a database was restored from an older copy: exported events are replayed, and
// cursors from the lost part of the trail are refused. Tested through the service.
import {
  BackupCodes,
  type AuditEvent,
  type BackupCodeAudit,
  type BackupCodeReplay,
  type BackupCodeStore,
} from '../../lib';
import { fakeClock, SECOND_MS, type FakeClock } from './clock';
import { countingHasher } from './counting-hasher';
import { WRONG } from './service';

export type RestorableStore = BackupCodeStore & BackupCodeAudit & BackupCodeReplay;

/** A database that can be set back. */
export interface RestorableData {
  readonly store: RestorableStore;
  /** Makes a copy of all data. */
  copy(): Promise<void>;
  /** Puts the copy in place of the data, as an operator does. */
  restore(): Promise<RestorableStore>;
}

export interface RestoreTestOptions {
  /** Opens an empty database. */
  readonly open: () => Promise<RestorableData>;
  /**
   * Whether new events may have the positions of lost ones. Redis names entries by its clock, so
   * there they have not.
   *
   * @default true
   */
  readonly reusesPositions?: boolean;
  /** Called before new events are read. */
  readonly settle?: () => Promise<void>;
}

export function restoreTests({
  open,
  reusesPositions = true,
  settle = () => Promise.resolve(),
}: RestoreTestOptions): void {
  const over = (store: RestorableStore, { now }: FakeClock): BackupCodes =>
    new BackupCodes({
      store,
      hasher: countingHasher(),
      now,
      attempts: { free: 10, lockAfter: 10 },
    });

  const exportEvents = async (backupCodes: BackupCodes): Promise<[AuditEvent[], string | null]> => {
    await settle();
    const exported: AuditEvent[] = [];
    for (let after: string | null = null; ;) {
      const { events, cursor } = await backupCodes.audit.events({ after, limit: 7 });
      if (events.length === 0) return [exported, after];
      exported.push(...events);
      after = cursor;
    }
  };

  /** A copy, changes of several users, an export of all events, and the copy in their place. */
  const loseChanges = async () => {
    const clock = fakeClock();
    const data = await open();
    const lost = over(data.store, clock);
    const issue = async (userId: string): Promise<string[]> => {
      clock.advance(SECOND_MS);
      return (await lost.issue(userId)).codes;
    };
    const ada = await issue('ada');
    await lost.consume('ada', ada[0]);
    const bob = await issue('bob');
    const carol = await issue('carol');
    const eve = await issue('eve');
    const frank = await issue('frank');
    await issue('grace');
    const staged = await lost.stage('grace');
    const [, cursorOfCopy] = await exportEvents(lost);
    await data.copy();

    clock.advance(60 * SECOND_MS);
    await lost.consume('ada', ada[1], { ip: '192.0.2.7', userAgent: 'Mozilla/5.0' });
    await lost.consume('ada', ada[2]);
    await lost.revoke('bob', { actor: 'admin-9' });
    const newCarol = await issue('carol');
    await lost.consume('carol', newCarol[0]);
    await issue('dave');
    for (let n = 0; n < 10; n += 1) await lost.consume('eve', WRONG);
    await lost.forget('frank', { audit: 'erase', actor: 'admin-9' });
    await lost.activate('grace', staged.setId);
    await issue('heidi');
    await lost.revoke('heidi');
    await lost.audit.record('app_phone_changed', { userId: 'ada', details: { by: 'support' } });
    const [exported, cursor] = await exportEvents(lost);

    clock.advance(SECOND_MS);
    const backupCodes = over(await data.restore(), clock);
    return {
      backupCodes,
      clock,
      exported,
      cursor,
      cursorOfCopy,
      codes: { ada, bob, carol, eve, frank, staged: staged.codes },
    };
  };

  const outcomesOf = async (
    backupCodes: BackupCodes,
    attempts: readonly (readonly [string, string | undefined])[],
  ): Promise<string[]> => {
    const outcomes: string[] = [];
    for (const [userId, code] of attempts) {
      const outcome = await backupCodes.consume(userId, code);
      outcomes.push(outcome.ok ? `ok, ${outcome.remaining} left` : outcome.reason);
    }
    return outcomes;
  };

  for (const [order, sort] of [
    ['in their order', (events: AuditEvent[]) => events],
    ['the newest first', (events: AuditEvent[]) => events.toReversed()],
  ] as const) {
    it(`After a restore, what the events took away is taken away again, ${order}`, async () => {
      const { backupCodes, exported, codes } = await loseChanges();
      const { ada, bob, carol, eve, staged } = codes;
      const result = await backupCodes.audit.replay(sort(exported), { actor: 'ops' });
      expect(result.applied).toEqual({ consumed: 2, replaced: 2, revoked: 1, locked: 1 });
      expect([...result.usersWithoutSet].sort()).toEqual(['carol', 'dave', 'grace']);
      expect([result.events, result.usersToForgetAgain]).toEqual([exported.length, 1]);
      expect(
        await outcomesOf(backupCodes, [
          ['ada', ada[0]],
          ['ada', ada[1]],
          ['ada', ada[2]],
          ['ada', ada[3]],
          ['bob', bob[0]],
          ['carol', carol[0]],
          ['eve', eve[0]],
          ['grace', staged[0]],
        ]),
      ).toEqual(['reused', 'reused', 'reused', 'ok, 6 left', 'none', 'none', 'locked', 'none']);
    });
  }

  it('After a replay the trail has every event as it was, once, and an event of the replay', async () => {
    const { backupCodes, exported } = await loseChanges();
    const { written } = await backupCodes.audit.replay(exported, { actor: 'ops' });
    const [events] = await exportEvents(backupCodes);
    const byId = (list: readonly AuditEvent[]): AuditEvent[] =>
      [...list].sort((a, b) => (a.id < b.id ? -1 : 1));
    const replayed = events.filter(({ type }) => type === 'replayed');
    expect(replayed).toMatchObject([
      { userId: null, context: { actor: 'ops' }, details: { written, consumed: 2, revoked: 1 } },
    ]);
    // The copy has an event of the user who was erased since.
    const others = events.filter(({ type, userId }) => type !== 'replayed' && userId !== 'frank');
    expect(byId(others)).toEqual(byId(exported));
  });

  it('A second replay of the same events changes nothing and says the same of users', async () => {
    const { backupCodes, exported } = await loseChanges();
    const first = await backupCodes.audit.replay(exported);
    const [before] = await exportEvents(backupCodes);
    const second = await backupCodes.audit.replay(exported);
    expect(second).toEqual({
      ...first,
      written: 0,
      applied: { consumed: 0, replaced: 0, revoked: 0, locked: 0 },
      usersToForgetAgain: 0,
    });
    expect((await exportEvents(backupCodes))[0]).toEqual(before);
  });

  it('A replay changes nothing of what users and administrators did since the restore', async () => {
    const { backupCodes, clock, exported } = await loseChanges();
    await backupCodes.audit.replay(exported);
    clock.advance(SECOND_MS);
    const carol = await backupCodes.issue('carol');
    await backupCodes.unlock('eve', 'second_factor', { actor: 'admin-9' });
    const result = await backupCodes.audit.replay(exported);
    expect([...result.usersWithoutSet].sort()).toEqual(['dave', 'grace']);
    expect(result.applied).toEqual({ consumed: 0, replaced: 0, revoked: 0, locked: 0 });
    expect((await backupCodes.status('eve'))?.locked.secondFactor).toBe(false);
    expect((await backupCodes.consume('carol', carol.codes[0])).ok).toBe(true);
  });

  it('A cursor from after the copy is refused at once, and says what to do', async () => {
    const { backupCodes, cursor } = await loseChanges();
    await expect(backupCodes.audit.events({ after: cursor })).rejects.toMatchObject({
      code: 'cursor_ahead',
      message: expect.stringContaining('audit.replay'),
    });
  });

  it('A cursor from before the copy continues with the replayed events', async () => {
    const { backupCodes, exported, cursorOfCopy } = await loseChanges();
    const { written } = await backupCodes.audit.replay(exported);
    await settle();
    const { events } = await backupCodes.audit.events({ after: cursorOfCopy });
    expect(events).toHaveLength(written + 1);
  });

  if (reusesPositions) {
    it('A cursor from after the copy is refused when other events have its position', async () => {
      const { backupCodes, clock, exported, cursor } = await loseChanges();
      for (let n = 0; n < exported.length; n += 1) {
        clock.advance(SECOND_MS);
        await backupCodes.issue('ada');
      }
      await settle();
      await expect(backupCodes.audit.events({ after: cursor })).rejects.toMatchObject({
        code: 'cursor_ahead',
      });
    });
  }

  it('The cursor of an event that was removed stays valid', async () => {
    const clock = fakeClock();
    const { store } = await open();
    const backupCodes = over(store, clock);
    await backupCodes.issue('ada');
    const [, cursor] = await exportEvents(backupCodes);
    clock.advance(SECOND_MS);
    await backupCodes.audit.prune({ before: clock.now() });
    expect(await backupCodes.audit.events({ after: cursor })).toEqual({ events: [], cursor });
    await backupCodes.revoke('ada');
    await settle();
    const { events } = await backupCodes.audit.events({ after: cursor });
    expect(events.map(({ type }) => type)).toEqual(['revoked']);
  });
}
