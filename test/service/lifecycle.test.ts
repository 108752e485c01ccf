import { DAY_MS, HOUR_MS, START } from '../helpers/clock';
import { atOnce, openService, serviceOn, WRONG } from '../helpers/service';
import { onEachStore } from '../helpers/stores';

onEachStore('a staged set', (open) => {
  it('is made like an issued one, and does not work before it is activated', async () => {
    const { backupCodes, told, written } = await openService(open);
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
    expect(told[1]).toMatchObject({
      type: 'staged',
      setId: staged.setId,
      remaining: 10,
      total: 10,
      context: { actor: 'ada' },
    });
    expect(await written()).toEqual(told);
  });

  it('takes the place of the old set when it is activated, with all its codes and no count', async () => {
    const { backupCodes, charged, told, written } = await openService(open);
    const old = await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    for (const channel of ['second_factor', 'recovery'] as const)
      await backupCodes.consume('ada', WRONG, { channel });
    expect(await charged('ada')).toEqual([1, 1]);
    expect(await backupCodes.activate('ada', staged.setId, { ip: '192.0.2.1' })).toBe(true);
    expect(await charged('ada')).toEqual([0, 0]);
    expect(told.at(-1)).toMatchObject({
      type: 'activated',
      setId: staged.setId,
      remaining: 10,
      total: 10,
      context: { ip: '192.0.2.1' },
    });
    expect(await written()).toEqual(told);
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

  it('may be the first that a user has', async () => {
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
  ])('can be activated for an hour: %d ms from its end gives %s', async (offset, expected) => {
    const { backupCodes, clock } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    clock.set(START + HOUR_MS + offset);
    expect(await backupCodes.activate('ada', staged.setId)).toBe(expected);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject(
      expected ? { ok: false, reason: 'mismatch' } : { ok: true },
    );
  });

  it('keeps the expiry it was made with', async () => {
    const { backupCodes, clock } = await openService(open, { expiresAfterDays: 1 });
    const staged = await backupCodes.stage('ada');
    clock.advance(HOUR_MS - 1);
    await backupCodes.activate('ada', staged.setId);
    expect(await backupCodes.status('ada')).toMatchObject({
      createdAt: START,
      expiresAt: START + DAY_MS,
    });
  });

  it('is void once a later one is staged', async () => {
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
  ] as const)('is void once %s', async (_what, call) => {
    const { backupCodes, told } = await openService(open);
    await backupCodes.issue('ada');
    const staged = await backupCodes.stage('ada');
    await backupCodes[call]('ada');
    told.length = 0;
    expect(await backupCodes.activate('ada', staged.setId)).toBe(false);
    expect(told).toEqual([]);
  });

  it('is void once the user is revoked, also where there was no other', async () => {
    const { backupCodes } = await openService(open);
    const staged = await backupCodes.stage('ada');
    expect(await backupCodes.revoke('ada')).toBe(false);
    expect(await backupCodes.activate('ada', staged.setId)).toBe(false);
    expect(await backupCodes.status('ada')).toBeNull();
  });

  it('is activated exactly once, of many at once', async () => {
    const { backupCodes, written } = await openService(open);
    const { setId } = await backupCodes.stage('ada');
    const results = await atOnce(20, () => backupCodes.activate('ada', setId));
    expect(results.filter(Boolean).length).toBe(1);
    expect((await written()).filter(({ type }) => type === 'activated').length).toBe(1);
    expect(await backupCodes.activate('ada', setId)).toBe(false);
  });

  it("is not activated by another user, by another set's id or by nonsense", async () => {
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

  it('costs the old set nothing where it is never activated', async () => {
    const { backupCodes, clock } = await openService(open);
    const { codes, setId } = await backupCodes.issue('ada');
    await backupCodes.stage('ada');
    clock.advance(DAY_MS);
    for (const code of codes)
      expect(await backupCodes.consume('ada', code)).toMatchObject({ ok: true, setId });
  });
});

onEachStore('revoking', (open) => {
  it('ends the set at once, says that there was one, and is recorded with who did it', async () => {
    const { backupCodes, told, written } = await openService(open);
    const { setId, codes } = await backupCodes.issue('ada');
    expect(await backupCodes.revoke('ada', { actor: 'support-7' })).toBe(true);
    expect(told.at(-1)).toMatchObject({
      type: 'revoked',
      userId: 'ada',
      setId,
      context: { actor: 'support-7' },
    });
    expect(await written()).toEqual(told);
    expect(await backupCodes.status('ada')).toBeNull();
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'none' });
  });

  it('what is not there says so, changes nothing and records nothing', async () => {
    const { backupCodes, told, written } = await openService(open);
    expect(await backupCodes.revoke('ada')).toBe(false);
    await backupCodes.issue('ada');
    await backupCodes.revoke('ada');
    expect(await backupCodes.revoke('ada')).toBe(false);
    expect(told.map(({ type }) => type)).toEqual(['issued', 'revoked']);
    expect(await written()).toEqual(told);
  });

  it('is no end for the user: a new set can be issued', async () => {
    const { backupCodes } = await openService(open);
    await backupCodes.issue('ada');
    await backupCodes.revoke('ada');
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it('concerns no other user', async () => {
    const { backupCodes } = await openService(open);
    await backupCodes.issue('ada');
    const { codes } = await backupCodes.issue('bob');
    await backupCodes.revoke('ada');
    expect(await backupCodes.consume('bob', codes[0])).toMatchObject({ ok: true });
  });
});

onEachStore('the status of a user', (open) => {
  it('is null for who never had a set, and has no codes, salts or digests', async () => {
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

  it('counts what is left, and tells when the last code was consumed', async () => {
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
    'is due for rotation after 180 days, and goes on working: %d ms give %s',
    async (age, rotationDue) => {
      const { backupCodes, clock } = await openService(open);
      const { codes } = await backupCodes.issue('ada');
      clock.advance(age);
      expect(await backupCodes.status('ada')).toMatchObject({ rotationDue, expired: false });
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    },
  );

  it('is never due where no rotation is wished for', async () => {
    const { backupCodes, clock } = await openService(open, {
      rotateAfterDays: null,
      expiresAfterDays: null,
    });
    await backupCodes.issue('ada');
    clock.advance(5000 * DAY_MS);
    expect(await backupCodes.status('ada')).toMatchObject({ rotationDue: false, expired: false });
  });

  it.each(['second_factor', 'recovery'] as const)(
    'is locked on the channel %s, and on no other, after its last attempt',
    async (channel) => {
      const other = { secondFactor: false, recovery: false };
      const name = channel === 'recovery' ? 'recovery' : 'secondFactor';
      const { backupCodes } = await openService(open, { attempts: { free: 5, lockAfter: 2 } });
      await backupCodes.issue('ada');
      await backupCodes.consume('ada', WRONG, { channel });
      expect(await backupCodes.status('ada')).toMatchObject({ locked: other });
      await backupCodes.consume('ada', WRONG, { channel });
      expect(await backupCodes.status('ada')).toMatchObject({
        locked: { ...other, [name]: true },
      });
    },
  );

  it('is that of the newest set, whichever instance is asked', async () => {
    const opened = await open();
    await serviceOn(opened).backupCodes.issue('ada');
    const { setId } = await serviceOn(opened).backupCodes.issue('ada');
    expect(await serviceOn(opened).backupCodes.status('ada')).toMatchObject({ setId });
  });
});

onEachStore('running low', (open) => {
  it('is told when as many are left as lowAt says, and once; exhausted when none is', async () => {
    const { backupCodes, told, written } = await openService(open);
    const { setId, codes } = await backupCodes.issue('ada');
    for (const code of codes) await backupCodes.consume('ada', code);
    expect(told.slice(1).map(({ type, remaining, total }) => [type, remaining, total])).toEqual([
      ...[9, 8, 7, 6, 5, 4].map((remaining) => ['consumed', remaining, 10]),
      ['consumed', 3, 10],
      ['low', 3, 10],
      ['consumed', 2, 10],
      ['consumed', 1, 10],
      ['consumed', 0, 10],
      ['exhausted', 0, 10],
    ]);
    expect(new Set(told.map((event) => event.setId))).toEqual(new Set([setId]));
    expect(await written()).toEqual(told);
  });

  it('may be told early, or not at all', async () => {
    for (const [lowAt, expected] of [
      [9, ['consumed', 'low']],
      [0, ['consumed']],
    ] as const) {
      const { backupCodes, told } = await openService(open, { lowAt });
      const { codes } = await backupCodes.issue('ada');
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ low: lowAt === 9 });
      expect(told.slice(1).map(({ type }) => type)).toEqual(expected);
    }
  });

  it('at the last code is exhausted only, where lowAt is 0', async () => {
    const { backupCodes, told } = await openService(open, { lowAt: 0, count: 1 });
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.consume('ada', codes[0]);
    expect(told.slice(1).map(({ type }) => type)).toEqual(['consumed', 'exhausted']);
  });

  it('is told exactly once where the last codes are consumed at once', async () => {
    const { backupCodes, written } = await openService(open, { attempts: { free: 50 } });
    const { codes } = await backupCodes.issue('ada');
    await Promise.all(codes.map((code) => backupCodes.consume('ada', code)));
    expect(
      (await written())
        .filter(({ type }) => type === 'low' || type === 'exhausted')
        .map(({ type }) => type),
    ).toEqual(['low', 'exhausted']);
  });
});
