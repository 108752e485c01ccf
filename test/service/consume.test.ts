import { defineFormat, formats, type BackupCodesOptions } from '../../lib';
import { DAY_MS, SECOND_MS, START } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import {
  openService,
  openServiceForBoth,
  serviceOn,
  WRONG,
  WRONG_ON_BOTH,
} from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

const pepper = [{ id: '2026', key: Buffer.alloc(32, 1) }];

onEachStore('codes', (open) => {
  it('A valid code is accepted, and the outcome has its id and the remaining count', async () => {
    const { backupCodes } = await openService(open);
    const { setId, codes, expiresAt } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[3])).toEqual({
      ok: true,
      remaining: 9,
      total: 10,
      low: false,
      repeated: false,
      setId,
      codeId: expect.stringMatching(/^[0-9a-f]{32}$/),
      expiresAt,
    });
  });

  it('A valid code is accepted in lower case, with other dashes and with spaces', async () => {
    const { backupCodes } = await openService(open);
    const [one = '', two = '', three = ''] = (await backupCodes.issue('ada')).codes;
    for (const typed of [
      one.toLowerCase(),
      ` ${two.replace('-', '\u2014')}\n`,
      Array.from(three.replace('-', '')).join(' '),
    ]) {
      expect(await backupCodes.consume('ada', typed)).toMatchObject({ ok: true });
    }
  });

  it('A code pasted with its list number is accepted for one hash, as if it was typed', async () => {
    const { backupCodes, hasher, watched, charged } = await openService(open, {
      format: [formats.standard, formats.recovery, formats.long],
    });
    const { codes } = await backupCodes.issue('ada');
    watched.reset();
    hasher.count = 0;
    for (const [index, code] of codes.entries()) {
      const typed = [
        `${index + 1}. ${code}`,
        `${index + 1}) \u201C${code}\u201D,`,
        `\u2022 ${code};`,
      ];
      expect(await backupCodes.consume('ada', typed[index % 3])).toMatchObject({ ok: true });
    }
    expect(hasher.count).toBe(codes.length);
    expect(watched.calls).toEqual(codes.flatMap(() => ['takeAttempt', 'consume']));
    expect(await charged('ada')).toBe(0);
  });

  it('A consumed code is refused, and only the event says so', async () => {
    const { backupCodes, clock, written } = await openService(open);
    const { setId, codes } = await backupCodes.issue('ada');
    const accepted = await backupCodes.consume('ada', codes[0]);
    clock.advance(2 * SECOND_MS);
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
    expect((await written()).at(-1)).toMatchObject({
      type: 'rejected',
      reason: 'reused',
      userId: 'ada',
      setId,
      codeId: accepted.ok && accepted.codeId,
      consumedSecondsAgo: 2,
    });
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 9 });
  });

  it('An invalid code is a mismatch, recorded with the set and without a code id', async () => {
    const { backupCodes, written } = await openService(open);
    const { setId } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', WRONG)).toEqual({ ok: false, reason: 'mismatch' });
    expect((await written()).at(-1)).toMatchObject({
      type: 'rejected',
      reason: 'mismatch',
      setId,
      codeId: null,
      consumedSecondsAgo: null,
    });
  });

  it('A code of another user is a mismatch, and still works for its owner', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.issue('bob');
    expect(await backupCodes.consume('bob', codes[0])).toEqual({ ok: false, reason: 'mismatch' });
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  it('A code of a user without a set is refused with the reason `none`', async () => {
    const { backupCodes, written } = await openService(open);
    expect(await backupCodes.consume('bob', WRONG)).toEqual({ ok: false, reason: 'none' });
    expect(await written()).toMatchObject([
      { type: 'rejected', reason: 'none', userId: 'bob', setId: null, codeId: null },
    ]);
  });

  it('A code of a revoked set is refused with the reason `none`', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.revoke('ada');
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'none' });
  });

  it('A code of a replaced set is a mismatch', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'mismatch' });
  });

  it.each<[number, object]>([
    [-1, { ok: true }],
    [0, { ok: false, reason: 'expired' }],
    [1, { ok: false, reason: 'expired' }],
  ])('A code used %d ms from the expiry of its set gives %j', async (offset, expected) => {
    const { backupCodes, clock } = await openService(open, { expiresAfterDays: 30 });
    const { codes, expiresAt } = await backupCodes.issue('ada');
    clock.set((expiresAt ?? 0) + offset);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject(expected);
    expect(await backupCodes.status('ada')).toMatchObject({
      remaining: 'ok' in expected && expected.ok === true ? 9 : 10,
      expired: offset >= 0,
    });
  });

  it('A code whose set expires between comparison and consumption is expired', async () => {
    const { backupCodes, clock, watched } = await openService(open, { expiresAfterDays: 1 });
    const { codes, expiresAt } = await backupCodes.issue('ada');
    clock.set((expiresAt ?? 0) - 1);
    const risky = serviceOn(
      { store: watched.store, events: () => Promise.resolve([]) },
      {
        now: clock.now,
        assessRisk: () => {
          clock.advance(1);
          return 'allow';
        },
      },
    );
    expect(await risky.backupCodes.consume('ada', codes[0])).toEqual({
      ok: false,
      reason: 'expired',
    });
  });

  it.each<[string, string, (service: Awaited<ReturnType<typeof openService>>) => Promise<unknown>]>(
    [
      ['revoked', 'none', ({ backupCodes }) => backupCodes.revoke('ada')],
      ['replaced', 'none', ({ backupCodes }) => backupCodes.issue('ada')],
    ],
  )(
    'A code whose set is %s between comparison and consumption is refused with %s',
    async (_what, reason, end) => {
      const service = await openService(open);
      const { backupCodes, watched } = service;
      const { codes } = await backupCodes.issue('ada');
      watched.before('consume', () => end(service));
      expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason });
    },
  );

  it('A code that another call consumes after the comparison is reused', async () => {
    const service = await openService(open);
    const { backupCodes, watched } = service;
    const { codes } = await backupCodes.issue('ada');
    watched.before('consume', () => backupCodes.consume('ada', codes[0]));
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 9 });
  });

  it('All codes of a set can be consumed, and then every code is refused', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    for (const [used, code] of codes.entries())
      expect(await backupCodes.consume('ada', code)).toMatchObject({
        ok: true,
        remaining: 9 - used,
        low: 9 - used <= 3,
      });
    expect(await backupCodes.consume('ada', codes[9])).toEqual({ ok: false, reason: 'reused' });
    expect(await backupCodes.consume('ada', WRONG)).toEqual({ ok: false, reason: 'mismatch' });
  });

  it('Each attempt writes one event, which listeners receive and which has no code', async () => {
    const { backupCodes, received, written } = await openServiceForBoth(open);
    const { codes } = await backupCodes.issue('ada');
    for (const typed of [codes[0], codes[0], WRONG_ON_BOTH])
      await backupCodes.consume('ada', typed, { ip: '192.0.2.7', channel: 'recovery' });
    expect(
      received.map(({ type, reason, context }) => [type, reason, context.ip, context.channel]),
    ).toEqual([
      ['issued', null, null, 'second_factor'],
      ['consumed', null, '192.0.2.7', 'recovery'],
      ['rejected', 'reused', '192.0.2.7', 'recovery'],
      ['rejected', 'mismatch', '192.0.2.7', 'recovery'],
    ]);
    expect(await written()).toEqual(received);
    for (const text of [...codes, WRONG_ON_BOTH].flatMap((code) => [
      code,
      code.replaceAll('-', ''),
    ]))
      expect(JSON.stringify(received)).not.toContain(text);
  });

  it('Listeners receive an event only after it is written', async () => {
    const { backupCodes, written } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    const trail = new Promise<string[]>((resolve) =>
      backupCodes.on('consumed', async () => resolve((await written()).map(({ type }) => type))),
    );
    await backupCodes.consume('ada', codes[0]);
    expect(await trail).toEqual(['issued', 'consumed']);
  });
});

onEachStore('sets of an older configuration', (open) => {
  const crockford = defineFormat({ alphabet: '0123456789ABCDEFGHJKMNPQRSTVWXYZ', length: 12 });
  const older: [string, Partial<BackupCodesOptions>, Partial<BackupCodesOptions>][] = [
    ['format', { format: crockford }, { format: [formats.recovery, crockford] }],
    [
      'format of the same length',
      { format: formats.numeric, pepper },
      { format: [formats.standard, formats.numeric], pepper },
    ],
    [
      'hasher',
      { hasher: countingHasher('old') },
      { hasher: [countingHasher('new'), countingHasher('old')] },
    ],
    ['count', { count: 5 }, { count: 20 }],
    ['expiry', { expiresAfterDays: null }, { expiresAfterDays: 1 }],
  ];

  it.each(older)(
    'A set works after its %s changed, as long as the old one is listed',
    async (_what, before, after) => {
      const opened = await open();
      const { codes } = await serviceOn(opened, before).backupCodes.issue('ada');
      const { backupCodes } = serviceOn(opened, after);
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({
        ok: true,
        remaining: codes.length - 1,
      });
      expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
      expect(await backupCodes.consume('ada', codes.at(-1)?.toLowerCase())).toMatchObject({
        ok: true,
      });
    },
  );

  it('Input is read by the format of the set, not by another one that also fits', async () => {
    const opened = await open();
    // Eight digits fit both formats, but only the second is the format of the set.
    const { codes } = await serviceOn(opened, {
      format: formats.numeric,
      pepper,
    }).backupCodes.issue('ada');
    const { backupCodes } = serviceOn(opened, {
      format: [formats.standard, formats.numeric],
      pepper,
    });
    expect(await backupCodes.consume('ada', 'ABCD-EFGH')).toEqual({
      ok: false,
      reason: 'mismatch',
    });
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  it('A set whose hasher is no longer listed is an error that costs no attempt', async () => {
    const opened = await open();
    const { codes } = await serviceOn(opened, { hasher: countingHasher('old') }).backupCodes.issue(
      'ada',
    );
    const { backupCodes, hasher, charged } = serviceOn(opened);
    for (const typed of [codes[0], WRONG])
      await expect(backupCodes.consume('ada', typed)).rejects.toEqual(failure('unreadable_hash'));
    expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
  });

  it('A set keeps its expiry when the option changes', async () => {
    const opened = await open();
    const { codes, expiresAt } = await serviceOn(opened, {
      expiresAfterDays: 365,
    }).backupCodes.issue('ada');
    expect(expiresAt).toBe(START + 365 * DAY_MS);
    const { backupCodes, clock } = serviceOn(opened, { expiresAfterDays: 1 });
    clock.advance(365 * DAY_MS - 1);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, expiresAt });
  });
});

describe('input that cannot be a code', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['null', null],
    ['an empty string', ''],
    ['blanks', '   '],
    ['only dashes', '--\u2014--'],
    ['a code of a time-based authenticator', '123456'],
    ['a number', 23456789],
    ['a list', ['ABCD-EFGH']],
    ['a query operator', { $ne: null }],
    ['an object that converts to a code', { toString: () => 'ABCD-EFGH' }],
    ['a megabyte', 'A'.repeat(2 ** 20)],
    ['a code with NUL', 'ABCD-EFG\u0000H'],
    ['the name of a prototype', '__proto__'],
    ['a code and more', 'ABCD-EFGHJ'],
    ['half a code', 'ABCD'],
    ['two codes', '1. ABCD-EFGH 2. JKLM-NPQR'],
    ['a whole list', Array.from({ length: 10 }, (_, n) => `${n + 1}. ABCD-EFGH`).join('\n')],
  ])('Malformed input costs no hash, attempt or read: %s', async (_what, typed) => {
    const { backupCodes, hasher, watched, charged, received, written } = await openService(
      memory.open,
      { assessRisk: () => 'allow' },
    );
    await backupCodes.issue('ada');
    watched.reset();
    hasher.count = 0;
    for (const userId of ['ada', 'bob'])
      expect(await backupCodes.consume(userId, typed)).toEqual({
        ok: false,
        reason: 'malformed',
      });
    expect(await backupCodes.rejectUnknownUser('eve', typed)).toEqual({
      ok: false,
      reason: 'malformed',
    });
    expect([hasher.count, watched.calls]).toEqual([0, []]);
    expect(await charged('ada')).toBe(0);
    expect(received.slice(1).map(({ type, reason, userId }) => [type, reason, userId])).toEqual([
      ['rejected', 'malformed', 'ada'],
      ['rejected', 'malformed', 'bob'],
      ['rejected', 'malformed', null],
    ]);
    expect(await written()).toHaveLength(1);
  });

  it('Malformed input is `malformed` on a throttled or locked channel too', async () => {
    const { backupCodes } = await openService(memory.open, {
      attempts: { free: 1, lockAfter: 2 },
    });
    await backupCodes.issue('ada');
    await backupCodes.consume('ada', WRONG);
    expect(await backupCodes.consume('ada', WRONG)).toMatchObject({ reason: 'throttled' });
    expect(await backupCodes.consume('ada', '123456')).toEqual({ ok: false, reason: 'malformed' });
  });

  it('Malformed input does not call the risk hook', async () => {
    const assessRisk = jest.fn<'allow', []>(() => 'allow');
    const { backupCodes } = await openService(memory.open, { assessRisk });
    await backupCodes.consume('ada', '123456');
    expect(assessRisk).not.toHaveBeenCalled();
  });
});

describe('invalid user ids', () => {
  const invalid: [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['an empty string', ''],
    ['256 characters', 'x'.repeat(256)],
    ['NaN', NaN],
    ['a fraction', 1.5],
    ['an unsafe integer', 2 ** 53],
    ['true', true],
    ['an object', { id: 1 }],
    ['a list', [1]],
    ['half a character', '\ud800'],
    ['a symbol', Symbol('ada')],
  ];

  it.each(invalid)(
    'Every call refuses a user id that is %s before it does any work',
    async (_what, given) => {
      const { backupCodes, hasher, watched } = await openService(memory.open);
      const userId = given as string;
      for (const call of [
        () => backupCodes.issue(userId),
        () => backupCodes.stage(userId),
        () => backupCodes.activate(userId, 'x'),
        () => backupCodes.consume(userId, WRONG),
        () => backupCodes.status(userId),
        () => backupCodes.revoke(userId),
      ])
        await expect(call()).rejects.toEqual(failure('invalid_user_id'));
      expect([hasher.count, watched.calls]).toEqual([0, []]);
    },
  );
});

onEachStore('user ids', (open) => {
  it('The user ids 42, "42" and 42n are one user', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue(42);
    expect(await backupCodes.consume('42', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    expect(await backupCodes.consume(42n, codes[1])).toMatchObject({ ok: true, remaining: 8 });
    expect(await backupCodes.status(42n)).toMatchObject({ remaining: 8 });
  });

  it('User ids that differ in case, accent, space or NUL are different users', async () => {
    const { backupCodes } = await openService(open, { attempts: { free: 50 } });
    const ids = [
      'ada',
      'ADA',
      'ada ',
      ' ada',
      '\u00e0da',
      'a\u0300da',
      'ada\u0000',
      '\uff41da',
      'ada\u200b',
      'x'.repeat(255),
      "ada' OR 1=1 --",
      '%',
      '_da',
      '\u{1F511}',
    ];
    const sets = new Map<string, string[]>();
    for (const id of ids) sets.set(id, (await backupCodes.issue(id)).codes);
    for (const id of ids) {
      for (const other of ids.filter((candidate) => candidate !== id))
        expect(await backupCodes.consume(id, sets.get(other)?.[0])).toEqual({
          ok: false,
          reason: 'mismatch',
        });
      expect(await backupCodes.consume(id, sets.get(id)?.[1])).toMatchObject({
        ok: true,
        remaining: 9,
      });
    }
  });

  it('An event has the user id as a string, whatever characters it contains', async () => {
    const { backupCodes, received } = await openService(open);
    await backupCodes.issue('ada\u0000\r\n');
    expect(received[0]?.userId).toBe('ada\u0000\r\n');
  });
});
