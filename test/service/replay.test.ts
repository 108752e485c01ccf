// audit.replay: which values it refuses, and how it reads a long export.
import { setImmediate } from 'node:timers/promises';
import { BackupCodes, MemoryStore, type AuditEvent, type BackupCodeStore } from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { auditEvent } from '../../lib/audit/events';
import { AUDIT_METHODS } from '../../lib/stores/audit-contract';
import { STORE_METHODS } from '../../lib/stores/contract';
import { DAY_MS, fakeClock, START } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';

const SET_ID = '0123456789abcdef0123456789abcdef';

function serviceOf(namespace?: string): { backupCodes: BackupCodes; store: MemoryStore } {
  const store = new MemoryStore();
  const options = { store, hasher: countingHasher(), now: fakeClock().now };
  return { backupCodes: new BackupCodes({ ...options, ...(namespace && { namespace }) }), store };
}

function eventOf(fields: Partial<AuditEvent> = {}): AuditEvent {
  const context = cleanContext({ ip: '192.0.2.7' });
  return auditEvent('rejected', { at: START, userId: 'ada', context, ...fields });
}

describe('what audit.replay refuses', () => {
  const event = eventOf();
  it.each<[string, unknown]>([
    ['null', null],
    ['a line of JSON that was not parsed', JSON.stringify(event)],
    ['a list of events', [event]],
    ['an id that is not a UUID', { ...event, id: 'x' }],
    ['no type', { ...event, type: undefined }],
    ['a type with a space', { ...event, type: 'a b' }],
    ['a time as a string', { ...event, at: String(START) }],
    ['a negative time', { ...event, at: -1 }],
    ['half a millisecond', { ...event, at: START + 0.5 }],
    ['a time from tomorrow', { ...event, at: START + DAY_MS }],
    ['a user id that is a number', { ...event, userId: 7 }],
    ['a user id of 256 characters', { ...event, userId: 'a'.repeat(256) }],
    ['a user id with half a surrogate pair', { ...event, userId: '\ud800' }],
    ['a namespace with a space', { ...event, namespace: 'a b' }],
    ['a set id that looks like a code', { ...event, setId: 'ABCD-EFGH' }],
    ['a code id that is too long', { ...event, codeId: `${SET_ID}0` }],
    ['a reason that is a sentence', { ...event, reason: 'The code was 1234-5678.' }],
    ['a count that is negative', { ...event, remaining: -1 }],
    ['a count that no column can hold', { ...event, total: 2 ** 31 }],
    ['details that are nested', { ...event, details: { by: {} } }],
    ['no context', { ...event, context: undefined }],
    ['an unknown channel', { ...event, context: { ...event.context, channel: 'mail' } }],
    ['a line break in the context', { ...event, context: { ...event.context, ip: 'a\nb' } }],
    [
      'a context field that is too long',
      { ...event, context: { ...event.context, ip: 'a'.repeat(257) } },
    ],
  ])('An event is refused by its number, without its values: %s', async (_what, value) => {
    const { backupCodes, store } = serviceOf();
    const replaying = backupCodes.audit.replay([eventOf(), value as AuditEvent]);
    await expect(replaying).rejects.toMatchObject({
      code: 'invalid_event',
      message: expect.stringMatching(/^Event 2: This is not an exported audit event: /),
    });
    await expect(replaying).rejects.not.toMatchObject({
      message: expect.stringMatching(/ABCD|1234-5678/),
    });
    expect(store.auditTrail).toEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['a page of events', { events: [], cursor: null }],
    ['the name of a file', 'events.jsonl'],
  ])('audit.replay takes a list or an async iterable, not %s', async (_what, events) => {
    await expect(serviceOf().backupCodes.audit.replay(events as never)).rejects.toMatchObject({
      code: 'invalid_option',
    });
  });

  it('A store without replayEvents is refused with not_supported', async () => {
    const methods = [...STORE_METHODS, ...AUDIT_METHODS].map((name) => [
      name,
      () => Promise.reject(new Error('unused')),
    ]);
    const store = Object.fromEntries(methods) as unknown as BackupCodeStore;
    const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
    await expect(backupCodes.audit.replay([])).rejects.toMatchObject({ code: 'not_supported' });
  });
});

describe('what audit.replay writes', () => {
  it('Fields that no event has are not stored', async () => {
    const { backupCodes, store } = serviceOf();
    const event = eventOf();
    await backupCodes.audit.replay([{ ...event, code: 'ABCD-EFGH', digest: 'x' } as AuditEvent]);
    expect(store.auditTrail[0]).toEqual(event);
  });

  it('Events of another namespace are counted, and nothing else is done with them', async () => {
    const { backupCodes, store } = serviceOf('bank');
    const events = [eventOf(), eventOf({ namespace: 'school' }), eventOf({ namespace: 'bank' })];
    const result = await backupCodes.audit.replay(events);
    expect([result.written, result.skipped]).toEqual([1, { otherNamespaces: 2 }]);
    expect(store.auditTrail.map(({ namespace }) => namespace)).toEqual(['bank', 'bank']);
  });

  it('Listeners receive the event of the replay, and not the events that are written again', async () => {
    const { backupCodes } = serviceOf();
    const received: string[] = [];
    for (const type of ['rejected', 'replayed'] as const) {
      backupCodes.on(type, (event) => received.push(event.type));
    }
    await backupCodes.audit.replay([eventOf()]);
    await backupCodes.audit.replay([]);
    expect(received).toEqual(['replayed']);
  });
});

describe('a channel that was locked', () => {
  const locked = eventOf({ type: 'locked', at: START - 2 });
  const unlocked = eventOf({ type: 'unlocked', at: START - 1 });
  it.each<[string, AuditEvent[], boolean]>([
    ['locked', [locked], true],
    ['locked, then unlocked', [locked, unlocked], false],
    ['locked, then unlocked, in the other order', [unlocked, locked], false],
    [
      'unlocked, then locked again',
      [unlocked, locked, eventOf({ type: 'locked', at: START })],
      true,
    ],
    [
      'locked on the recovery channel, which is not locked by attempts',
      [eventOf({ type: 'locked', context: cleanContext({ channel: 'recovery' }) })],
      false,
    ],
  ])('The second factor is as it was: %s', async (_what, events, isLocked) => {
    const clock = fakeClock();
    const store = new MemoryStore();
    const backupCodes = new BackupCodes({ store, hasher: countingHasher(), now: clock.now });
    clock.set(START - DAY_MS);
    await backupCodes.issue('ada');
    clock.set(START);
    await backupCodes.audit.replay(events);
    expect((await backupCodes.status('ada'))?.locked.secondFactor).toBe(isLocked);
  });
});

describe('a long export', () => {
  it('An export of 100,000 events is read in batches, and the event loop turns between them', async () => {
    const { backupCodes, store } = serviceOf();
    const reading = new AbortController();
    let turns = 0;
    const counting = (async () => {
      while (!reading.signal.aborted) {
        await setImmediate();
        turns += 1;
      }
    })();
    let read = 0;
    let mostUnwritten = 0;
    const events = function* (): Generator<AuditEvent> {
      for (; read < 100_000; read += 1) {
        mostUnwritten = Math.max(mostUnwritten, read - written);
        yield eventOf({ userId: `user-${read % 50}` });
      }
    };
    let written = 0;
    const replayEvents = store.replayEvents.bind(store);
    store.replayEvents = async (request) => {
      const result = await replayEvents(request);
      written += request.steps.length;
      return result;
    };
    const result = await backupCodes.audit.replay(events());
    reading.abort();
    await counting;
    expect([result.events, result.written]).toEqual([100_000, 100_000]);
    expect(mostUnwritten).toBeLessThanOrEqual(500);
    expect(turns).toBeGreaterThanOrEqual(199);
  });
});
