// The end of an account, a channel that is reopened, and tenants in one store.
import { BackupCodes, formats, type BackupCodeAudit, type BackupCodeStore } from '../../lib';
import type { ForgetOptions, UnlockContext } from '../../lib';
import { userSubject } from '../../lib/stores/subject';
import { accountTests } from '../helpers/account-tests';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { openService, serviceOn, WRONG, WRONG_ON_BOTH } from '../helpers/service';
import { memory, onEachStore } from '../helpers/stores';

onEachStore('an account that ends', (open) => {
  accountTests({
    open: async () => {
      const opened = await open();
      return {
        store: opened.store as BackupCodeStore & BackupCodeAudit,
        dump: () => Promise.resolve(opened.dump()),
      };
    },
  });

  it('The next user with the same id meets neither codes nor locks nor events', async () => {
    const { backupCodes, charged, written } = await openService(open, {
      attempts: { lockAfter: 2 },
    });
    const { codes } = await backupCodes.issue(7);
    for (let n = 0; n < 2; n += 1) await backupCodes.consume(7, WRONG);
    expect((await backupCodes.status(7))?.locked.secondFactor).toBe(true);
    await backupCodes.forget(7, { audit: 'anonymize' });

    expect(await backupCodes.consume(7, codes[0])).toEqual({ ok: false, reason: 'none' });
    await backupCodes.forget(7, { audit: 'erase' });
    expect(await backupCodes.adopt(7, ['BBBB-BBBB'], { format: backupCodes.formats[0]! })).toBe(
      true,
    );
    expect(await charged(7)).toBe(0);
    expect(await backupCodes.consume(7, 'BBBB-BBBB')).toMatchObject({ ok: true });
    const events = (await written()).filter(({ userId }) => userId === '7');
    expect(events.map(({ type }) => type)).toEqual(['adopted', 'consumed', 'exhausted']);
  });

  it('Forgetting records one event, which has the actor and nothing else', async () => {
    const { backupCodes, received, written } = await openService(open);
    await backupCodes.issue('ada', { ip: '192.0.2.1' });
    received.length = 0;
    const context = { ip: '192.0.2.1', userAgent: 'Firefox', requestId: 'r-1', actor: 'admin-9' };
    await backupCodes.forget('ada', { audit: 'erase', ...context });
    expect(received).toMatchObject([
      {
        type: 'forgotten',
        userId: null,
        setId: null,
        codeId: null,
        details: null,
        context: {
          ip: null,
          userAgent: null,
          requestId: null,
          actor: 'admin-9',
          channel: 'second_factor',
        },
      },
    ]);
    expect(await written()).toEqual(received);
  });

  it('A user who deletes their own account is not named as the actor', async () => {
    const { backupCodes, received } = await openService(open);
    await backupCodes.issue('ada');
    await backupCodes.forget('ada', { audit: 'erase', actor: 'ada' });
    expect(received.at(-1)?.context.actor).toBeNull();
  });

  it('Forgetting a user who was never recorded is an error, and changes nothing', async () => {
    const { backupCodes, written } = await openService(open);
    await backupCodes.issue('grace');
    for (const audit of ['erase', 'anonymize'] as const) {
      await expect(backupCodes.forget('ada', { audit })).rejects.toEqual(failure('unknown_user'));
    }
    expect(await written()).toHaveLength(1);
  });
});

onEachStore('a channel that is unlocked', (open) => {
  it('A locked channel is reopened for the codes of its set, and the actor is recorded', async () => {
    const { backupCodes, received, written } = await openService(open, {
      attempts: { lockAfter: 2 },
    });
    const { codes } = await backupCodes.issue('ada');
    for (let n = 0; n < 2; n += 1) await backupCodes.consume('ada', WRONG);
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'locked' });
    received.length = 0;
    const context = { ip: '192.0.2.1', actor: 'admin-9' };
    expect(await backupCodes.unlock('ada', 'second_factor', context)).toBe(true);
    expect(received).toMatchObject([
      { type: 'unlocked', userId: 'ada', context: { ...context, channel: 'second_factor' } },
    ]);
    expect((await written()).at(-1)).toEqual(received[0]);
    expect((await backupCodes.status('ada'))?.locked.secondFactor).toBe(false);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
  });

  it('Unlocking the recovery channel ends the waits of every network', async () => {
    const { backupCodes } = await openService(open, {
      format: formats.recovery,
      attempts: { free: 1 },
    });
    const { codes } = await backupCodes.issue('ada');
    const networks = ['192.0.2.1', '2001:db8::1'].map(
      (ip) => ({ ip, channel: 'recovery' }) as const,
    );
    for (const context of networks) await backupCodes.consume('ada', WRONG_ON_BOTH, context);
    for (const context of networks) {
      expect(await backupCodes.consume('ada', codes[0], context)).toMatchObject({
        reason: 'throttled',
      });
    }
    expect(await backupCodes.unlock('ada', 'recovery', { actor: 'admin-9' })).toBe(true);
    for (const context of networks) {
      expect(await backupCodes.consume('ada', WRONG_ON_BOTH, context)).toMatchObject({
        reason: 'mismatch',
      });
    }
  });

  it('Unlocking a channel that counts nothing returns false and writes nothing', async () => {
    const { backupCodes, written } = await openService(open);
    await backupCodes.issue('ada');
    expect(await backupCodes.unlock('ada', 'second_factor', { actor: 'admin-9' })).toBe(false);
    expect(await written()).toHaveLength(1);
  });

  it('An unlocked channel can be locked again, after as many attempts as before', async () => {
    const { backupCodes } = await openService(open, { attempts: { lockAfter: 2 } });
    await backupCodes.issue('ada');
    for (let n = 0; n < 2; n += 1) await backupCodes.consume('ada', WRONG);
    await backupCodes.unlock('ada', 'second_factor', { actor: 'admin-9' });
    const reasons = [];
    for (let n = 0; n < 3; n += 1) {
      const outcome = await backupCodes.consume('ada', WRONG);
      reasons.push(outcome.ok || outcome.reason);
    }
    expect(reasons).toEqual(['mismatch', 'mismatch', 'locked']);
  });

  it('Unlocking for a user who was never recorded is an error', async () => {
    const { backupCodes } = await openService(open);
    await expect(backupCodes.unlock('ada', 'second_factor', { actor: 'admin-9' })).rejects.toEqual(
      failure('unknown_user'),
    );
  });
});

onEachStore('tenants in one store', (open) => {
  it('A code of one namespace is refused for the equal id of another', async () => {
    const opened = await open();
    const [bank, school, none] = [{ namespace: 'bank' }, { namespace: 'school' }, {}].map(
      (options) => serviceOn(opened, options),
    );
    const { codes } = await bank!.backupCodes.issue('42');
    await school!.backupCodes.issue(42);
    await none!.backupCodes.issue(42n);
    for (const other of [school!, none!]) {
      expect(await other.backupCodes.consume('42', codes[0])).toEqual({
        ok: false,
        reason: 'mismatch',
      });
    }
    expect(await bank!.backupCodes.consume('42', codes[0])).toMatchObject({ ok: true });
  });

  it('A set that was copied into another namespace verifies no code there', async () => {
    const opened = await open();
    const replace = jest.spyOn(opened.store, 'replace');
    const bank = serviceOn(opened, { namespace: 'bank' });
    const { codes } = await bank.backupCodes.issue('42');
    const [written] = replace.mock.calls[0]!;
    await bank.backupCodes.forget('42', { audit: 'erase' });
    await opened.store.replace({ ...written, subject: userSubject('42', 'school') });
    const school = serviceOn(opened, { namespace: 'school' });
    await expect(school.backupCodes.consume('42', codes[0])).rejects.toEqual(
      failure('wrong_pepper'),
    );
  });

  it('Events have the namespace, and each namespace reads its own only', async () => {
    const opened = await open();
    const bank = serviceOn(opened, { namespace: 'bank' });
    const none = serviceOn(opened);
    for (const { backupCodes } of [bank, none]) {
      await backupCodes.issue('ada');
      await backupCodes.rejectUnknownUser('eve', WRONG);
    }
    expect(bank.received.map(({ type, namespace }) => [type, namespace])).toEqual([
      ['issued', 'bank'],
      ['rejected', 'bank'],
    ]);
    expect(none.received.map(({ namespace }) => namespace)).toEqual([null, null]);
    expect(await opened.events()).toEqual([...bank.received, ...none.received]);
    for (const [options, received] of [
      [{ namespace: 'bank' }, bank.received],
      [{}, none.received],
    ] as const) {
      const reader = new BackupCodes({ store: opened.store, hasher: countingHasher(), ...options });
      expect((await reader.audit.events()).events).toEqual(received);
    }
  });

  it('Attempts with an unknown user name are counted in each namespace apart', async () => {
    const opened = await open();
    const [bank, school] = ['bank', 'school'].map((namespace) =>
      serviceOn(opened, { namespace, attempts: { free: 1 } }),
    );
    await bank!.backupCodes.rejectUnknownUser('eve', WRONG);
    expect(await bank!.backupCodes.rejectUnknownUser('eve', WRONG)).toMatchObject({
      reason: 'throttled',
    });
    expect(await school!.backupCodes.rejectUnknownUser('eve', WRONG)).toMatchObject({
      reason: 'unknown_user',
    });
  });
});

describe('invalid arguments', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no audit', {}],
    ['another audit', { audit: 'keep' }],
    ['an unknown option', { audit: 'erase', reason: 'left' }],
  ])('Forgetting with %s is refused before the store is called', async (_what, options) => {
    const { backupCodes, watched } = await openService(memory.open);
    await expect(backupCodes.forget('ada', options as ForgetOptions)).rejects.toEqual(
      failure('invalid_option'),
    );
    expect(watched.calls).toEqual([]);
  });

  it.each<[string, unknown, unknown]>([
    ['another channel', 'both', { actor: 'admin-9' }],
    ['no channel', undefined, { actor: 'admin-9' }],
    ['no context', 'recovery', undefined],
    ['no actor', 'recovery', { ip: '192.0.2.1' }],
    ['an empty actor', 'recovery', { actor: ' ' }],
    ['a channel in the context', 'recovery', { actor: 'admin-9', channel: 'recovery' }],
  ])('Unlocking with %s is refused before the store is called', async (_what, channel, context) => {
    const { backupCodes, watched } = await openService(memory.open);
    await expect(
      backupCodes.unlock('ada', channel as 'recovery', context as UnlockContext),
    ).rejects.toEqual(failure('invalid_option'));
    expect(watched.calls).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['undefined, as the lookup of an unknown tenant', undefined],
    ['null', null],
    ['an empty string', ''],
    ['65 characters', 'x'.repeat(65)],
    ['a space', 'the bank'],
    ['NUL', 'bank\0'],
    ['a number', 7],
  ])('A namespace is 1 to 64 letters, digits and . _ -: %s is refused', async (_what, given) => {
    const { store } = await memory.open();
    const namespace = given as string;
    expect(() => new BackupCodes({ store, namespace, hasher: countingHasher() })).toThrow(
      failure('invalid_option'),
    );
  });

  it.each(['a', 'Bank-7_x.eu', '0'.repeat(64)])(
    'The namespace %s is accepted',
    async (namespace) => {
      const { backupCodes } = await openService(memory.open, { namespace });
      const { codes } = await backupCodes.issue('ada');
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
    },
  );
});
