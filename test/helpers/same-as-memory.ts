// Runs random sequences of calls on a store and on MemoryStore, and compares results, events and
// state.
import fc from 'fast-check';
import { MemoryStore, type AuditEvent } from '../../lib';
import type { BackupCodeStore } from '../../lib/stores/contract';
import type { ConsumeRequest, FoundUser, Ticket } from '../../lib/stores/requests';
import { countedEventId } from '../../lib/stores/refusals';
import type { StoreContractOptions } from '../../lib/testing';
import {
  newCode,
  newEvent,
  newSet,
  newUser,
  NOW,
  WAITS,
  type User,
  type UserSet,
} from '../../lib/testing/samples';

/** The tickets that an attempt got from both stores. */
interface TicketPair {
  readonly memory: Ticket;
  readonly store: Ticket;
}

/** The sets and tickets so far. Later calls use one of the last. */
interface History {
  readonly subject: User;
  readonly sets: UserSet[];
  readonly tickets: TicketPair[];
  /** The requests to consume a code so far. */
  readonly consumptions: ConsumeRequest[];
}

const at = fc.integer({ min: 0, max: 300_000 }).map((later) => NOW + later);
const channel = fc.constantFrom('second_factor' as const, 'recovery' as const);
/** Counted from the end. */
const place = fc.nat({ max: 2 });
const expiresAt = fc.option(at);

const plan = fc.array(
  fc.oneof(
    fc.record({
      call: fc.constant('replace' as const),
      expiresAt,
      now: at,
      only: fc.constantFrom('first' as const, undefined),
    }),
    fc.record({
      call: fc.constant('stage' as const),
      expiresAt,
      // Some by a clock that was ahead.
      until: fc.oneof(at, fc.integer({ min: NOW + 3_800_000, max: NOW + 4_400_000 })),
    }),
    fc.record({ call: fc.constant('activate' as const), set: place, now: at }),
    {
      weight: 3,
      arbitrary: fc.record({
        call: fc.constant('takeAttempt' as const),
        now: at,
        channel,
        network: fc.constantFrom('192.0.2.0/24', '2001:db8::/56', ''),
      }),
    },
    fc.record({ call: fc.constant('giveBack' as const), ticket: place }),
    {
      weight: 4,
      arbitrary: fc.record({
        call: fc.constant('consume' as const),
        set: place,
        code: fc.nat({ max: 2 }),
        now: at,
        channel,
        isReplaced: fc.boolean(),
        isRepeated: fc.boolean(),
      }),
    },
    fc.record({ call: fc.constant('lock' as const), ticket: place, now: at }),
    fc.record({ call: fc.constant('count' as const) }),
    fc.record({ call: fc.constant('revoke' as const), now: at }),
    fc.record({
      call: fc.constant('forget' as const),
      audit: fc.constantFrom('erase' as const, 'anonymize' as const),
    }),
    fc.record({ call: fc.constant('unlock' as const), now: at, channel }),
    fc.record({ call: fc.constant('find' as const) }),
  ),
  { minLength: 1, maxLength: 40 },
);

export async function expectSameAsMemory(
  store: BackupCodeStore,
  readEvents: StoreContractOptions['readEvents'],
  numRuns = 100,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(plan, async (steps) => {
      const memory = new MemoryStore();
      const subject = newUser();
      const history: History = {
        subject,
        sets: [newSet(subject)],
        tickets: [],
        consumptions: [],
      };
      for (const step of steps) {
        const call = callOf(step, history);
        const expected = await call(memory, 'memory');
        const answer = await call(store, 'store');
        expect(comparable(answer)).toEqual(comparable(expected));
        const ticket = { memory: ticketOf(expected), store: ticketOf(answer) };
        if (!ticket.memory || !ticket.store) continue;
        const pair = { memory: ticket.memory, store: ticket.store };
        for (const earlier of history.tickets) expectSameDistance(earlier, pair);
        history.tickets.push(pair);
      }
      const fieldsOf = ({
        type,
        reason,
        setId,
        codeId,
        remaining,
        total,
        refusals,
      }: Awaited<ReturnType<typeof readEvents>>[number]): unknown => [
        type,
        reason,
        setId,
        codeId,
        remaining,
        total,
        refusals,
      ];
      const trail = await readEvents(subject.userId);
      const expectedTrail = memory.auditTrail.filter(({ userId }) => userId === subject.userId);
      expect(trail.map(fieldsOf)).toEqual(expectedTrail.map(fieldsOf));
    }),
    { numRuns },
  );
}

function ticketOf(answer: unknown): Ticket | undefined {
  return ((answer ?? {}) as { ticket?: Ticket }).ticket;
}

/** Generations begin at a random number: only how far two of them are apart can be compared. */
function expectSameDistance(earlier: TicketPair, later: TicketPair): void {
  if (earlier.memory.channel !== later.memory.channel) return;
  const [inMemory, inStore] = (['memory', 'store'] as const).map((side) => {
    const distance = later[side].generation - earlier[side].generation;
    return Math.abs(distance) < 1_000 ? distance : 'of another life';
  });
  expect(inStore).toBe(inMemory);
}

type Step = typeof plan extends fc.Arbitrary<(infer S)[]> ? S : never;

/** The code of a set, consumed for the first time or with the id of the last consumption. */
function consumptionOf(
  step: Extract<Step, { call: 'consume' }>,
  given: UserSet,
  consumptions: ConsumeRequest[],
): ConsumeRequest {
  const last = consumptions.at(-1);
  if (step.isRepeated && last) return { ...last, now: step.now };
  const { subject } = given;
  const { setId } = given.header;
  const { codeId } = given.codes[step.code]!;
  const request: ConsumeRequest = {
    subject,
    setId,
    codeId,
    channel: step.channel,
    now: step.now,
    events: [newEvent('consumed', subject, { setId, codeId })],
    milestones: [1, 0].map((remaining) => ({
      remaining,
      event: newEvent(remaining === 0 ? 'exhausted' : 'low', subject, { setId }),
    })),
    ...(step.isReplaced && { replacement: newCode() }),
  };
  consumptions.push(request);
  return request;
}

/** Makes a call that can run on both stores. */
function callOf(
  step: Step,
  { subject, sets, tickets, consumptions }: History,
): (store: BackupCodeStore, side: keyof TicketPair) => Promise<unknown> {
  if ('expiresAt' in step) sets.push(newSet(subject, { count: 3, expiresAt: step.expiresAt }));
  const given = sets.at(-1 - ('set' in step ? step.set : 0)) ?? sets[0]!;
  const pair = 'ticket' in step ? tickets.at(-1 - step.ticket) : undefined;
  const { setId } = given.header;
  const consumption =
    step.call === 'consume' ? consumptionOf(step, given, consumptions) : undefined;
  return async (store, side) => {
    const ticket = pair?.[side];
    switch (step.call) {
      case 'replace':
        return store.replace({ ...given, now: step.now, ...(step.only && { only: step.only }) });
      case 'stage':
        return store.stage({ ...given, until: step.until });
      case 'activate':
        return store.activate({
          subject,
          setId,
          now: step.now,
          event: newEvent('activated', subject, { setId }),
        });
      case 'takeAttempt':
        return store.takeAttempt({
          subject,
          channel: step.channel,
          network: step.network,
          now: step.now,
          waits: WAITS,
          refusal: newEvent('throttled', subject),
        });
      case 'giveBack':
        return ticket && store.giveBack({ subject, ticket });
      case 'consume':
        return consumption && store.consume(consumption);
      case 'lock':
        return (
          ticket?.channel === 'second_factor' &&
          store.append([newEvent('rejected', subject, { reason: 'mismatch' })], {
            subject,
            ticket,
            now: step.now,
            event: newEvent('locked', subject),
          })
        );
      case 'count': {
        const source = { subject, channel: 'second_factor', network: '' } as const;
        const id = countedEventId(source, { reason: 'busy', period: 'day 1' });
        const event = newEvent('rejected', subject, { id, reason: 'busy', refusals: 1 });
        return store.count({ subject, event });
      }
      case 'revoke':
        return store.revoke({ subject, now: step.now, event: newEvent('revoked', subject) });
      case 'forget': {
        const event = newEvent('forgotten', { ...subject, userId: null });
        return store.forget({ subject, audit: step.audit, event });
      }
      case 'unlock':
        return store.unlock({
          subject,
          channel: step.channel,
          now: step.now,
          event: newEvent('unlocked', subject),
        });
      case 'find':
        return store.find(subject);
    }
  };
}

/**
 * Removes what the contract leaves open: the order of the codes, and `nextAt` of a locked channel.
 */
function comparable(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  if (Array.isArray(answer)) return (answer as AuditEvent[]).map(withoutId);
  if ('events' in answer) {
    const { events, ...rest } = answer as { events: readonly AuditEvent[] };
    return { ...(comparable(rest) as object), events: events.map(withoutId) };
  }
  if ('reason' in answer && answer.reason === 'locked') return { ...answer, nextAt: null };
  if ('secondFactor' in answer) {
    const { current, secondFactor } = answer as FoundUser;
    return { current, attempts: secondFactor.attempts, lockedAt: secondFactor.lockedAt };
  }
  if (!('current' in answer)) return answer;
  const { current, ticket } = answer as {
    current: { codes: { codeId: string }[] } | null;
    ticket: Ticket;
  };
  return {
    ...answer,
    ticket: { ...ticket, generation: null },
    current: current && {
      ...current,
      codes: [...current.codes].sort((a, b) => (a.codeId < b.codeId ? -1 : 1)),
    },
  };
}

/** Each call makes its own events, so their ids differ. */
function withoutId({ id, ...event }: AuditEvent): Omit<AuditEvent, 'id'> {
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  return event;
}
