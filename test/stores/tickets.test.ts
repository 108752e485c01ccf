// Giving attempts back, in any order, never grants more attempts than there would be without it.
import fc from 'fast-check';
import { attemptWaits } from '../../lib/service/back-off';
import { auditEvent } from '../../lib/audit/events';
import type { BackupCodeStore } from '../../lib/stores/contract';
import type { Ticket } from '../../lib/stores/requests';
import { userSubject, type Subject } from '../../lib/stores/subject';
import { START } from '../helpers/clock';
import { openSqlite, memory, type OpenStore } from '../helpers/stores';

type Step = { readonly take: number } | { readonly giveBack: number } | { readonly wait: number };

const context = {
  ip: null,
  userAgent: null,
  requestId: null,
  actor: null,
  channel: 'second_factor',
} as const;
const { second_factor: waits } = attemptWaits({
  free: 3,
  firstDelaySeconds: 30,
  maxDelaySeconds: 120,
  lockAfter: 12,
});

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 8 }) }) },
    { weight: 3, arbitrary: fc.record({ giveBack: fc.nat() }) },
    {
      weight: 2,
      arbitrary: fc.record({ wait: fc.constantFrom(1, 29_999, 30_000, 60_000, 120_000) }),
    },
  ),
  { minLength: 5, maxLength: 40 },
);

/** How many attempts are granted in this time if none is given back, in milliseconds. */
function allowedWithin(elapsed: number): number {
  let attempts = 0;
  let at = 0;
  for (const wait of waits) {
    if (at > elapsed) break;
    attempts += 1;
    at += wait;
  }
  return attempts;
}

async function play(
  store: BackupCodeStore,
  subject: Subject,
  given: readonly Step[],
): Promise<void> {
  let now = START;
  const kept: Ticket[] = [];
  // The last granted ticket, and when the wait that it began ends.
  const last: { ticket: Ticket | null; until: number } = { ticket: null, until: 0 };
  const take = async (): Promise<void> => {
    const refusal = auditEvent('throttled', { at: now, userId: subject.userId, context });
    const attempt = await store.takeAttempt({
      subject,
      channel: 'second_factor',
      network: '',
      now,
      waits,
      refusal,
    });
    if (!attempt.ok) return;
    expect(last.until).toBeLessThanOrEqual(now);
    kept.push(attempt.ticket);
    Object.assign(last, {
      ticket: attempt.ticket,
      until: now + waits[attempt.ticket.attempt - 1]!,
    });
  };
  for (const step of given) {
    if ('wait' in step) now += step.wait;
    else if ('take' in step) for (let n = 0; n < step.take; n += 1) await take();
    else if (kept.length > 0) {
      const ticket = kept.splice(step.giveBack % kept.length, 1)[0]!;
      await store.giveBack({ subject, ticket });
      if (last.ticket === ticket) last.until = 0;
    }
    expect((await store.find(subject))?.secondFactor.attempts ?? 0).toBe(kept.length);
    expect(kept.length).toBeLessThanOrEqual(allowedWithin(now - START));
  }
  // After the waits all attempts that were given back can be taken again.
  for (let tries = 0; tries < 2 * waits.length; tries += 1) {
    await take();
    now += 120_000;
  }
  expect(kept.length).toBe(waits.length);
}

describe.each([
  ['MemoryStore', memory.open, 80],
  ['SqlStore on SQLite', openSqlite, 8],
] as const)('attempts on %s', (_name, open, numRuns) => {
  let opened: OpenStore;
  beforeAll(async () => (opened = await open()));
  afterAll(() => opened.close());

  it('Attempts given back grant no more and end no other wait', async () => {
    let users = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (given) => {
        users += 1;
        await play(opened.store, userSubject(users), given);
      }),
      { numRuns },
    );
  });
});
