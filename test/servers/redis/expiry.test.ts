// What expires on Redis, and when.
import { createClient } from 'redis';
import { RedisStore } from '../../../lib/redis';
import { userKeys } from '../../../lib/redis/keys';
import { nameSubject } from '../../../lib/stores/subject';
import {
  newConsumeRequest,
  newEvent,
  newSet,
  NOW,
  takeAttempt,
  takeGrantedAttempt,
  issueSet,
} from '../../../lib/testing/samples';
import { DAY_MS } from '../../helpers/clock';
import type { SingleClient } from '../../helpers/redis-data';
import { describeWith, redis } from '../../helpers/servers';

const NEVER = -1;

describeWith(redis, 'expiry on Redis', (server) => {
  let client: SingleClient;
  let store: RedisStore;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
    store = new RedisStore({ client });
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushDb());

  it('the counter of an unknown user name expires 30 days after its last attempt', async () => {
    const name = nameSubject('eve', await store.nameKey());
    const { user } = userKeys('backup-code:', name.key);
    const expectThirtyDays = async (): Promise<void> => {
      const left = await client.pTTL(user);
      expect(left).toBeGreaterThan(30 * DAY_MS - 60_000);
      expect(left).toBeLessThanOrEqual(30 * DAY_MS);
    };
    await takeAttempt(store, name, { waits: [60_000] });
    await expectThirtyDays();
    await client.pExpire(user, 1000);
    expect((await takeAttempt(store, name, { waits: [60_000], now: NOW + DAY_MS })).ok).toBe(false);
    await expectThirtyDays();
  });

  it("an unknown user name is counted from zero after 30 days of the caller's clock", async () => {
    const name = nameSubject('eve', await store.nameKey());
    const waits = [0];
    await takeGrantedAttempt(store, name, { waits });
    expect((await takeAttempt(store, name, { waits, now: NOW + 30 * DAY_MS - 1 })).ok).toBe(false);
    const later = await takeGrantedAttempt(store, name, { waits, now: NOW + 60 * DAY_MS - 1 });
    expect(later.ticket.attempt).toBe(1);
  });

  it("a user's set, counters and events never expire", async () => {
    const set = await issueSet(store);
    await takeGrantedAttempt(store, set.subject);
    await store.consume(newConsumeRequest(set, 0));
    for (const key of await client.keys('*')) {
      expect([key, await client.pTTL(key)]).toEqual([key, NEVER]);
    }
  });

  it('of an ended set only the times are kept, for 400 days', async () => {
    const first = await issueSet(store);
    const { subject } = first;
    const { createdAt, expiresAt } = first.header;
    const { user, ended } = userKeys('backup-code:', subject.key);
    await store.consume(newConsumeRequest(first, 0, { now: NOW + 1 }));
    const second = newSet(subject, { expiresAt: null });
    await store.replace({ ...second, now: NOW + 2 });
    await store.revoke({ subject, now: NOW + 3, event: newEvent('revoked', subject) });
    expect(await readTimes(client, ended)).toEqual({
      [first.header.setId]: { endedAt: NOW + 2, createdAt, expiresAt, consumedAt: [NOW + 1] },
      [second.header.setId]: { endedAt: NOW + 3, createdAt, expiresAt: null, consumedAt: [] },
    });
    expect(await client.pTTL(ended)).toBeGreaterThan(400 * DAY_MS - 60_000);
    const userFields = Object.keys(await client.hGetAll(user));
    expect(userFields.filter((field) => /^(code|consumed|set|header)/.test(field))).toEqual([]);

    const third = newSet(subject);
    await store.replace({ ...third, now: NOW + 4 });
    await store.replace({ ...newSet(subject), now: NOW + 400 * DAY_MS + 2 });
    expect(Object.keys(await readTimes(client, ended)).sort()).toEqual(
      [second.header.setId, third.header.setId].sort(),
    );
  });
});

async function readTimes(client: SingleClient, ended: string): Promise<Record<string, unknown>> {
  const times: Record<string, unknown> = {};
  for (const [setId, json] of Object.entries(await client.hGetAll(ended))) {
    times[setId] = JSON.parse(json);
  }
  return times;
}
