// The store contract: a user who is forgotten leaves nothing behind, and a channel that is unlocked
// counts from zero.
import assert from 'node:assert/strict';
import type { AuditEvent } from '../audit/events';
import type { BackupCodeStore } from '../stores/contract';
import type { ForgetRequest, Ticket, UnlockRequest } from '../stores/requests';
import { auditOf, newestEvents } from './audit-of';
import {
  HOUR_MS,
  issueSet,
  newConsumeRequest,
  newEvent,
  newSet,
  newUser,
  NOW,
  outcomeOf,
  takeAttempt,
  takeGrantedAttempt,
  type User,
} from './samples';
import type { StoreTestContext } from './store-contract';

/** What can happen to the events of a user who is forgotten. */
export const AUDITS = ['erase', 'anonymize'] as const satisfies readonly ForgetRequest['audit'][];

const NETWORKS = ['192.0.2.0/24', '198.51.100.0/24'] as const;
/** A wait follows each attempt. */
const RECOVERY_WAITS = [60_000] as const;

export function forgetRequest(subject: User, audit: ForgetRequest['audit']): ForgetRequest {
  return { subject, audit, event: newEvent('forgotten', { ...subject, userId: null }) };
}

export function unlockRequest(
  subject: User,
  channel: Ticket['channel'] = 'second_factor',
): UnlockRequest {
  return { subject, channel, now: NOW, event: newEvent('unlocked', subject) };
}

export function forgetTests({ test, readEvents }: StoreTestContext): void {
  test('A user who was never recorded is not forgotten, and nothing is written', async (store) => {
    for (const audit of AUDITS) {
      assert.deepEqual(await store.forget(forgetRequest(newUser(), audit)), []);
    }
  });

  for (const audit of AUDITS) {
    test(`A forgotten user is like one who was never recorded (${audit})`, async (store) => {
      const set = await issueSet(store);
      const { subject } = set;
      const staged = newSet(subject);
      await closeBothChannels(store, subject);
      await store.stage({ ...staged, until: NOW + HOUR_MS });

      const request = forgetRequest(subject, audit);
      assert.deepEqual(await store.forget(request), [request.event]);
      assert.equal(await store.find(subject), null);
      assert.deepEqual(await readEvents(subject.userId), []);
      assert.deepEqual(await store.forget(request), []);
      assert.equal((await store.consume(newConsumeRequest(set, 0))).outcome, 'gone');
      const { setId } = staged.header;
      const event = newEvent('activated', subject, { setId });
      assert.deepEqual(await store.activate({ subject, setId, now: NOW, event }), []);
      for (const channel of ['second_factor', 'recovery'] as const) {
        const options = { channel, network: NETWORKS[0], waits: RECOVERY_WAITS };
        const { ticket, current } = await takeGrantedAttempt(store, subject, options);
        assert.deepEqual([ticket.attempt, current], [1, null]);
      }
      const first = newSet(subject);
      assert.deepEqual(await store.replace({ ...first, now: NOW, only: 'first' }), [first.event]);
      // The counters of the forgotten user are of the same generation as those of this one.
      const options = { channel: 'recovery', network: NETWORKS[1], waits: RECOVERY_WAITS } as const;
      assert.equal((await takeGrantedAttempt(store, subject, options)).ticket.attempt, 1);
      assert.deepEqual(
        (await readEvents(subject.userId)).map(({ type }) => type),
        ['issued'],
      );
    });

    test(`The sets and events of other users stay (${audit})`, async (store) => {
      const set = await issueSet(store);
      const other = await issueSet(store);
      await takeGrantedAttempt(store, other.subject);
      await store.forget(forgetRequest(set.subject, audit));
      assert.deepEqual(
        (await readEvents(other.subject.userId)).map(({ type }) => type),
        ['issued'],
      );
      assert.equal((await store.find(other.subject))?.secondFactor.attempts, 1);
      assert.equal((await store.consume(newConsumeRequest(other, 0))).outcome, 'consumed');
    });

    test(`A user with events only is forgotten too (${audit})`, async (store) => {
      const subject = newUser();
      await store.append([newEvent('app_note', subject)]);
      assert.equal((await store.forget(forgetRequest(subject, audit))).length, 1);
      assert.deepEqual(await readEvents(subject.userId), []);
    });
  }

  for (const hasSet of [true, false]) {
    const owner = hasSet ? 'a user with a set' : 'a user without a set';
    test(`A ticket from before ${owner} was forgotten reaches no counter of the next one`, async (store) => {
      const subject = newUser();
      const begin = async (): Promise<readonly Ticket[]> => {
        if (hasSet) await issueSet(store, { user: subject });
        const tickets: Ticket[] = [];
        for (const channel of ['second_factor', 'recovery'] as const) {
          const options = { channel, waits: RECOVERY_WAITS };
          tickets.push((await takeGrantedAttempt(store, subject, options)).ticket);
        }
        return tickets;
      };
      const late = await begin();
      await store.forget(forgetRequest(subject, 'erase'));
      await begin();
      for (const ticket of late) {
        await store.giveBack({ subject, ticket });
        if (ticket.channel === 'recovery') continue;
        const lock = { subject, ticket, now: NOW, event: newEvent('locked', subject) };
        assert.deepEqual(await store.append([], lock), []);
      }
      assert.deepEqual(await stateOf(store, subject), [1, null]);
      for (const { channel } of late) {
        const waits = [...RECOVERY_WAITS, 0];
        const again = await takeAttempt(store, subject, { channel, waits });
        assert.equal(outcomeOf(again), `throttled until ${NOW + 60_000}`);
      }
    });
  }

  test('Erased events are gone from the trail', async (store) => {
    const { header, subject } = await issueSet(store);
    await store.forget(forgetRequest(subject, 'erase'));
    assert.deepEqual(await eventsOfSet(store, header.setId), []);
  });

  test('Anonymous events keep their place and what happened, and no more', async (store) => {
    const set = await issueSet(store);
    const { subject, header } = set;
    const { setId } = header;
    await store.append([newEvent('app_note', subject, { setId, details: { by: 'support' } })]);
    await store.consume(newConsumeRequest(set, 0));
    await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
    const before = await eventsOfSet(store, setId);
    await store.forget(forgetRequest(subject, 'anonymize'));
    assert.deepEqual(
      await eventsOfSet(store, setId),
      before.map((event) => ({
        ...event,
        userId: null,
        details: null,
        context: { ...event.context, ip: null, userAgent: null, requestId: null, actor: null },
      })),
    );
  });
}

export function unlockTests({ test, readEvents }: StoreTestContext): void {
  test('An unlocked channel counts from one, and the codes of the set work', async (store) => {
    const set = await issueSet(store);
    const { subject } = set;
    await closeBothChannels(store, subject);
    const request = unlockRequest(subject);
    assert.deepEqual(await store.unlock(request), [request.event]);
    assert.deepEqual(await stateOf(store, subject), [0, null]);
    assert.equal((await takeGrantedAttempt(store, subject)).ticket.attempt, 1);
    assert.equal((await store.consume(newConsumeRequest(set, 0))).outcome, 'consumed');
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type }) => type),
      ['issued', 'locked', 'unlocked', 'consumed'],
    );
  });

  test('Unlocking the recovery channel ends the waits of all networks, and no lock', async (store) => {
    const { subject } = await issueSet(store);
    await closeBothChannels(store, subject);
    const request = unlockRequest(subject, 'recovery');
    assert.deepEqual(await store.unlock(request), [request.event]);
    for (const network of NETWORKS) {
      const options = { channel: 'recovery', network, waits: RECOVERY_WAITS } as const;
      assert.equal((await takeGrantedAttempt(store, subject, options)).ticket.attempt, 1);
    }
    const refused = await takeAttempt(store, subject);
    assert.equal(!refused.ok && refused.reason, 'locked');
  });

  test('Unlocking the second factor leaves the waits on the recovery channel', async (store) => {
    const { subject } = await issueSet(store);
    await closeBothChannels(store, subject);
    await store.unlock(unlockRequest(subject));
    assert.equal((await takeAttempt(store, subject)).ok, true);
    for (const network of NETWORKS) {
      const options = { channel: 'recovery', network, waits: RECOVERY_WAITS } as const;
      assert.equal((await takeAttempt(store, subject, options)).ok, false);
    }
  });

  test('A wait ends when its channel is unlocked', async (store) => {
    const { subject } = await issueSet(store);
    const waits = [60_000, 0];
    await takeGrantedAttempt(store, subject, { waits });
    const refused = await takeAttempt(store, subject, { waits });
    assert.deepEqual(outcomeOf(refused), `throttled until ${NOW + 60_000}`);
    await store.unlock(unlockRequest(subject));
    assert.deepEqual(outcomeOf(await takeAttempt(store, subject, { waits })), 1);
  });

  test('A channel that counts no attempt is not unlocked, and nothing is written', async (store) => {
    const { subject } = await issueSet(store);
    await takeGrantedAttempt(store, subject, { channel: 'recovery' });
    assert.deepEqual(await store.unlock(unlockRequest(subject)), []);
    assert.deepEqual(await store.unlock(unlockRequest(newUser())), []);
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type }) => type),
      ['issued'],
    );
  });

  test('The waits of a user of whom nothing else is stored end too', async (store) => {
    const subject = newUser();
    const tickets: Ticket[] = [];
    for (const network of NETWORKS) {
      const options = { channel: 'recovery', network, waits: RECOVERY_WAITS } as const;
      tickets.push((await takeGrantedAttempt(store, subject, options)).ticket);
    }
    const request = unlockRequest(subject, 'recovery');
    assert.deepEqual(await store.unlock(request), [request.event]);
    assert.deepEqual(await store.unlock(request), []);
    for (const ticket of tickets) {
      const { network } = ticket;
      const options = { channel: 'recovery', network, waits: RECOVERY_WAITS } as const;
      assert.equal((await takeGrantedAttempt(store, subject, options)).ticket.attempt, 1);
      await store.giveBack({ subject, ticket });
      assert.equal((await takeAttempt(store, subject, options)).ok, false);
    }
  });

  test('A ticket from before the unlocking neither locks nor is given back', async (store) => {
    const { subject } = await issueSet(store);
    const { ticket } = await takeGrantedAttempt(store, subject);
    await store.unlock(unlockRequest(subject));
    await takeGrantedAttempt(store, subject);
    await store.giveBack({ subject, ticket });
    const rejected = newEvent('rejected', subject, { reason: 'mismatch' });
    const lock = { subject, ticket, now: NOW, event: newEvent('locked', subject) };
    assert.deepEqual(await store.append([rejected], lock), [rejected]);
    assert.deepEqual(await stateOf(store, subject), [1, null]);
  });
}

/** Locks the second factor, and lets two networks wait on the recovery channel. */
async function closeBothChannels(store: BackupCodeStore, subject: User): Promise<void> {
  const { ticket } = await takeGrantedAttempt(store, subject);
  await store.append([], { subject, ticket, now: NOW, event: newEvent('locked', subject) });
  for (const network of NETWORKS) {
    await takeGrantedAttempt(store, subject, {
      channel: 'recovery',
      network,
      waits: RECOVERY_WAITS,
    });
  }
}

/** The attempts on the `second_factor` channel, and when it was locked. */
async function stateOf(store: BackupCodeStore, subject: User): Promise<unknown> {
  const counter = (await store.find(subject))?.secondFactor;
  return [counter?.attempts, counter?.lockedAt];
}

/** The events that name the set, oldest first; none if the trail of the store cannot be read. */
async function eventsOfSet(store: BackupCodeStore, setId: string): Promise<AuditEvent[]> {
  const audit = auditOf(store);
  if (audit === null) return [];
  const events = await newestEvents(audit, null);
  return events.filter((event) => event.setId === setId).toReversed();
}
