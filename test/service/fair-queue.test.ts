// Floods of one channel or one user, and whether others are served. The hashes end by hand: what is
// looked at is which hashes run, and in which order they begin.
import {
  formats,
  type BackupCodesOptions,
  type ConsumeContext,
  type Hasher,
  type Outcome,
} from '../../lib';
import { failure } from '../helpers/errors';
import { HeldHasher, settle } from '../helpers/held-hasher';
import { openService, type Service } from '../helpers/service';
import { memory } from '../helpers/stores';

/** A code of each kind of caller, so that a hash shows whose it is. No set has it. */
const OF_STRANGERS = 'AAAA-AAAA-AAAA-AAAA';
const OF_USERS = 'BBBB-BBBB-BBBB-BBBB';
const isOfUsers = (code: string): boolean => code.startsWith('BBBB');
const isOfStrangers = (code: string): boolean => code.startsWith('AAAA');
/** Codes of new sets. */
const isOfSets = (code: string): boolean => !isOfUsers(code) && !isOfStrangers(code);
const MISMATCH: Outcome = { ok: false, reason: 'none' };

async function open(
  options: Partial<BackupCodesOptions> = {},
): Promise<Service & { held: HeldHasher }> {
  const held = new HeldHasher();
  const service = await openService(memory.open, {
    hasher: held,
    format: formats.recovery,
    hashConcurrency: 2,
    ...options,
  });
  return { ...service, held };
}

/** 200 recovery logins in flight, each with another name that no user has. */
async function flood({ backupCodes }: Service): Promise<Promise<Outcome>[]> {
  const attempts = Array.from({ length: 200 }, (_, n) =>
    backupCodes.rejectUnknownUser(`nobody ${n}`, OF_STRANGERS, { channel: 'recovery' }),
  );
  await settle();
  return attempts;
}

describe('a flood of recovery logins with unknown user names', () => {
  it('A second factor login begins at once, however many recovery logins are in flight', async () => {
    const service = await open();
    const { backupCodes, held } = service;
    const attempts = await flood(service);
    for (let n = 0; n < 30; n += 1) {
      const login = backupCodes.consume(`user ${n}`, OF_USERS);
      await settle();
      expect([held.count(isOfUsers), held.count(isOfStrangers)]).toEqual([1, 1]);
      held.running.find(({ code }) => isOfUsers(code))?.end();
      expect(await login).toEqual(MISMATCH);
    }
    await held.endAll();
    await Promise.all(attempts);
  });

  it('Thirty second factor logins at once are all served before a recovery login that waits', async () => {
    const service = await open();
    const { backupCodes, held } = service;
    const attempts = await flood(service);
    const logins = Array.from({ length: 30 }, (_, n) => backupCodes.consume(`user ${n}`, OF_USERS));
    await held.endAll();
    expect(await Promise.all(logins)).toEqual(logins.map(() => MISMATCH));
    expect(held.begun.slice(0, 31).filter(isOfStrangers)).toHaveLength(1);
    await Promise.all(attempts);
  });

  it('With one place a second factor login waits for one recovery login at most', async () => {
    const service = await open({ hashConcurrency: 1 });
    const { backupCodes, held } = service;
    const attempts = await flood(service);
    for (let n = 0; n < 30; n += 1) {
      const login = backupCodes.consume(`user ${n}`, OF_USERS);
      await settle();
      expect(held.count(isOfStrangers)).toBe(1);
      held.running[0]?.end();
      await settle();
      expect(held.count(isOfUsers)).toBe(1);
      held.running[0]?.end();
      expect(await login).toEqual(MISMATCH);
      await settle();
    }
    await held.endAll();
    await Promise.all(attempts);
  });
});

describe('a flood of second factor logins', () => {
  it('A recovery login gets the place after 32 second factor logins', async () => {
    const service = await open();
    const { backupCodes, held } = service;
    const logins = Array.from({ length: 120 }, (_, n) =>
      backupCodes.consume(`user ${n}`, OF_USERS),
    );
    await settle();
    const [attempt] = await flood(service);
    await held.endAll();
    expect((await attempt)?.ok).toBe(false);
    expect(held.begun.findIndex(isOfStrangers)).toBe(2 + 32);
    expect(await Promise.all(logins)).toEqual(logins.map(() => MISMATCH));
  });
});

describe('a set in the making', () => {
  it.each([
    [1, 1],
    [2, 2],
    [8, 2],
  ])('With %i places a set is hashed %i codes at a time', async (hashConcurrency, most) => {
    const { backupCodes, held } = await open({ hashConcurrency, count: 5 });
    const issuing = backupCodes.issue('ada');
    const counts: number[] = [];
    await settle();
    while (held.running.length > 0) {
      counts.push(held.count());
      for (const { end } of [...held.running]) end();
      await settle();
    }
    const { codes } = await issuing;
    expect(Math.max(...counts)).toBe(most);
    expect(counts).toHaveLength(Math.ceil(5 / most));
    expect(held.begun).toEqual(codes.map((code) => code.replaceAll('-', '')));
  });

  it.each<[string, string, ConsumeContext]>([
    ['another user', 'bob', { channel: 'second_factor' }],
    ['its own user', 'ada', { channel: 'second_factor' }],
    ['a stranger', 'bob', { channel: 'recovery' }],
  ])('A login of %s waits for one hash of a set at most', async (_who, user, context) => {
    const { backupCodes, held } = await open({ count: 6 });
    const issuing = backupCodes.issue('ada');
    await settle();
    expect(held.count(isOfSets)).toBe(2);
    const login = backupCodes.consume(user, OF_USERS, context);
    await settle();
    expect(held.count(isOfUsers)).toBe(0);
    held.running[1]?.end();
    await settle();
    expect([held.count(isOfSets), held.count(isOfUsers)]).toEqual([1, 1]);
    held.running[0]?.end();
    await settle();
    expect([held.count(isOfSets), held.count(isOfUsers)]).toEqual([1, 1]);
    await held.endAll();
    expect(await login).toEqual(MISMATCH);
    expect((await issuing).codes).toHaveLength(6);
  });

  it('Two sets at once have one place each, and no login waits for more than one hash', async () => {
    const { backupCodes, held } = await open({ count: 3 });
    const issuing = [backupCodes.issue('ada'), backupCodes.issue('bob')];
    await settle();
    held.running[1]?.end();
    await settle();
    expect(held.count(isOfSets)).toBe(2);
    await held.endAll(() => expect(held.count()).toBeLessThanOrEqual(2));
    await Promise.all(issuing);
    expect(held.begun).toHaveLength(6);
  });

  it('A set whose hash fails keeps its places until its other hash has ended', async () => {
    const held = new HeldHasher();
    let hashes = 0;
    const fault = new Error('the hash failed');
    const hash: Hasher['hash'] = (code, salt) => {
      hashes += 1;
      return hashes === 1 ? Promise.reject(fault) : held.hash(code, salt);
    };
    const { newSalt, reads } = held;
    const { backupCodes } = await open({ hasher: { newSalt, reads, hash } });
    let hasEnded = false;
    const issuing = backupCodes.issue('ada').catch((error: unknown) => {
      hasEnded = true;
      return error;
    });
    await settle();
    expect([hashes, hasEnded, held.count()]).toEqual([2, false, 1]);
    await held.endAll();
    expect([await issuing, hashes]).toEqual([fault, 2]);
  });
});

describe('a user who asks for everything', () => {
  it('140 sets staged at once by one user hold two places, and 40 other users are served', async () => {
    const { backupCodes, held } = await open({ hashConcurrency: 4, count: 3 });
    let busy = 0;
    const sets = Array.from({ length: 140 }, () =>
      backupCodes.stage('ada').catch((error: unknown) => {
        expect(error).toEqual(failure('busy'));
        busy += 1;
      }),
    );
    const logins = Array.from({ length: 40 }, (_, n) => backupCodes.consume(`user ${n}`, OF_USERS));
    await settle();
    expect(busy).toBe(140 - 2 - 4);
    expect([held.count(isOfSets), held.count(isOfUsers)]).toEqual([2, 2]);
    await held.endAll(() => expect(held.count(isOfSets)).toBeLessThanOrEqual(2));
    expect(await Promise.all(logins)).toEqual(logins.map(() => MISMATCH));
    await Promise.all(sets);
    expect(held.begun.filter(isOfSets)).toHaveLength(6 * 3);
  });

  it('The calls of one user are counted together, whichever they are', async () => {
    const { backupCodes, held } = await open({ hashConcurrency: 8, attempts: { free: 50 } });
    const printed = ['CCCC-CCCC-CCCC-CCCC'];
    const twice = (call: () => Promise<unknown>): Promise<unknown>[] => [
      call().catch((error: unknown) => error),
      call().catch((error: unknown) => error),
    ];
    const calls = [
      ...twice(() => backupCodes.issue('ada')),
      ...twice(() => backupCodes.stage('ada')),
      ...twice(() => backupCodes.adopt('ada', printed, { format: formats.recovery })),
      ...twice(() => backupCodes.consume('ada', OF_USERS)),
    ];
    await settle();
    expect(held.running).toHaveLength(2);
    const other = backupCodes.consume('bob', OF_USERS);
    await settle();
    expect(held.running).toHaveLength(3);
    await held.endAll(() => expect(held.count()).toBeLessThanOrEqual(3));
    expect(await other).toEqual(MISMATCH);
    const busy = { ok: false, reason: 'busy', retryAfterSeconds: 5 };
    expect((await Promise.all(calls)).slice(6)).toEqual([busy, busy]);
  });

  it('On recovery the calls of a stranger leave the share of an owner on another network', async () => {
    const { backupCodes, held } = await open({ hashConcurrency: 8, attempts: { free: 50 } });
    const recover = (ip: string): Promise<unknown> =>
      backupCodes.consume('ada', OF_USERS, { channel: 'recovery', ip });
    const strangers = Array.from({ length: 10 }, () => recover('203.0.113.66'));
    await settle();
    const before = held.running.length;
    const owner = recover('198.51.100.7');
    await settle();
    expect(held.running).toHaveLength(before + 1);
    await held.endAll(() => expect(held.count()).toBeLessThanOrEqual(before + 1));
    expect(await owner).toEqual(MISMATCH);
    await Promise.all(strangers);
  });
});
