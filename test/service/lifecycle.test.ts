import { DAY_MS, HOUR_MS, START } from '../helpers/clock';
import {
  asOneUser,
  atOnce,
  openService,
  openServiceForBoth,
  serviceOn,
  WRONG,
  WRONG_ON_BOTH,
} from '../helpers/service';
import { onEachStore } from '../helpers/stores';

onEachStore('staged sets', (open) => {
  it('A staged set is made as an issued one, and does not work until it is activated', async () => {
    const { backupCodes, received, written } = await openService(open);
    const old = await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada', { actor: 'ada' });
    expect(staged).toEqual({
      setId: expect.not.stringContaining(old.setId),
      codes: expect.any(Array),
      createdAt: START,
      expiresAt: START + 365 * DAY_MS,
    });
    expect(new Set(staged.codes).size).toBe(10);
    expect(await backupCodes.consume('ada', staged.codes[0])).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    expect(await backupCodes.consume('ada', old.codes[0])).toMatchObject({
      ok: true,
      setId: old.setId,
    });
    expect(received[1]).toMatchObject({
      type: 'staged',
      setId: staged.setId,
      remaining: 10,
      total: 10,
      context: { actor: 'ada' },
    });
    expect(await written()).toEqual(received);
  });

  it('An activated set replaces the old one, with all its codes and fresh counters', async () => {
    const { backupCodes, charged, received, written } = await openServiceForBoth(open);
    const old = await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    for (const channel of ['second_factor', 'recovery'] as const)
      await backupCodes.consume('ada', WRONG_ON_BOTH, { channel });
    expect(await charged('ada')).toBe(1);
    expect(await backupCodes.activate('ada', staged.setId, { ip: '192.0.2.1' })).toBe(true);
    expect(await charged('ada')).toBe(0);
    expect(received.at(-1)).toMatchObject({
      type: 'activated',
      setId: staged.setId,
      remaining: 10,
      total: 10,
      context: { ip: '192.0.2.1' },
    });
    expect(await written()).toEqual(received);
    expect(await backupCodes.consume('ada', old.codes[0])).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    for (const [used, code] of staged.codes.entries())
      expect(await backupCodes.consume('ada', code)).toMatchObject({
        ok: true,
        setId: staged.setId,
        remaining: 9 - used,
      });
  });

  it('A staged set can be the first set of a user', async () => {
    const { backupCodes } = await openService(open);
    const { setId, codes } = await backupCodes.stage('ada');
    expect(await backupCodes.status('ada')).toBeNull();
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'none' });
    expect(await backupCodes.activate('ada', setId)).toBe(true);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  it.each([
    [-1, true],
    [0, false],
    [1, false],
  ])(
    'A staged set can be activated for an hour: %d ms from its end gives %s',
    async (offset, expected) => {
      const { backupCodes, clock } = await openService(open);
      const { codes } = await backupCodes.issue('ada');
      const staged = await backupCodes.stage('ada');
      clock.set(START + HOUR_MS + offset);
      expect(await backupCodes.activate('ada', staged.setId)).toBe(expected);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject(
        expected ? { ok: false, reason: 'mismatch' } : { ok: true },
      );
    },
  );

  it('An activated set keeps the expiry that it was staged with', async () => {
    const { backupCodes, clock } = await openService(open, { expiresAfterDays: 1 });
    const staged = await backupCodes.stage('ada');
    clock.advance(HOUR_MS - 1);
    await backupCodes.activate('ada', staged.setId);
    expect(await backupCodes.status('ada')).toMatchObject({
      createdAt: START,
      expiresAt: START + DAY_MS,
    });
  });

  it('Staging another set drops the earlier staged one', async () => {
    const { backupCodes } = await openService(open);
    const [earlier, later] = [await backupCodes.stage('ada'), await backupCodes.stage('ada')];
    expect(await backupCodes.activate('ada', earlier.setId)).toBe(false);
    expect(await backupCodes.activate('ada', later.setId)).toBe(true);
    expect(await backupCodes.consume('ada', earlier.codes[0])).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    expect(await backupCodes.consume('ada', later.codes[0])).toMatchObject({ ok: true });
  });

  it.each([
    ['a set is issued', 'issue'],
    ['the user is revoked', 'revoke'],
  ] as const)('A staged set is dropped when %s', async (_what, call) => {
    const { backupCodes, received } = await openService(open);
    await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    await backupCodes[call]('ada');
    received.length = 0;
    expect(await backupCodes.activate('ada', staged.setId)).toBe(false);
    expect(received).toEqual([]);
  });

  it('Revoking drops a staged set even if the user has no other', async () => {
    const { backupCodes } = await openService(open);
    const staged = await backupCodes.stage('ada');
    expect(await backupCodes.revoke('ada')).toBe(false);
    expect(await backupCodes.activate('ada', staged.setId)).toBe(false);
    expect(await backupCodes.status('ada')).toBeNull();
  });

  it('Of many activations at once exactly one succeeds', async () => {
    const { backupCodes, written } = await openService(open);
    const { setId } = await backupCodes.stage('ada');
    const results = await atOnce(20, () => backupCodes.activate('ada', setId));
    expect(results.filter(Boolean).length).toBe(1);
    expect((await written()).filter(({ type }) => type === 'activated').length).toBe(1);
    expect(await backupCodes.activate('ada', setId)).toBe(false);
  });

  it('A staged set is activated only by its own user and id', async () => {
    const { backupCodes } = await openService(open);
    const current = await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    expect(await backupCodes.activate('bob', staged.setId)).toBe(false);
    for (const setId of [
      current.setId,
      '',
      'x',
      'a\0b',
      '__proto__',
      undefined,
      null,
      {},
      { $ne: null },
      [staged.setId],
    ])
      expect(await backupCodes.activate('ada', setId as string)).toBe(false);
    expect(await backupCodes.activate('ada', staged.setId)).toBe(true);
  });

  it('A staged set that is never activated does not affect the old one', async () => {
    const { backupCodes, clock } = await openService(open);
    const { codes, setId } = await backupCodes.issue('ada');
    await backupCodes.stage('ada');
    clock.advance(DAY_MS);
    for (const code of codes)
      expect(await backupCodes.consume('ada', code)).toMatchObject({ ok: true, setId });
  });
});

onEachStore('revoking', (open) => {
  it('Revoking ends the set at once, returns true, and records the actor', async () => {
    const { backupCodes, received, written } = await openService(open);
    const { setId, codes } = await backupCodes.issue('ada');
    expect(await backupCodes.revoke('ada', { actor: 'support-7' })).toBe(true);
    expect(received.at(-1)).toMatchObject({
      type: 'revoked',
      userId: 'ada',
      setId,
      context: { actor: 'support-7' },
    });
    expect(await written()).toEqual(received);
    expect(await backupCodes.status('ada')).toBeNull();
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'none' });
  });

  it('Revoking without a set returns false and records nothing', async () => {
    const { backupCodes, received, written } = await openService(open);
    expect(await backupCodes.revoke('ada')).toBe(false);
    await backupCodes.issue('ada');
    await backupCodes.revoke('ada');
    expect(await backupCodes.revoke('ada')).toBe(false);
    expect(received.map(({ type }) => type)).toEqual(['issued', 'revoked']);
    expect(await written()).toEqual(received);
  });

  it('A new set can be issued after a revocation', async () => {
    const { backupCodes } = await openService(open);
    await backupCodes.issue('ada');
    await backupCodes.revoke('ada');
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it('Revoking does not affect other users', async () => {
    const { backupCodes } = await openService(open);
    await backupCodes.issue('ada');
    const { codes } = await backupCodes.issue('bob');
    await backupCodes.revoke('ada');
    expect(await backupCodes.consume('bob', codes[0])).toMatchObject({ ok: true });
  });
});

onEachStore('the status of a user', (open) => {
  it('The status is null without a set, and never holds codes, salts or digests', async () => {
    const { backupCodes } = await openService(open);
    expect(await backupCodes.status('ada')).toBeNull();
    await backupCodes.consume('ada', WRONG);
    expect(await backupCodes.status('ada')).toBeNull();
    const { setId, createdAt, expiresAt } = await backupCodes.issue('ada');
    expect(await backupCodes.status('ada')).toEqual({
      setId,
      total: 10,
      remaining: 10,
      createdAt,
      expiresAt,
      lastConsumedAt: null,
      locked: { secondFactor: false, recovery: false },
      low: false,
      rotationDue: false,
      expired: false,
    });
  });

  it('The status has the remaining count and the time of the last consumption', async () => {
    const { backupCodes, clock } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    for (let used = 1; used <= 10; used += 1) {
      clock.advance(HOUR_MS);
      await backupCodes.consume('ada', codes[used - 1]);
      expect(await backupCodes.status('ada')).toMatchObject({
        total: 10,
        remaining: 10 - used,
        lastConsumedAt: START + used * HOUR_MS,
        low: 10 - used <= 3,
      });
    }
    clock.advance(HOUR_MS);
    await backupCodes.consume('ada', codes[0]);
    expect(await backupCodes.status('ada')).toMatchObject({ lastConsumedAt: START + 10 * HOUR_MS });
  });

  it.each([
    [180 * DAY_MS - 1, false],
    [180 * DAY_MS, true],
  ])(
    'A set is due for rotation after 180 days, and still works: %d ms give %s',
    async (age, rotationDue) => {
      const { backupCodes, clock } = await openService(open);
      const { codes } = await backupCodes.issue('ada');
      clock.advance(age);
      expect(await backupCodes.status('ada')).toMatchObject({ rotationDue, expired: false });
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    },
  );

  it('Without `rotateAfterDays` no set is due for rotation', async () => {
    const { backupCodes, clock } = await openService(open, {
      rotateAfterDays: null,
      expiresAfterDays: null,
    });
    await backupCodes.issue('ada');
    clock.advance(5000 * DAY_MS);
    expect(await backupCodes.status('ada')).toMatchObject({ rotationDue: false, expired: false });
  });

  it('After its last attempt the second factor is locked, and recovery never is', async () => {
    const { backupCodes } = await openServiceForBoth(open, { attempts: { free: 5, lockAfter: 2 } });
    await backupCodes.issue('ada');
    const locked = [];
    for (const channel of ['recovery', 'second_factor'] as const) {
      for (let n = 0; n < 2; n += 1) {
        await backupCodes.consume('ada', WRONG_ON_BOTH, { channel });
        locked.push((await backupCodes.status('ada'))?.locked);
      }
    }
    const unlocked = { secondFactor: false, recovery: false };
    expect(locked).toEqual([unlocked, unlocked, unlocked, { secondFactor: true, recovery: false }]);
  });

  it('The status is that of the newest set on each instance', async () => {
    const opened = await open();
    await serviceOn(opened).backupCodes.issue('ada');
    const { setId } = await serviceOn(opened).backupCodes.issue('ada');
    expect(await serviceOn(opened).backupCodes.status('ada')).toMatchObject({ setId });
  });
});

onEachStore('running low', (open) => {
  it('`low` is reported once at `lowAt` codes, and `exhausted` after the last code', async () => {
    const { backupCodes, received, written } = await openService(open);
    const { setId, codes } = await backupCodes.issue('ada');
    for (const code of codes) await backupCodes.consume('ada', code);
    expect(received.slice(1).map(({ type, remaining, total }) => [type, remaining, total])).toEqual(
      [
        ...[9, 8, 7, 6, 5, 4].map((remaining) => ['consumed', remaining, 10]),
        ['consumed', 3, 10],
        ['low', 3, 10],
        ['consumed', 2, 10],
        ['consumed', 1, 10],
        ['consumed', 0, 10],
        ['exhausted', 0, 10],
      ],
    );
    expect(new Set(received.map((event) => event.setId))).toEqual(new Set([setId]));
    expect(await written()).toEqual(received);
  });

  it('`low` can be reported early or never', async () => {
    for (const [lowAt, expected] of [
      [9, ['consumed', 'low']],
      [0, ['consumed']],
    ] as const) {
      const { backupCodes, received } = await openService(open, { lowAt });
      const { codes } = await backupCodes.issue('ada');
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ low: lowAt === 9 });
      expect(received.slice(1).map(({ type }) => type)).toEqual(expected);
    }
  });

  it('With a `lowAt` of 0 the last code reports `exhausted` only', async () => {
    const { backupCodes, received } = await openService(open, { lowAt: 0, count: 1 });
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.consume('ada', codes[0]);
    expect(received.slice(1).map(({ type }) => type)).toEqual(['consumed', 'exhausted']);
  });

  it('`low` and `exhausted` are reported once when all codes are consumed at once', async () => {
    const { backupCodes, written } = await openService(open, { attempts: { free: 50 } });
    const { codes } = await backupCodes.issue('ada');
    await asOneUser(10, (nth) => backupCodes.consume('ada', codes[nth]));
    expect(
      (await written())
        .filter(({ type }) => type === 'low' || type === 'exhausted')
        .map(({ type }) => type),
    ).toEqual(['low', 'exhausted']);
  });
});
