import type { AttemptOptions, BackupCodesOptions, Context, Channel, Outcome } from '../../lib';
import { nameSubject } from '../../lib/stores/subject';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../helpers/clock';
import { failure } from '../helpers/errors';
import {
  atOnce,
  openServiceForBoth as openService,
  serviceForBothOn as serviceOn,
  WRONG_ON_BOTH as WRONG,
  type Service,
} from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

const channels: readonly Channel[] = ['second_factor', 'recovery'];
/** The documented wait after each attempt, in seconds. */
const DEFAULT_WAITS = [0, 0, 0, 0, 60, 120, 240, 480, 960, 1920, ...Array<number>(40).fill(3600)];
const few: AttemptOptions = { free: 2, firstDelaySeconds: 30, lockAfter: 3 };

/** Attempts that are limited in the same way. */
const kinds: readonly {
  who: string;
  reason: string;
  /** On recovery nothing locks, and an unknown user name has no second factor. */
  locks: boolean;
  attempt: (service: Service, context?: Context) => Promise<Outcome>;
}[] = [
  {
    who: 'a user with a set',
    reason: 'mismatch',
    locks: true,
    attempt: ({ backupCodes }, context) => backupCodes.consume('ada', WRONG, context),
  },
  {
    who: 'a user without a set',
    reason: 'none',
    locks: true,
    attempt: ({ backupCodes }, context) => backupCodes.consume('bob', WRONG, context),
  },
  {
    who: 'a user on recovery',
    reason: 'mismatch',
    locks: false,
    attempt: ({ backupCodes }, context) =>
      backupCodes.consume('ada', WRONG, { channel: 'recovery', ...context }),
  },
  {
    who: 'an unknown user name',
    reason: 'unknown_user',
    locks: false,
    attempt: ({ backupCodes }, context) => backupCodes.rejectUnknownUser('eve', WRONG, context),
  },
];

/** Takes attempts until the channel is locked. */
async function lockChannel({ backupCodes, clock }: Service, context: Context = {}): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const outcome = await backupCodes.consume('ada', WRONG, context);
    if (!outcome.ok && outcome.reason === 'locked') return;
    clock.advance(HOUR_MS);
  }
  throw new Error('the channel was never locked');
}

onEachStore('guessing', (open) => {
  async function withSet(
    options: Partial<BackupCodesOptions> = {},
  ): Promise<Service & { codes: string[] }> {
    const service = await openService(open, options);
    const { codes } = await service.backupCodes.issue('ada');
    service.hasher.count = 0;
    return { ...service, codes };
  }

  describe.each(kinds)('by $who', ({ reason, locks, attempt }) => {
    it('Four attempts have no wait; waits then double from a minute to an hour', async () => {
      const service = await withSet();
      for (const [before, seconds] of DEFAULT_WAITS.entries()) {
        expect(await attempt(service)).toEqual({ ok: false, reason });
        expect(service.hasher.count).toBe(before + 1);
        if (seconds === 0 || (locks && before === 49)) continue;
        expect(await attempt(service)).toEqual({
          ok: false,
          reason: 'throttled',
          retryAfterSeconds: seconds,
        });
        service.clock.advance(seconds * SECOND_MS - 1);
        expect(await attempt(service)).toEqual({
          ok: false,
          reason: 'throttled',
          retryAfterSeconds: 1,
        });
        service.clock.advance(1);
      }
      service.clock.advance(29 * DAY_MS);
      const later = { ok: false, reason: locks ? 'locked' : reason };
      expect(await attempt(service)).toEqual(later);
      expect(service.hasher.count).toBe(locks ? 50 : 51);
    });

    it('Two hundred attempts at once cost one hash for each granted one', async () => {
      const service = await withSet();
      const outcomes = await atOnce(200, () => attempt(service));
      expect(service.hasher.count).toBe(5);
      expect(outcomes.filter((outcome) => !outcome.ok && outcome.reason === reason).length).toBe(5);
      expect(
        outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'throttled').length,
      ).toBe(195);
    });

    it('Attempts are counted together over instances and the addresses of a network', async () => {
      const opened = await open();
      const service = serviceOn(opened);
      await service.backupCodes.issue('ada');
      const others = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          attempt(serviceOn(opened), { ip: `192.0.2.${n}`, requestId: `r-${n}` }),
        ),
      );
      expect(others.filter((outcome) => !outcome.ok && outcome.reason === reason).length).toBe(5);
    });

    it('Each wait writes one event, which counts all its refusals', async () => {
      const service = await withSet({ attempts: { ...few, lockAfter: 50 } });
      const throttled = async (): Promise<unknown[]> =>
        (await service.written())
          .filter(({ type }) => type === 'throttled')
          .map(({ reason: why, refusals }) => [why, refusals]);
      for (let n = 0; n < 2 + 7; n += 1) await attempt(service);
      expect(await throttled()).toEqual([['throttled', 7]]);
      service.clock.advance(30 * SECOND_MS);
      for (let n = 0; n < 1 + 3; n += 1) await attempt(service);
      expect(await throttled()).toEqual([
        ['throttled', 7],
        ['throttled', 3],
      ]);
      expect(
        service.received
          .filter(({ type }) => type === 'throttled')
          .map(({ reason: why, refusals }) => [why, refusals]),
      ).toEqual([
        ['throttled', 1],
        ['throttled', 1],
      ]);
    });
  });

  it.each(['ada', 'bob'])(
    'Attempts of %s are counted for each channel separately',
    async (userId) => {
      const { backupCodes } = await withSet({ attempts: few });
      for (const channel of channels) {
        const reasons = [];
        for (let n = 0; n < 3; n += 1) {
          const outcome = await backupCodes.consume(userId, WRONG, { channel });
          reasons.push(!outcome.ok && outcome.reason);
        }
        const reason = userId === 'ada' ? 'mismatch' : 'none';
        expect(reasons).toEqual([reason, reason, 'throttled']);
      }
    },
  );

  it.each(kinds.filter(({ locks }) => locks))(
    'Attempts by $who lock with one event, and refusals write one event a day',
    async ({ reason, attempt }) => {
      const service = await withSet({ attempts: few });
      for (let n = 0; n < 10; n += 1) {
        await attempt(service);
        service.clock.advance(HOUR_MS);
      }
      const trail = (await service.written()).filter(({ type }) => type !== 'issued');
      expect(trail.map(({ type, reason: why, refusals }) => [type, why, refusals])).toEqual([
        ['rejected', reason, null],
        ['rejected', reason, null],
        ['rejected', reason, null],
        ['locked', null, null],
        ['throttled', 'locked', 7],
      ]);
      service.clock.advance(DAY_MS);
      for (let n = 0; n < 2; n += 1) await attempt(service);
      expect(
        (await service.written())
          .filter(({ type }) => type === 'throttled')
          .map(({ refusals }) => refusals),
      ).toEqual([7, 2]);
      const setId = reason === 'mismatch' ? (await service.backupCodes.status('ada'))!.setId : null;
      expect(
        service.received.filter(({ type }) => type === 'locked').map((event) => event.setId),
      ).toEqual([setId]);
    },
  );

  it('A valid code during a wait is refused without a hash', async () => {
    const { backupCodes, codes, hasher, clock } = await withSet({ attempts: few });
    for (let n = 0; n < 2; n += 1) await backupCodes.consume('ada', WRONG);
    hasher.count = 0;
    expect(await backupCodes.consume('ada', codes[0])).toEqual(
      await backupCodes.consume('ada', WRONG),
    );
    expect(hasher.count).toBe(0);
    clock.advance(30 * SECOND_MS);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it('A refused attempt neither counts nor extends the wait', async () => {
    const { backupCodes, clock, charged } = await withSet({
      attempts: { free: 1, firstDelaySeconds: 100 },
    });
    await backupCodes.consume('ada', WRONG);
    for (let n = 0; n < 50; n += 1) {
      clock.advance(SECOND_MS);
      expect(await backupCodes.consume('ada', WRONG)).toEqual({
        ok: false,
        reason: 'throttled',
        retryAfterSeconds: 99 - n,
      });
    }
    expect(await charged('ada')).toBe(1);
  });

  it('The last attempt before the lock can succeed', async () => {
    const { backupCodes, codes, clock, charged } = await withSet({ attempts: few });
    for (let n = 0; n < 2; n += 1) await backupCodes.consume('ada', WRONG);
    clock.advance(30 * SECOND_MS);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    expect(await charged('ada')).toBe(0);
  });

  it('A locked channel refuses a valid code on every instance and never consumes it', async () => {
    const opened = await open();
    const service = serviceOn(opened, { attempts: few });
    const { codes } = await service.backupCodes.issue('ada');
    await lockChannel(service);
    service.clock.advance(300 * DAY_MS);
    const later = serviceOn(opened, { now: service.clock.now });
    for (const { backupCodes } of [service, later])
      expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'locked' });
    expect(await service.backupCodes.status('ada')).toMatchObject({
      locked: { secondFactor: true, recovery: false },
      remaining: 10,
    });
  });

  it('A locked channel stays locked if more attempts are allowed later', async () => {
    const opened = await open();
    const service = serviceOn(opened, { attempts: few });
    const { codes } = await service.backupCodes.issue('ada');
    await lockChannel(service);
    const generous = serviceOn(opened, { attempts: { lockAfter: 50 }, now: service.clock.now });
    expect(await generous.backupCodes.consume('ada', codes[0])).toEqual({
      ok: false,
      reason: 'locked',
    });
  });

  it('A locked second factor leaves the recovery channel open', async () => {
    const service = await withSet({ attempts: few });
    await lockChannel(service);
    expect(
      await service.backupCodes.consume('ada', service.codes[0], { channel: 'recovery' }),
    ).toMatchObject({ ok: true });
    expect(await service.backupCodes.consume('ada', service.codes[1])).toEqual({
      ok: false,
      reason: 'locked',
    });
  });

  it('A stranger with a user name can guess for days and delays no owner elsewhere', async () => {
    const service = await withSet();
    const stranger = { channel: 'recovery', ip: '203.0.113.66' } as const;
    for (let hours = 0; hours < 100; hours += 1) {
      await service.backupCodes.consume('ada', WRONG, stranger);
      service.clock.advance(HOUR_MS);
    }
    await service.backupCodes.consume('ada', WRONG, stranger);
    service.hasher.count = 0;
    expect(await service.backupCodes.consume('ada', service.codes[0], stranger)).toEqual({
      ok: false,
      reason: 'throttled',
      retryAfterSeconds: 3600,
    });
    const [recovery, secondFactor] = [
      await service.backupCodes.consume('ada', service.codes[0], {
        channel: 'recovery',
        ip: '198.51.100.7',
      }),
      await service.backupCodes.consume('ada', service.codes[1], { ip: '203.0.113.66' }),
    ];
    expect([recovery.ok, secondFactor.ok]).toEqual([true, true]);
    expect(await service.backupCodes.status('ada')).toMatchObject({
      locked: { secondFactor: false, recovery: false },
    });
  });

  it.each([
    ['an IPv4 network of 256 addresses', ['192.0.2.1', '192.0.2.254', '::ffff:192.0.2.9']],
    ['an IPv6 network of a household', ['2001:db8:0:12ff::1', '2001:db8:0:1200:ffff::']],
    ['requests without an address', [undefined, 'unix:', '192.0.2.300']],
  ])('Recovery attempts are counted together for %s', async (_what, addresses) => {
    const { backupCodes } = await withSet({ attempts: { ...few, free: addresses.length } });
    for (const ip of addresses) {
      const context = { channel: 'recovery', ip } as const;
      expect(await backupCodes.consume('ada', WRONG, context)).toMatchObject({
        reason: 'mismatch',
      });
    }
    const again = { channel: 'recovery', ip: addresses[0] } as const;
    expect(await backupCodes.consume('ada', WRONG, again)).toMatchObject({ reason: 'throttled' });
    const elsewhere = { channel: 'recovery', ip: '2001:db8:0:1300::1' } as const;
    expect(await backupCodes.consume('ada', WRONG, elsewhere)).toMatchObject({
      reason: 'mismatch',
    });
  });

  it('Only a new set unlocks a channel', async () => {
    const service = await withSet({ attempts: few });
    await lockChannel(service);
    await service.backupCodes.revoke('ada');
    expect(await service.backupCodes.consume('ada', WRONG)).toEqual({
      ok: false,
      reason: 'locked',
    });
    const staged = await service.backupCodes.stage('ada');
    expect(await service.backupCodes.consume('ada', staged.codes[0])).toEqual({
      ok: false,
      reason: 'locked',
    });
    await service.backupCodes.activate('ada', staged.setId);
    for (const [n, channel] of channels.entries())
      expect(await service.backupCodes.consume('ada', staged.codes[n], { channel })).toMatchObject({
        ok: true,
      });
    expect(await service.backupCodes.status('ada')).toMatchObject({
      locked: { secondFactor: false, recovery: false },
    });
  });

  it('Only a consumed code or a new set resets the attempt counter', async () => {
    const { backupCodes, codes, clock, charged } = await withSet();
    for (let n = 0; n < 3; n += 1) await backupCodes.consume('ada', WRONG);
    clock.advance(100 * DAY_MS);
    await backupCodes.status('ada');
    await backupCodes.stage('ada');
    expect(await charged('ada')).toBe(3);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    expect(await charged('ada')).toBe(0);
    for (let n = 0; n < 2; n += 1) await backupCodes.consume('ada', WRONG);
    await backupCodes.revoke('ada');
    expect(await charged('ada')).toBe(2);
    await backupCodes.issue('ada');
    expect(await charged('ada')).toBe(0);
  });

  it('A code consumed on one channel does not reset the counter of the other', async () => {
    const { backupCodes, codes, charged } = await withSet();
    for (const channel of channels) await backupCodes.consume('ada', WRONG, { channel });
    await backupCodes.consume('ada', codes[0], { channel: 'recovery' });
    expect(await charged('ada')).toBe(1);
  });

  it('Invalid, reused and expired codes all count as failed attempts', async () => {
    const { backupCodes, codes, clock, charged } = await withSet({
      expiresAfterDays: 1,
      attempts: { free: 50 },
    });
    await backupCodes.consume('ada', codes[0]);
    await backupCodes.consume('ada', WRONG);
    await backupCodes.consume('ada', codes[0]);
    expect(await charged('ada')).toBe(2);
    clock.advance(DAY_MS);
    await backupCodes.consume('ada', codes[1]);
    expect(await charged('ada')).toBe(3);
  });

  it('An attempt from before a new set neither counts nor locks its channel', async () => {
    const { backupCodes, codes, watched, charged } = await withSet({
      attempts: { free: 5, lockAfter: 2 },
    });
    await backupCodes.consume('ada', WRONG);
    // A set is issued after the last attempt was compared and before its refusal is written.
    watched.before('append', () => backupCodes.issue('ada'));
    expect(await backupCodes.consume('ada', WRONG)).toEqual({ ok: false, reason: 'mismatch' });
    expect(await charged('ada')).toBe(0);
    expect(await backupCodes.status('ada')).toMatchObject({
      locked: { secondFactor: false, recovery: false },
    });
    expect(codes).toHaveLength(10);
  });
});

onEachStore('unknown user names', (open) => {
  it('Attempts on all spellings of an unknown name are counted together', async () => {
    const { backupCodes } = await openService(open, { attempts: few });
    for (const name of ['Eve', ' eve '])
      expect(await backupCodes.rejectUnknownUser(name, WRONG)).toEqual({
        ok: false,
        reason: 'unknown_user',
      });
    expect(await backupCodes.rejectUnknownUser('\uff25ve', WRONG)).toMatchObject({
      reason: 'throttled',
    });
    expect(await backupCodes.rejectUnknownUser('eva', WRONG)).toMatchObject({
      reason: 'unknown_user',
    });
  });

  it('An unknown name is normalized by the function that the app passes', async () => {
    const { backupCodes } = await openService(open, {
      attempts: { ...few, free: 1 },
      normalizeUsername: (name) => name.replace(/@.*/, ''),
    });
    await backupCodes.rejectUnknownUser('eve@example.org', WRONG);
    expect(await backupCodes.rejectUnknownUser('eve@example.com', WRONG)).toMatchObject({
      reason: 'throttled',
    });
    expect(await backupCodes.rejectUnknownUser('EVE', WRONG)).toMatchObject({
      reason: 'unknown_user',
    });
  });

  it('The counter of an unknown name cannot collide with a user id', async () => {
    const opened = await open();
    const { backupCodes, charged } = serviceOn(opened, { attempts: few });
    const subject = nameSubject('eve', await opened.store.nameKey());
    const { key } = subject;
    for (const userId of ['eve', key, key.slice('name:'.length)]) await backupCodes.issue(userId);
    for (let n = 0; n < 3; n += 1) await backupCodes.rejectUnknownUser('eve', WRONG);
    for (const userId of ['eve', key, key.slice('name:'.length)])
      expect(await charged(userId)).toBe(0);
    expect(await backupCodes.rejectUnknownUser('eve', WRONG)).toMatchObject({
      reason: 'throttled',
    });
  });

  it('An unknown name is neither stored nor written to an event', async () => {
    const opened = await open();
    const { backupCodes, received } = serviceOn(opened);
    for (const name of ['mallory-was-here', 'hunter2-typed-into-the-wrong-field'])
      await backupCodes.rejectUnknownUser(name, WRONG);
    expect(JSON.stringify(received)).not.toMatch(/mallory|hunter2/);
    expect(opened.dump()).not.toMatch(/mallory|hunter2/);
    expect(received.map(({ type, reason, userId }) => [type, reason, userId])).toEqual(
      Array(2).fill(['rejected', 'unknown_user', null]),
    );
    expect(await opened.events()).toEqual(received);
  });

  it('The counter of an unknown name is kept for 30 days after its last attempt', async () => {
    const { backupCodes, clock } = await openService(open, {
      attempts: { ...few, free: 3 },
    });
    const outcomes = [];
    for (const days of [0, 20, 29, 0, 30]) {
      clock.advance(days * DAY_MS);
      const outcome = await backupCodes.rejectUnknownUser('eve', WRONG);
      outcomes.push(outcome.reason);
    }
    const reason = 'unknown_user';
    expect(outcomes).toEqual([reason, reason, reason, 'throttled', reason]);
    expect(await backupCodes.rejectUnknownUser('eve', WRONG)).toMatchObject({ reason });
  });
});

describe('a user name', () => {
  it.each<[string, unknown]>([
    ['an empty string', ''],
    ['321 characters', 'x'.repeat(321)],
    ['undefined', undefined],
    ['a list', ['eve']],
    ['an object', { $ne: null }],
    ['a number', 7],
  ])('A user name must be a string of 1 to 320 characters: %s is an error', async (_what, name) => {
    const { backupCodes, watched } = await openService(memory.open);
    await expect(backupCodes.rejectUnknownUser(name as string, WRONG)).rejects.toEqual(
      failure('invalid_username'),
    );
    expect(watched.calls).toEqual([]);
  });

  it('A valid code is refused together with an unknown user name', async () => {
    const { backupCodes } = await openService(memory.open);
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.rejectUnknownUser('ada', codes[0])).toEqual({
      ok: false,
      reason: 'unknown_user',
    });
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10 });
  });
});
