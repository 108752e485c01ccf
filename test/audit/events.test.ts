import {
  BackupCodes,
  MemoryStore,
  type AuditEvent,
  type EventType,
  type Listener,
} from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { anonymousEvent, auditEvent, EVENT_TYPES } from '../../lib/audit/events';
import { Listeners } from '../../lib/audit/listeners';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

const context = {
  ip: null,
  userAgent: null,
  requestId: null,
  actor: null,
  channel: 'second_factor',
} as const;
const issued = auditEvent('issued', { at: 1, userId: 'ada', context });
const fault = new Error('the mail server is down');

/** The ways in which a listener can fail. */
const failing: [string, Listener][] = [
  [
    'throws',
    () => {
      throw fault;
    },
  ],
  ['rejects', () => Promise.reject(fault)],
  [
    'rejects later',
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw fault;
    },
  ],
];

/** Waits until listeners have rejected and the rejection was handled. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

let warn: jest.SpyInstance;
beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(() => warn.mockRestore());

describe('audit events', () => {
  it('An event has an id of its own, and null in fields that do not apply', () => {
    expect(issued).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      type: 'issued',
      at: 1,
      userId: 'ada',
      namespace: null,
      setId: null,
      codeId: null,
      reason: null,
      remaining: null,
      total: null,
      consumedSecondsAgo: null,
      refusals: null,
      details: null,
      context,
    });
    expect(auditEvent('issued', { at: 1, userId: 'ada', context }).id).not.toBe(issued.id);
  });

  it('An anonymous event keeps what happened, and nothing that names a user', () => {
    const event = auditEvent('throttled', {
      at: 1,
      userId: 'ada',
      namespace: 'bank',
      reason: 'throttled',
      refusals: 3,
      details: { phone: '555' },
      context: cleanContext({
        ip: '192.0.2.7',
        userAgent: 'Firefox',
        requestId: 'r-1',
        actor: 'admin-9',
        channel: 'recovery',
      }),
    });
    const anonymous = anonymousEvent(event);
    // The id of an event that counts refusals is made from the user's key.
    expect(anonymous.id).not.toBe(event.id);
    expect(anonymous).toEqual({
      ...event,
      id: anonymous.id,
      userId: null,
      details: null,
      context: cleanContext({ channel: 'recovery' }),
    });
  });
});

describe('listeners', () => {
  it('Each listener receives the events of its type, in order', () => {
    const listeners = new Listeners();
    const received: string[] = [];
    listeners.add('issued', (event: AuditEvent) => received.push(`one ${event.type}`));
    listeners.add('issued', (event: AuditEvent) => received.push(`two ${event.type}`));
    listeners.add('revoked', (event: AuditEvent) => received.push(`one ${event.type}`));
    listeners.notify([issued, { ...issued, type: 'revoked' }, { ...issued, type: 'low' }]);
    expect(received).toEqual(['one issued', 'two issued', 'one revoked']);
  });

  it('A listener cannot change an event for other listeners or in the store', async () => {
    const store = new MemoryStore();
    const backupCodes = new BackupCodes({ store, hasher: countingHasher() });
    const tried: unknown[] = [];
    backupCodes.on('issued', (event) => {
      for (const part of [event, event.context]) tried.push(Reflect.set(part, 'actor', 'mallory'));
    });
    await backupCodes.issue('ada');
    expect([tried, store.auditTrail[0]?.context.actor]).toEqual([[false, false], null]);
  });

  it('Listeners can be added for each type of event', () => {
    const listeners = new Listeners();
    for (const type of EVENT_TYPES)
      expect(() => listeners.add(type, () => undefined)).not.toThrow();
  });

  it.each([
    ['an unknown type', 'issue', () => undefined],
    ['the name of a prototype', '__proto__', () => undefined],
    ['null in place of a function', 'issued', null],
    ['undefined in place of a function', 'error', undefined],
  ])('Adding a listener for %s is refused', (_what, type, listener) => {
    expect(() => new Listeners().add(type as EventType, listener as unknown as Listener)).toThrow(
      failure('invalid_option'),
    );
  });

  it.each(failing)(
    'A listener that %s is reported to "error" listeners; the others still run',
    async (_how, listener) => {
      const listeners = new Listeners();
      const received: unknown[] = [];
      listeners.add('issued', listener);
      listeners.add('issued', (event: AuditEvent) => received.push(event));
      listeners.add('error', (error: unknown, event: AuditEvent) => received.push([error, event]));
      listeners.notify([issued]);
      await settle();
      expect(received).toEqual([issued, [fault, issued]]);
      expect(warn).not.toHaveBeenCalled();
    },
  );

  it.each(failing)(
    'A listener that %s causes a process warning if "error" has no listener',
    async (_how, listener) => {
      const listeners = new Listeners();
      listeners.add('issued', listener);
      listeners.notify([issued]);
      await settle();
      expect(warn.mock.calls).toEqual([
        [
          'A listener of "issued" failed: the mail server is down',
          { code: 'BACKUP_CODE_LISTENER' },
        ],
      ]);
    },
  );

  it.each(failing)(
    'A listener of "error" that %s causes a process warning',
    async (_how, listener) => {
      const listeners = new Listeners();
      listeners.add('issued', listener);
      listeners.add('error', listener);
      listeners.notify([issued]);
      await settle();
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );

  it('A listener that throws a value other than an Error causes a warning too', async () => {
    const listeners = new Listeners();
    const noError = JSON.parse('null') as Error;
    listeners.add('issued', () => Promise.reject(noError));
    listeners.notify([issued]);
    await settle();
    expect(warn.mock.calls).toEqual([
      [
        'A listener of "issued" failed: it threw something that is not an Error',
        { code: 'BACKUP_CODE_LISTENER' },
      ],
    ]);
  });
});

describe('failing listeners', () => {
  it.each(failing)('A listener that %s does not change the outcome', async (_how, listener) => {
    const backupCodes = new BackupCodes({ store: new MemoryStore(), hasher: countingHasher() });
    for (const type of EVENT_TYPES) backupCodes.on(type, listener);
    const { codes } = await backupCodes.issue('ada');
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
    expect(await backupCodes.consume('ada', codes[0])).toEqual({ ok: false, reason: 'reused' });
    expect(await backupCodes.revoke('ada')).toBe(true);
    await settle();
    expect(warn).toHaveBeenCalledTimes(4);
  });

  it('A listener that never settles does not delay the call', async () => {
    const backupCodes = new BackupCodes({ store: new MemoryStore(), hasher: countingHasher() }).on(
      'issued',
      () => new Promise(() => undefined),
    );
    expect((await backupCodes.issue('ada')).codes).toHaveLength(10);
  });
});
