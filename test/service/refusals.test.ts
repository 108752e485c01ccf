import { BackupCodes, type Context, type Outcome, type Pepper } from '../../lib';
import { DAY_MS, HOUR_MS } from '../helpers/clock';
import { failure } from '../helpers/errors';
import {
  atOnce,
  openServiceForBoth as openService,
  serviceForBothOn as serviceOn,
  WRONG_ON_BOTH as WRONG,
  type Service,
} from '../helpers/service';
import { onEachStore } from '../helpers/stores';
import type { CodeRecord } from '../../lib/codes/digests';
import type { ReplaceRequest } from '../../lib/stores/requests';

const pepper: Pepper = { id: '2026', key: Buffer.alloc(32, 1) };
const forged: Pepper = { id: '2026', key: Buffer.alloc(32, 2) };

onEachStore('refusals that charge no attempt', (open) => {
  const counted = async ({ written }: Service): Promise<unknown[]> =>
    (await written())
      .filter(({ refusals }) => refusals !== null)
      .map(({ type, reason, userId, refusals }) => [type, reason, userId, refusals]);

  const risks = [
    ['deny', 'rejected', 'denied'],
    ['step_up', 'step_up_required', 'step_up'],
  ] as const;

  it.each(risks)(
    'Fifty tries that are refused as %s leave one event a day, which counts them',
    async (risk, type, reason) => {
      const service = await openService(open, { assessRisk: () => risk });
      const { codes } = await service.backupCodes.issue('ada');
      const refuse = (): Promise<Outcome> => service.backupCodes.consume('ada', codes[0]);
      for (let n = 0; n < 50; n += 1) expect(await refuse()).toEqual({ ok: false, reason });
      service.clock.advance(DAY_MS);
      await refuse();
      await service.backupCodes.consume('bob', WRONG);
      expect(await counted(service)).toEqual([
        [type, reason, 'ada', 50],
        [type, reason, 'ada', 1],
        [type, reason, 'bob', 1],
      ]);
      // Listeners receive the first of each day.
      const delivered = service.received.filter((event) => event.reason === reason);
      expect(delivered.map(({ refusals }) => refusals)).toEqual([1, 1, 1]);
    },
  );

  it('Refusals are counted for each channel and network', async () => {
    const service = await openService(open, { assessRisk: () => 'deny' });
    const contexts: readonly Context[] = [
      { ip: '192.0.2.1' },
      { ip: '198.51.100.1' },
      { channel: 'recovery', ip: '192.0.2.1' },
      { channel: 'recovery', ip: '192.0.2.2' },
      { channel: 'recovery', ip: '198.51.100.1' },
    ];
    for (const context of contexts) await service.backupCodes.consume('ada', WRONG, context);
    expect(
      (await service.written()).map(({ context: { channel, ip }, refusals }) => [
        channel,
        ip,
        refusals,
      ]),
    ).toEqual([
      ['second_factor', '192.0.2.1', 1],
      ['second_factor', '198.51.100.1', 1],
      ['recovery', '192.0.2.1', 2],
      ['recovery', '198.51.100.1', 1],
    ]);
  });

  it('Refusals at once are all counted in one event', async () => {
    const service = await openService(open, {
      assessRisk: () => 'deny',
      attempts: { free: 50 },
    });
    await atOnce(30, () => service.backupCodes.consume('ada', WRONG));
    expect(await counted(service)).toEqual([['rejected', 'denied', 'ada', 30]]);
  });

  it('Refusals are counted in a new event once the old one was pruned', async () => {
    const opened = await open();
    const service = serviceOn(opened, { assessRisk: () => 'deny' });
    await service.backupCodes.consume('ada', WRONG);
    service.clock.advance(HOUR_MS);
    const { audit } = new BackupCodes({ store: opened.store });
    expect(await audit.prune({ before: service.clock.now() })).toBe(1);
    await service.backupCodes.consume('ada', WRONG);
    expect(await counted(service)).toEqual([['rejected', 'denied', 'ada', 1]]);
  });

  it.each<[string, Pepper | undefined]>([
    ['wrong_pepper', forged],
    ['unknown_pepper', undefined],
  ])(
    'A set that cannot be checked leaves one event a day, with the code of the error: %s',
    async (code, otherPepper) => {
      const opened = await open();
      const { codes } = await serviceOn(opened, { pepper }).backupCodes.issue('ada');
      const service = serviceOn(opened, { ...(otherPepper && { pepper: otherPepper }) });
      for (let n = 0; n < 20; n += 1) {
        await expect(service.backupCodes.consume('ada', codes[0])).rejects.toEqual(
          failure(code as 'wrong_pepper'),
        );
      }
      expect(await counted(service)).toEqual([['rejected', code, 'ada', 20]]);
      expect([service.hasher.count, await service.charged('ada')]).toEqual([0, 0]);
    },
  );

  it('A set whose format is damaged leaves an event with the reason unreadable_set', async () => {
    const opened = await open();
    const { backupCodes, watched } = serviceOn(opened);
    const { codes } = await backupCodes.issue('ada');
    const service = serviceOn({
      ...opened,
      store: {
        ...watched.store,
        takeAttempt: async (request) => {
          const taken = await watched.store.takeAttempt(request);
          const current = taken.ok && taken.current;
          return current ? { ...taken, current: { ...current, format: '{"length":' } } : taken;
        },
      },
    });
    await expect(service.backupCodes.consume('ada', codes[0])).rejects.toEqual(
      failure('unreadable_set'),
    );
    expect(await counted(service)).toEqual([['rejected', 'unreadable_set', 'ada', 1]]);
    expect(await service.charged('ada')).toBe(0);
  });

  type Damage = (set: ReplaceRequest) => ReplaceRequest;
  const ofFirstCode =
    (damage: Partial<CodeRecord>): Damage =>
    ({ codes: [first, ...others], ...set }) => ({
      ...set,
      codes: [{ ...first!, ...damage }, ...others],
    });
  it.each<[string, Damage]>([
    ['a negative total', (set) => ({ ...set, header: { ...set.header, total: -3 } })],
    ['a digest of another form', ofFirstCode({ digest: 'damaged' })],
    ['a salt of another form', ofFirstCode({ salt: 'damaged' })],
  ])('A stored set with %s leaves an event and charges no attempt', async (_what, damage) => {
    const service = await openService(open);
    const { backupCodes, watched, hasher } = service;
    const replace = watched.store.replace.bind(watched.store);
    jest
      .spyOn(watched.store, 'replace')
      .mockImplementationOnce((request) => replace(damage(request)));
    const { codes } = await backupCodes.issue('ada');
    hasher.count = 0;
    for (const code of [codes[1], WRONG, codes[1]]) {
      await expect(backupCodes.consume('ada', code)).rejects.toEqual(failure('unreadable_set'));
    }
    expect(await counted(service)).toEqual([['rejected', 'unreadable_set', 'ada', 3]]);
    expect([hasher.count, await service.charged('ada')]).toEqual([0, 0]);
  });
});
