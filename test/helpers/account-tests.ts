// The end of an account, tested through the service, so that the same tests run on each store: what
// is left of a user who is forgotten, and what pruning removes.
import {
  BackupCodes,
  formats,
  type AuditEvent,
  type BackupCodeAudit,
  type BackupCodesOptions,
  type BackupCodeStore,
} from '../../lib';
import { userKey } from '../../lib/stores/subject';
import { DAY_MS, fakeClock, START, type FakeClock } from './clock';
import { countingHasher } from './counting-hasher';
import { WRONG_ON_BOTH } from './service';

type ReportingStore = BackupCodeStore & BackupCodeAudit;

export interface AccountTestOptions {
  /** Opens an empty store. `dump` reads everything that it stores. */
  readonly open: () => Promise<{ store: ReportingStore; dump: () => Promise<string> }>;
}

const ADA = 'ada.lovelace@example.org';
const CONTEXT = { ip: '198.51.100.77', userAgent: 'Recognizable/1.0', requestId: 'request-1815' };
const PHONE = '+44 20 7946 0815';

export function accountTests({ open }: AccountTestOptions): void {
  const start = async (
    options: Partial<BackupCodesOptions> = {},
  ): Promise<{
    backupCodes: BackupCodes;
    over: (others: Partial<BackupCodesOptions>) => BackupCodes;
    clock: FakeClock;
    dump: () => Promise<string>;
  }> => {
    const { store, dump } = await open();
    const clock = fakeClock();
    const over = (others: Partial<BackupCodesOptions>): BackupCodes =>
      new BackupCodes({
        store,
        hasher: countingHasher(),
        format: formats.recovery,
        now: clock.now,
        ...options,
        ...others,
      });
    return { backupCodes: over({}), over, clock, dump };
  };

  describe.each(['erase', 'anonymize'] as const)('a user who is forgotten (%s)', (audit) => {
    it.each([null, 'bank'])(
      'No row, key or event names a forgotten user, or where requests came from (namespace %s)',
      async (namespace) => {
        const { backupCodes, clock, dump } = await start({
          attempts: { free: 2 },
          ...(namespace !== null && { namespace }),
        });
        await backupCodes.issue('grace', { ip: '203.0.113.9' });
        await live(backupCodes, clock);
        const { events } = await backupCodes.audit.events({ types: ['throttled'] });
        // The id of an event that counts refusals is made from the user's key.
        const countedId = events[0]?.id ?? 'none';
        const names = [ADA, userKey(ADA, namespace), PHONE, countedId, ...Object.values(CONTEXT)];
        const before = await dump();
        for (const name of names) expect(before).toContain(name);

        await backupCodes.forget(ADA, { audit, ...CONTEXT, actor: 'admin-9' });
        const after = await dump();
        for (const name of names) expect(after).not.toContain(name);
        for (const name of ['grace', userKey('grace', namespace), '203.0.113.9', 'admin-9']) {
          expect(after).toContain(name);
        }
        expect(await backupCodes.status(ADA)).toBeNull();
        expect((await backupCodes.status('grace'))?.remaining).toBe(10);
      },
    );

    it('A reader that continues from its cursor receives each later event once', async () => {
      const { backupCodes, clock } = await start({ attempts: { free: 2 } });
      await backupCodes.issue('grace');
      await live(backupCodes, clock);
      const all = await readAll(backupCodes);
      const { events, cursor } = await backupCodes.audit.events({ limit: 4 });
      expect(events).toEqual(all.slice(0, 4));

      await backupCodes.forget(ADA, { audit });
      await backupCodes.revoke('grace');
      const rest = await readAll(backupCodes, cursor);
      const kept = all
        .slice(4)
        .filter(({ userId }) => audit === 'anonymize' || userId !== ADA)
        .map(({ type }) => type);
      const isNew = ({ type }: AuditEvent): boolean => type === 'forgotten' || type === 'revoked';
      expect(rest.filter((event) => !isNew(event)).map(({ type }) => type)).toEqual(kept);
      expect(rest.filter(({ type }) => type === 'forgotten')).toHaveLength(1);
      expect((await backupCodes.audit.events({ userId: ADA })).events).toEqual([]);
      const newestFirst = await backupCodes.audit.events({ order: 'newest-first', limit: 1000 });
      const oldestFirst = await readAll(backupCodes);
      expect(newestFirst.events.map(({ id }) => id).toReversed()).toEqual(
        oldestFirst.map(({ id }) => id),
      );
    });
  });

  it('Anonymous events still count in the report, and are pruned like the others', async () => {
    const { backupCodes, clock } = await start({ attempts: { free: 2 } });
    await live(backupCodes, clock);
    const { days } = await backupCodes.audit.report({ since: START });
    const count = (await readAll(backupCodes)).length;
    await backupCodes.forget(ADA, { audit: 'anonymize' });
    const report = await backupCodes.audit.report({ since: START });
    expect([report.users, report.unusual.users, report.days]).toEqual([0, [], days]);
    const throttled = await backupCodes.audit.events({ types: ['throttled'] });
    expect(throttled.events.map(({ refusals }) => refusals)).toEqual([3]);
    clock.advance(400 * DAY_MS);
    expect(await backupCodes.audit.prune({ before: clock.now() })).toBe(count + 1);
    expect(await readAll(backupCodes)).toEqual([]);
  });

  it('Nothing of a user without codes is left after pruning, if that is asked for', async () => {
    const { backupCodes, over, clock, dump } = await start();
    await live(backupCodes, clock);
    await backupCodes.issue('grace');
    const ofBank = over({ namespace: 'bank' });
    await ofBank.issue('bob');
    await ofBank.revoke('bob');
    await backupCodes.revoke(ADA);
    clock.advance(400 * DAY_MS);
    const before = clock.now();

    await backupCodes.audit.prune({ before });
    expect(await dump()).toContain(userKey(ADA));
    await backupCodes.audit.prune({ before, usersWithoutSet: true });
    const left = await dump();
    for (const name of [ADA, userKey(ADA)]) expect(left).not.toContain(name);
    for (const key of [userKey('grace'), userKey('bob', 'bank')]) expect(left).toContain(key);
    expect((await backupCodes.status('grace'))?.remaining).toBe(10);
  });
}

/** Leaves every kind of trace: sets that ended and that work, refusals, reminders, own events. */
async function live(backupCodes: BackupCodes, clock: FakeClock): Promise<void> {
  await backupCodes.issue(ADA, CONTEXT);
  const { codes } = await backupCodes.issue(ADA, { ...CONTEXT, actor: ADA });
  await backupCodes.consume(ADA, codes[0], CONTEXT);
  for (let n = 0; n < 5; n += 1) {
    await backupCodes.consume(ADA, WRONG_ON_BOTH, { ...CONTEXT, channel: 'recovery' });
  }
  await backupCodes.audit.record('app_phone_changed', {
    userId: ADA,
    details: { to: PHONE },
    context: CONTEXT,
  });
  await backupCodes.stage(ADA, CONTEXT);
  await backupCodes.audit.recordReminders({ now: clock.now() + 340 * DAY_MS });
}

async function readAll(
  backupCodes: BackupCodes,
  from: string | null = null,
): Promise<AuditEvent[]> {
  const all: AuditEvent[] = [];
  for (let after = from; ;) {
    const page = await backupCodes.audit.events({ after, limit: 3 });
    if (page.events.length === 0) return all;
    all.push(...page.events);
    after = page.cursor;
  }
}
