// Work is counted, not timed. Two refusals that do the same work cannot be told apart by their
// time.
import crypto from 'node:crypto';
import { formats, type BackupCodesOptions, type Outcome } from '../../lib';
import { DAY_MS, HOUR_MS } from '../helpers/clock';
import { openService, WRONG, WRONG_ON_BOTH, type Service } from '../helpers/service';
import { onEachStore } from '../helpers/stores';
import type { StoreMethod } from '../helpers/watched-store';

interface Work {
  readonly outcome: string;
  readonly slowHashes: number;
  readonly comparisons: number;
  readonly storeCalls: readonly StoreMethod[];
}

/** Counts the work of one call. */
async function workOf({ hasher, watched }: Service, call: () => Promise<Outcome>): Promise<Work> {
  hasher.count = 0;
  watched.reset();
  const compared = jest.spyOn(crypto, 'timingSafeEqual');
  const outcome = await call();
  const comparisons = compared.mock.calls.length;
  compared.mockRestore();
  return {
    outcome: outcome.ok ? 'ok' : outcome.reason,
    slowHashes: hasher.count,
    comparisons,
    storeCalls: [...watched.calls],
  };
}

type Path = [
  what: string,
  outcome: string,
  prepare: (service: Service) => Promise<() => Promise<Outcome>>,
  options: Partial<BackupCodesOptions>,
];

/** Each path through `consume` that compares a code and refuses it. */
const paths: Path[] = [
  [
    'an unknown user name',
    'unknown_user',
    async ({ backupCodes }) => {
      await backupCodes.rejectUnknownUser('trudy', WRONG);
      return () => backupCodes.rejectUnknownUser('eve', WRONG);
    },
    {},
  ],
  [
    'a user who never had a set',
    'none',
    async ({ backupCodes }) =>
      () =>
        backupCodes.consume('bob', WRONG),
    {},
  ],
  [
    'a user whose set was revoked',
    'none',
    async ({ backupCodes }) => {
      const { codes } = await backupCodes.issue('ada');
      await backupCodes.revoke('ada');
      return () => backupCodes.consume('ada', codes[0]);
    },
    {},
  ],
  [
    'a user who only has a staged set',
    'none',
    async ({ backupCodes }) => {
      const { codes } = await backupCodes.stage('ada');
      return () => backupCodes.consume('ada', codes[0]);
    },
    {},
  ],
  [
    'an invalid code',
    'mismatch',
    async ({ backupCodes }) => {
      await backupCodes.issue('ada');
      return () => backupCodes.consume('ada', WRONG);
    },
    {},
  ],
  [
    'a code of another listed format',
    'mismatch',
    async ({ backupCodes }) => {
      await backupCodes.issue('ada');
      return () => backupCodes.consume('ada', 'ABCD-EFGH-JKLM-NPQR');
    },
    { format: [formats.standard, formats.recovery] },
  ],
  [
    'an invalid code, with all codes consumed',
    'mismatch',
    async ({ backupCodes }) => {
      for (const code of (await backupCodes.issue('ada')).codes)
        await backupCodes.consume('ada', code);
      return () => backupCodes.consume('ada', WRONG);
    },
    {},
  ],
  [
    'an invalid code, with one code left',
    'mismatch',
    async ({ backupCodes }) => {
      for (const code of (await backupCodes.issue('ada')).codes.slice(1))
        await backupCodes.consume('ada', code);
      return () => backupCodes.consume('ada', WRONG);
    },
    {},
  ],
  [
    'an invalid code, with an expired set',
    'mismatch',
    async ({ backupCodes, clock }) => {
      await backupCodes.issue('ada');
      clock.advance(366 * DAY_MS);
      return () => backupCodes.consume('ada', WRONG);
    },
    {},
  ],
  [
    'the first code of the set, reused',
    'reused',
    async ({ backupCodes }) => {
      const { codes } = await backupCodes.issue('ada');
      await backupCodes.consume('ada', codes[0]);
      return () => backupCodes.consume('ada', codes[0]);
    },
    {},
  ],
  [
    'the last code of the set, reused',
    'reused',
    async ({ backupCodes }) => {
      const { codes } = await backupCodes.issue('ada');
      await backupCodes.consume('ada', codes[9]);
      return () => backupCodes.consume('ada', codes[9]);
    },
    {},
  ],
];

onEachStore('one slow hash, and one comparison for each code of a set', (open) => {
  it.each(paths)(
    'Refusing %s costs one slow hash and ten comparisons',
    async (_what, outcome, prepare, options) => {
      const service = await openService(open, options);
      const call = await prepare(service);
      expect(await workOf(service, call)).toEqual({
        outcome,
        slowHashes: 1,
        comparisons: 10,
        storeCalls: ['takeAttempt', 'append'],
      });
    },
  );

  it.each([0, 4, 9])(
    'Accepting the code at index %d costs one slow hash and ten comparisons',
    async (place) => {
      const service = await openService(open);
      const { codes } = await service.backupCodes.issue('ada');
      expect(await workOf(service, () => service.backupCodes.consume('ada', codes[place]))).toEqual(
        {
          outcome: 'ok',
          slowHashes: 1,
          comparisons: 10,
          storeCalls: ['takeAttempt', 'consume'],
        },
      );
    },
  );

  it('A valid code of an expired set costs one slow hash and ten comparisons', async () => {
    const service = await openService(open);
    const { codes } = await service.backupCodes.issue('ada');
    service.clock.advance(366 * DAY_MS);
    expect(await workOf(service, () => service.backupCodes.consume('ada', codes[0]))).toMatchObject(
      { outcome: 'expired', slowHashes: 1, comparisons: 10 },
    );
  });

  it('Without a set the work is that of a set of the current configuration', async () => {
    const service = await openService(open, { count: 16 });
    expect(await workOf(service, () => service.backupCodes.consume('bob', WRONG))).toMatchObject({
      slowHashes: 1,
      comparisons: 16,
    });
    await service.backupCodes.issue('ada');
    expect(await workOf(service, () => service.backupCodes.consume('ada', WRONG))).toMatchObject({
      slowHashes: 1,
      comparisons: 16,
    });
  });
});

onEachStore('a known and an unknown user name', (open) => {
  const inputs: [string, unknown][] = [
    ['an invalid code of 80 bits', WRONG_ON_BOTH],
    ['a code of 40 bits, which recovery does not read', WRONG],
    ['a code of both lengths in one', `${WRONG} ${WRONG_ON_BOTH}`],
    ['an empty string', ''],
    ['no string', { code: WRONG_ON_BOTH }],
  ];
  const recovery = { channel: 'recovery' } as const;

  it.each(inputs)(
    'get the same answer after the same work on recovery: %s',
    async (_what, code) => {
      const service = await openService(open, { format: [formats.recovery, formats.standard] });
      const { backupCodes } = service;
      await backupCodes.issue('ada');
      await backupCodes.rejectUnknownUser('trudy', WRONG_ON_BOTH, recovery);
      // Some apps forget the channel for unknown user names.
      const attempts = [
        () => backupCodes.consume('ada', code, recovery),
        () => backupCodes.consume('bob', code, recovery),
        () => backupCodes.rejectUnknownUser('eve', code, recovery),
        () => backupCodes.rejectUnknownUser('mallory', code),
      ];
      const works: Work[] = [];
      for (const attempt of attempts) works.push(await workOf(service, attempt));
      const publicWork = works.map(({ outcome, ...work }) => [outcome === 'malformed', work]);
      expect(publicWork).toEqual(attempts.map(() => publicWork[0]));
      expect(works[0]!.outcome).toBe(code === WRONG_ON_BOTH ? 'mismatch' : 'malformed');
    },
  );
});

onEachStore('no work at all', (open) => {
  const tries: [string, (service: Service) => Promise<Outcome>][] = [
    ['a user with a set', ({ backupCodes }) => backupCodes.consume('ada', WRONG)],
    ['a user without one', ({ backupCodes }) => backupCodes.consume('bob', WRONG)],
    ['an unknown user name', ({ backupCodes }) => backupCodes.rejectUnknownUser('eve', WRONG)],
  ];

  it.each(tries)(
    'Throttled and locked attempts of %s cost no hash and no comparison',
    async (who, attempt) => {
      const service = await openService(open, { attempts: { free: 1, lockAfter: 2 } });
      await service.backupCodes.issue('ada');
      await attempt(service);
      const nothing = { slowHashes: 0, comparisons: 0, storeCalls: ['takeAttempt'] };
      expect(await workOf(service, () => attempt(service))).toEqual({
        outcome: 'throttled',
        ...nothing,
      });
      service.clock.advance(HOUR_MS);
      await attempt(service);
      expect(await workOf(service, () => attempt(service))).toEqual({
        // On recovery nothing locks, and an unknown user name has no second factor.
        outcome: who === 'an unknown user name' ? 'throttled' : 'locked',
        ...nothing,
      });
    },
  );
});
