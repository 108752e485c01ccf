// The same code again for the same login is the same consumption.
import type { AuditEvent, ConsumeContext, Outcome } from '../../lib';
import { failure } from '../helpers/errors';
import { openService, serviceOn, WRONG, type Service } from '../helpers/service';
import { onEachStore } from '../helpers/stores';
import { storeFault } from '../helpers/watched-store';

const LOGIN = { loginId: 'login-1' };

const typesOf = (events: readonly AuditEvent[]): string[] => events.map(({ type }) => type);

onEachStore('a code that is sent again', (open) => {
  it('The same code again for the same login is accepted again, and consumed once', async () => {
    const { backupCodes, clock, received, written } = await openService(open, { count: 4 });
    const { codes } = await backupCodes.issue('ada');
    const first = await backupCodes.consume('ada', codes[0], LOGIN);
    expect(first).toMatchObject({ ok: true, repeated: false, remaining: 3, low: true });
    clock.advance(1000);
    await backupCodes.consume('ada', codes[1]);
    for (const requestId of ['again', 'and again']) {
      expect(await backupCodes.consume('ada', codes[0], { ...LOGIN, requestId })).toEqual({
        ...first,
        repeated: true,
      });
    }
    const trail = ['issued', 'consumed', 'low', 'consumed'];
    expect(typesOf(await written())).toEqual(trail);
    expect(typesOf(received)).toEqual(trail);
  });

  it('In any other login, or without one, the code is reused', async () => {
    const { backupCodes, written } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.consume('ada', codes[0], LOGIN);
    await backupCodes.consume('ada', codes[1]);
    const others: [string | undefined, ConsumeContext?][] = [
      [codes[0], { loginId: 'login-2' }],
      [codes[0]],
      [codes[1], LOGIN],
      [codes[1]],
    ];
    for (const [code, context] of others) {
      const outcome = await backupCodes.consume('ada', code, context);
      expect(outcome).toEqual({ ok: false, reason: 'reused' });
    }
    expect((await written()).filter(({ reason }) => reason === 'reused')).toHaveLength(4);
  });

  it('A reused code of another login costs the store no further call', async () => {
    const { backupCodes, watched } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.consume('ada', codes[0], LOGIN);
    watched.calls.length = 0;
    await backupCodes.consume('ada', codes[0], { loginId: 'login-2' });
    expect(watched.calls).toEqual(['takeAttempt', 'append']);
  });

  it('Of two calls at once for one login, all are accepted and one is not repeated', async () => {
    const { backupCodes, written } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    const outcomes = await sendTwice(backupCodes, codes[0], [LOGIN, LOGIN]);
    expect(outcomes.map(isRepeated).sort()).toEqual([false, true]);
    expect(typesOf(await written())).toEqual(['issued', 'consumed']);
  });

  it('Of two calls at once for different logins, one is accepted', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    const outcomes = await sendTwice(backupCodes, codes[0], [LOGIN, { loginId: 'login-2' }]);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('A replacement is returned by the first of two calls at once, and works', async () => {
    const { backupCodes, written } = await openService(open, { replaceConsumed: true });
    const { codes } = await backupCodes.issue('ada');
    const outcomes = await sendTwice(backupCodes, codes[0], [LOGIN, LOGIN]);
    const [first, again] = outcomes.sort((a, b) => Number(isRepeated(a)) - Number(isRepeated(b)));
    expect([first, again]).toMatchObject([
      { repeated: false, remaining: 10, total: 11, replacement: expect.any(String) },
      { repeated: true, remaining: 10, total: 11 },
    ]);
    expect(again).not.toHaveProperty('replacement');
    expect(typesOf(await written())).toEqual(['issued', 'consumed', 'renewed']);
    const { replacement } = first as { replacement?: string };
    expect(await backupCodes.consume('ada', replacement)).toMatchObject({ ok: true });
  });

  it('A consumption that is repeated charges no attempt', async () => {
    const { backupCodes, charged } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    for (let n = 0; n < 6; n += 1) await backupCodes.consume('ada', codes[0], LOGIN);
    expect(await charged('ada')).toBe(0);
  });

  it('If only the answer of the store was lost, the same login is accepted with the same code', async () => {
    const { backupCodes, clock, watched, written } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    watched.failAt(2, 'after');
    await expect(backupCodes.consume('ada', codes[0], LOGIN)).rejects.toBe(storeFault);
    watched.reset();
    clock.advance(1000);
    const outcome = await backupCodes.consume('ada', codes[0], LOGIN);
    expect(outcome).toMatchObject({ ok: true, repeated: true, remaining: 9 });
    expect(typesOf(await written())).toEqual(['issued', 'consumed']);
  });

  it('No code is repeated after a new set, however the login is named', async () => {
    const { backupCodes } = await openService(open);
    const { codes } = await backupCodes.issue('ada');
    await backupCodes.consume('ada', codes[0], LOGIN);
    await backupCodes.issue('ada');
    const outcome = await backupCodes.consume('ada', codes[0], LOGIN);
    expect(outcome).toEqual({ ok: false, reason: 'mismatch' });
  });

  it('The name of a login is in no event and in no stored data', async () => {
    const opened = await open();
    const { backupCodes, received } = serviceOn(opened);
    const { codes } = await backupCodes.issue('ada');
    const loginId = 'login-4711-secret';
    await backupCodes.consume('ada', codes[0], { loginId });
    await backupCodes.consume('ada', WRONG, { loginId });
    expect(JSON.stringify(received) + opened.dump()).not.toContain(loginId);
  });

  it.each<[string, unknown]>([
    ['an empty string', ''],
    ['257 characters', 'x'.repeat(257)],
    ['a number', 7],
    ['null', null],
  ])('A login named by %s is refused before the store is asked', async (_what, loginId) => {
    const { backupCodes, watched } = await openService(open);
    const context = { loginId } as ConsumeContext;
    const refused = failure('invalid_option');
    await expect(backupCodes.consume('ada', WRONG, context)).rejects.toEqual(refused);
    await expect(backupCodes.rejectUnknownUser('ada', WRONG, context)).rejects.toEqual(refused);
    expect(watched.calls).toEqual([]);
  });
});

function isRepeated(outcome: Outcome): boolean {
  return outcome.ok && outcome.repeated;
}

function sendTwice(
  backupCodes: Service['backupCodes'],
  code: string | undefined,
  contexts: readonly ConsumeContext[],
): Promise<Outcome[]> {
  return Promise.all(contexts.map((context) => backupCodes.consume('ada', code, context)));
}
