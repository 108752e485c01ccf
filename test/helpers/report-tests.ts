// The audit trail of a store, tested through the service, so that the same tests run on each store.
import {
  BackupCodes,
  formats,
  type AuditEvent,
  type BackupCodeAudit,
  type BackupCodesOptions,
  type BackupCodeStore,
  type EventsQuery,
} from '../../lib';
import { EVENT_TYPES } from '../../lib/audit/events';
import { DAY_MS, fakeClock, HOUR_MS, START, type FakeClock } from './clock';
import { countingHasher } from './counting-hasher';
import { atOnce, WRONG, WRONG_ON_BOTH } from './service';

type ReportingStore = BackupCodeStore & BackupCodeAudit;

const CONTEXT = { ip: '192.0.2.7', userAgent: 'Mozilla/5.0', requestId: 'r-1', actor: 'admin-9' };

export interface ReportTestOptions {
  /** Opens an empty store. `another` opens a second one on the same data. */
  readonly open: () => Promise<{ store: ReportingStore; another: () => ReportingStore }>;
}

export function reportTests({ open }: ReportTestOptions): void {
  const start = async (
    options: Partial<BackupCodesOptions> = {},
  ): Promise<{
    backupCodes: BackupCodes;
    another: () => BackupCodes;
    clock: FakeClock;
    received: AuditEvent[];
  }> => {
    const { store, another } = await open();
    const clock = fakeClock();
    const received: AuditEvent[] = [];
    const over = (given: ReportingStore): BackupCodes =>
      new BackupCodes({ store: given, hasher: countingHasher(), now: clock.now, ...options });
    const backupCodes = over(store);
    for (const type of EVENT_TYPES) backupCodes.on(type, (event) => received.push(event));
    return { backupCodes, another: () => over(another()), clock, received };
  };
  const typesOf = (events: readonly AuditEvent[]): string[] => events.map(({ type }) => type);
  const readAll = async (
    backupCodes: BackupCodes,
    query: EventsQuery = {},
  ): Promise<AuditEvent[]> => {
    const all: AuditEvent[] = [];
    for (let after: string | null = null; ;) {
      const page = await backupCodes.audit.events({ ...query, after });
      if (page.events.length === 0) return all;
      all.push(...page.events);
      after = page.cursor;
    }
  };

  describe('events', () => {
    it('Stored events equal the live events in every field and in their order', async () => {
      const { backupCodes, received, clock } = await start({ lowAt: 9, format: formats.recovery });
      const userId = 'a "strange"\r\n\0id \u{1f511}';
      const {
        codes: [code],
      } = await backupCodes.issue(userId, CONTEXT);
      await backupCodes.consume(userId, WRONG_ON_BOTH, { ...CONTEXT, channel: 'recovery' });
      clock.advance(1500);
      await backupCodes.consume(userId, code, CONTEXT);
      clock.advance(60_000);
      await backupCodes.consume(userId, code);
      await backupCodes.rejectUnknownUser('eve', WRONG_ON_BOTH, { channel: 'recovery' });
      await backupCodes.revoke(userId);
      for (const type of ['issued', 'rejected', 'consumed', 'low', 'revoked'] as const)
        expect(typesOf(received)).toContain(type);
      const all = await readAll(backupCodes);
      // On a store with partitions, events of unknown names have no order among the others.
      const ofUser = (events: readonly AuditEvent[]): AuditEvent[] =>
        events.filter((event) => event.userId === userId);
      expect(ofUser(all)).toEqual(ofUser(received));
      expect(all.filter((event) => event.userId === null)).toEqual(
        received.filter((event) => event.userId === null),
      );
      expect(await readAll(backupCodes, { userId })).toEqual(ofUser(received));
    });

    it('The refusals of a wait are counted in its one event', async () => {
      const { backupCodes } = await start({ attempts: { free: 1 } });
      await backupCodes.issue('ada');
      for (let attempt = 0; attempt < 4; attempt += 1) await backupCodes.consume('ada', WRONG);
      const { events } = await backupCodes.audit.events({ userId: 'ada', types: ['throttled'] });
      expect(events.map(({ reason, refusals }) => [reason, refusals])).toEqual([['throttled', 3]]);
    });

    it('A cursor continues after the last page, with later events and filters', async () => {
      const { backupCodes } = await start();
      await backupCodes.issue('grace');
      for (let n = 0; n < 5; n += 1) await backupCodes.issue('ada');
      const first = await backupCodes.audit.events({ userId: 'ada', limit: 3 });
      const second = await backupCodes.audit.events({
        userId: 'ada',
        limit: 3,
        after: first.cursor,
      });
      const third = await backupCodes.audit.events({
        userId: 'ada',
        limit: 3,
        after: second.cursor,
      });
      expect([first, second, third].map(({ events }) => events.length)).toEqual([3, 2, 0]);
      expect(third.cursor).toBe(second.cursor);
      await backupCodes.consume('ada', WRONG);
      await backupCodes.revoke('ada');
      expect(
        typesOf((await backupCodes.audit.events({ userId: 'ada', after: third.cursor })).events),
      ).toEqual(['rejected', 'revoked']);
      expect(
        typesOf(
          (
            await backupCodes.audit.events({
              userId: 'ada',
              after: third.cursor,
              types: ['revoked'],
            })
          ).events,
        ),
      ).toEqual(['revoked']);
      expect((await backupCodes.audit.events({ userId: 'ada', types: [] })).events).toEqual([]);
      const ids = (await readAll(backupCodes, { limit: 2 })).map(({ id }) => id);
      expect([ids.length, new Set(ids).size]).toEqual([8, 8]);
    });

    it('Events can be read newest first, page by page', async () => {
      const { backupCodes } = await start();
      for (let n = 0; n < 5; n += 1) await backupCodes.issue('ada');
      await backupCodes.issue('grace');
      await backupCodes.revoke('ada');
      const oldestFirst = await readAll(backupCodes, { userId: 'ada' });
      expect(
        await readAll(backupCodes, { userId: 'ada', order: 'newest-first', limit: 2 }),
      ).toEqual(oldestFirst.toReversed());
      expect((await readAll(backupCodes, { order: 'newest-first', limit: 2 })).length).toBe(7);
    });

    it('Without events the page is empty and has no cursor', async () => {
      const { backupCodes } = await start();
      expect(await backupCodes.audit.events()).toEqual({ events: [], cursor: null });
      expect(await backupCodes.audit.events({ userId: 'eve' })).toEqual({
        events: [],
        cursor: null,
      });
    });

    it.each([
      ['empty', ''],
      ['a letter', 'x'],
      ['an empty list', 'W10'],
      ['a negative position', Buffer.from('["memory","-1"]').toString('base64url')],
      ['a statement', Buffer.from('["sqlite","1; DROP"]').toString('base64url')],
      ['too long', 'A'.repeat(9000)],
    ])('An invalid cursor is refused: %s', async (_what, after) => {
      const { backupCodes } = await start();
      await expect(backupCodes.audit.events({ after })).rejects.toMatchObject({
        code: 'invalid_cursor',
      });
    });
  });

  describe('prune', () => {
    it('Pruning removes older events, returns their number, and keeps cursors valid', async () => {
      const { backupCodes, clock } = await start();
      for (const userId of ['ada', 'grace', 'ada']) await backupCodes.issue(userId);
      const { cursor } = await backupCodes.audit.events({ limit: 1 });
      const { cursor: end } = await backupCodes.audit.events();
      clock.advance(DAY_MS);
      await backupCodes.revoke('ada');
      expect(await backupCodes.audit.prune({ before: START })).toBe(0);
      expect(await backupCodes.audit.prune({ before: START + 1 })).toBe(3);
      expect(await backupCodes.audit.prune({ before: START + 1 })).toBe(0);
      expect(typesOf((await backupCodes.audit.events({ after: end })).events)).toEqual(['revoked']);
      expect(typesOf((await backupCodes.audit.events({ after: cursor })).events)).toEqual([
        'revoked',
      ]);
      expect(await backupCodes.status('grace')).toMatchObject({ remaining: 10 });
    });
  });

  it('Refusals are counted in a new event after theirs was pruned', async () => {
    const { backupCodes, clock } = await start({ attempts: { free: 1, lockAfter: 1 } });
    await backupCodes.issue('ada');
    for (let n = 0; n < 4; n += 1) await backupCodes.consume('ada', WRONG);
    clock.advance(HOUR_MS);
    await backupCodes.audit.prune({ before: clock.now() });
    for (let n = 0; n < 3; n += 1) await backupCodes.consume('ada', WRONG);
    expect(
      (await readAll(backupCodes)).map(({ type, reason, refusals }) => [type, reason, refusals]),
    ).toEqual([['throttled', 'locked', 3]]);
    expect(
      (await backupCodes.audit.report({ since: START })).days.map(({ failures }) => failures),
    ).toEqual([{ locked: 3 }]);
  });

  describe('recordReminders', () => {
    const END = START + 365 * DAY_MS;

    it('Each set has reminders at 30 days, at 7 days and at its expiry, each once', async () => {
      const { backupCodes, another } = await start();
      const {
        setId,
        codes: [code],
      } = await backupCodes.issue('ada');
      await backupCodes.consume('ada', code);
      for (const before of [30, 7, 0]) {
        const at = END - before * DAY_MS;
        expect(await backupCodes.audit.recordReminders({ now: at - 1 })).toBe(0);
        expect(await another().audit.recordReminders({ now: at })).toBe(1);
        expect(await backupCodes.audit.recordReminders({ now: at })).toBe(0);
      }
      const { events } = await backupCodes.audit.events({ types: ['expiring', 'expired'] });
      expect(events.map((event) => [event.type, event.at, event.setId, event.remaining])).toEqual([
        ['expiring', END - 30 * DAY_MS, setId, 9],
        ['expiring', END - 7 * DAY_MS, setId, 9],
        ['expired', END, setId, 9],
      ]);
    });

    it('After a pause only the latest reminder is recorded', async () => {
      const { backupCodes } = await start();
      await backupCodes.issue('ada');
      expect(await backupCodes.audit.recordReminders({ now: END - DAY_MS })).toBe(1);
      expect(await backupCodes.audit.recordReminders({ now: END + DAY_MS })).toBe(1);
      expect(await backupCodes.audit.recordReminders({ now: END + 400 * DAY_MS })).toBe(0);
      expect(await remindersOf(backupCodes)).toEqual([
        ['expiring', 'ada'],
        ['expired', 'ada'],
      ]);
    });

    it('A new set has new reminders; revoked, staged and unlimited sets have none', async () => {
      const { backupCodes } = await start();
      const { backupCodes: never } = await start({ expiresAfterDays: null });
      await backupCodes.issue('ada');
      await backupCodes.audit.recordReminders({ now: END });
      const { setId } = await backupCodes.issue('ada');
      await backupCodes.issue('revoked');
      await backupCodes.revoke('revoked');
      await backupCodes.stage('staged');
      expect(await backupCodes.audit.recordReminders({ now: END })).toBe(1);
      const { events } = await backupCodes.audit.events({ types: ['expired'], userId: 'ada' });
      expect(events.at(-1)).toMatchObject({ setId });
      await never.issue('grace');
      expect(await never.audit.recordReminders({ now: END + 3650 * DAY_MS })).toBe(0);
    });

    it('A set that is valid for ten days has no reminder at 30 days', async () => {
      const { backupCodes } = await start({ expiresAfterDays: 10 });
      await backupCodes.issue('ada');
      expect(await backupCodes.audit.recordReminders({ now: START + DAY_MS })).toBe(0);
      expect(await backupCodes.audit.recordReminders({ now: START + 3 * DAY_MS })).toBe(1);
      expect(await remindersOf(backupCodes)).toEqual([['expiring', 'ada']]);
    });

    it('Of four processes that record reminders at once, one records each', async () => {
      const { backupCodes, another } = await start();
      const users = Array.from({ length: 40 }, (_, n) => `user-${n}`);
      for (const userId of users) await backupCodes.issue(userId);
      const received: string[] = [];
      const services = [backupCodes, another(), another(), another()];
      for (const service of services)
        service.on('expiring', ({ userId }) => received.push(String(userId)));
      const now = END - 30 * DAY_MS;
      const recorded = await atOnce(4, (n) => services[n]!.audit.recordReminders({ now }));
      expect(recorded.reduce((sum, count) => sum + count, 0)).toBe(40);
      expect(received.sort()).toEqual([...users].sort());
      expect((await backupCodes.audit.events({ types: ['expiring'] })).events).toHaveLength(40);
    });
  });

  describe('report', () => {
    it('A report counts sets, codes, events by day and users with many failures', async () => {
      const { backupCodes, another, clock } = await start({
        lowAt: 3,
        attempts: { free: 3, lockAfter: 4 },
      });
      const consumed = async (userId: string, times: number): Promise<void> => {
        const { codes } = await backupCodes.issue(userId);
        for (const code of codes.slice(0, times)) await backupCodes.consume(userId, code, CONTEXT);
      };
      await consumed('expired', 1);
      clock.advance(366 * DAY_MS);
      await consumed('rotation', 0);
      clock.advance(200 * DAY_MS);
      await consumed('Ada', 0);
      await consumed('ada', 8);
      await consumed('exhausted', 10);
      await backupCodes.issue('gone');
      await backupCodes.revoke('gone');
      await backupCodes.stage('staged');
      clock.advance(DAY_MS);
      await backupCodes.issue('attacked');
      for (const ip of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.1'])
        await another().consume('attacked', WRONG, { ip });
      clock.advance(HOUR_MS);
      await backupCodes.consume('attacked', WRONG, { ip: '192.0.2.1' });
      await backupCodes.consume('attacked', WRONG, { ip: '192.0.2.1' });
      await backupCodes.consume('Ada', WRONG, { ip: '192.0.2.1' });
      await backupCodes.consume('ada', WRONG, { ip: '192.0.2.9' });
      await backupCodes.rejectUnknownUser('eve', WRONG, { ip: '192.0.2.1' });
      const now = START + 567 * DAY_MS + HOUR_MS;
      const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

      expect(await backupCodes.audit.report({ since: START + 500 * DAY_MS })).toEqual({
        since: START + 500 * DAY_MS,
        until: now,
        users: 6,
        remainingCodes: 10 + 10 + 2,
        low: 1,
        exhausted: 1,
        expired: 1,
        locked: 1,
        rotationDue: 1,
        neverUsed: 3,
        setsByPepper: { none: 6 },
        setsByHasher: { $counted: 6 },
        days: [
          { day: dayOf(START + 566 * DAY_MS), issued: 4, consumed: 18, failures: {} },
          {
            day: dayOf(now),
            issued: 1,
            consumed: 0,
            failures: { mismatch: 6, unknown_user: 1, throttled: 2, locked: 1 },
          },
        ],
        unusual: {
          users: [{ userId: 'attacked', failures: 7, addresses: 2 }],
          addresses: [{ ip: '192.0.2.1', failures: 8, users: 2 }],
        },
      });
    });

    it('A report counts sets by pepper and by hash cost', async () => {
      const { store } = await open();
      const key = (byte: number): Buffer => Buffer.alloc(32, byte);
      await new BackupCodes({ store, hasher: countingHasher('old$cost=1') }).issue('ada');
      const peppered = new BackupCodes({
        store,
        hasher: countingHasher('new$cost=2'),
        pepper: [{ id: '2026', key: key(1) }],
      });
      for (const userId of ['grace', 'alan']) await peppered.issue(userId);
      const { setsByPepper, setsByHasher } = await peppered.audit.report();
      expect([setsByPepper, setsByHasher]).toEqual([
        { none: 1, 2026: 2 },
        { '$old$cost=1': 1, '$new$cost=2': 2 },
      ]);
    });

    it('A report counts sets of a pepper whose id is also the name of a member of every object', async () => {
      const { store } = await open();
      const key = Buffer.alloc(32, 1);
      const ids = ['constructor', '__proto__', 'toString', 'hasOwnProperty', '2026'];
      for (const id of ids) {
        const pepper = { id, key };
        const backupCodes = new BackupCodes({ store, hasher: countingHasher(), pepper });
        for (const n of [1, 2]) await backupCodes.issue(`${id} ${n}`);
      }
      const { users, setsByPepper } = await new BackupCodes({ store }).audit.report();
      expect(users).toBe(10);
      expect(Object.entries(setsByPepper).sort()).toEqual(ids.map((id) => [id, 2]).sort());
    });

    it('The report of an empty store has only zeros', async () => {
      const { backupCodes } = await start();
      expect(await backupCodes.audit.report()).toEqual({
        since: START - 30 * DAY_MS,
        until: START,
        users: 0,
        remainingCodes: 0,
        low: 0,
        exhausted: 0,
        expired: 0,
        locked: 0,
        rotationDue: 0,
        neverUsed: 0,
        setsByPepper: {},
        setsByHasher: {},
        days: [],
        unusual: { users: [], addresses: [] },
      });
    });
  });
}

/** The reminders in the audit trail, with the user of each. */
async function remindersOf(backupCodes: BackupCodes): Promise<unknown[]> {
  const { events } = await backupCodes.audit.events({ types: ['expiring', 'expired'] });
  return events.map(({ type, userId }) => [type, userId]);
}
