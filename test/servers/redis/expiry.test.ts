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
    const { networks } = userKeys('backup-code:', name.key);
    const keys = [networks, `${networks}:192.0.2.0/24`];
    const expectThirtyDays = async (): Promise<void> => {
      for (const key of keys) {
        const left = await client.pTTL(key);
        expect(left).toBeGreaterThan(30 * DAY_MS - 60_000);
        expect(left).toBeLessThanOrEqual(30 * DAY_MS);
      }
    };
    const channel = 'recovery';
    await takeGrantedAttempt(store, name, { channel });
    await expectThirtyDays();
    expect(await client.keys('*')).toHaveLength(1 + keys.length);
    for (const key of keys) await client.pExpire(key, 1000);
    await takeGrantedAttempt(store, name, { channel, now: NOW + DAY_MS });
    await expectThirtyDays();
  });

  it('counters of networks that have expired are no longer listed', async () => {
    const { subject } = await issueSet(store);
    const { networks } = userKeys('backup-code:', subject.key);
    await takeGrantedAttempt(store, subject, { channel: 'recovery', network: '192.0.2.0/24' });
    await client.zAdd(networks, { score: Date.now() - 2000, value: `${networks}:192.0.2.0/24` });
    await takeGrantedAttempt(store, subject, { channel: 'recovery', network: '198.51.100.0/24' });
    expect(await client.zRange(networks, 0, -1)).toEqual([`${networks}:198.51.100.0/24`]);
  });

  it("an unknown user name is counted from zero after 30 days of the caller's clock", async () => {
    const name = nameSubject('eve', await store.nameKey());
    const attempts = [];
    for (const now of [NOW, NOW + 30 * DAY_MS - 1, NOW + 60 * DAY_MS - 1]) {
      attempts.push((await takeGrantedAttempt(store, name, { channel: 'recovery', now })).ticket);
    }
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
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
