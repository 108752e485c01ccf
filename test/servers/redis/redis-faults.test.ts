// Faults on Redis: data that is damaged or of the wrong type, and a server without memory. None
// changes anything, and none is mistaken for a user without a set.
import { createClient } from 'redis';
import { RedisStore } from '../../../lib/redis';
import { userKeys } from '../../../lib/redis/keys';
import type { BackupCodeStore } from '../../../lib/stores/contract';
import type { Ticket } from '../../../lib/stores/requests';
import { forgetRequest, unlockRequest } from '../../../lib/testing/account-tests';
import {
  newConsumeRequest,
  HOUR_MS,
  newCode,
  newEvent,
  newSet,
  NOW,
  takeAttempt,
  issueSet,
  type UserSet,
} from '../../../lib/testing/samples';
import { readRedisEvents } from '../../helpers/read-redis-events';
import { readAllKeys, type SingleClient } from '../../helpers/redis-data';
import { describeWith, redis } from '../../helpers/servers';

/** The default of `takeAttempt`. */
const NETWORK = '192.0.2.0/24';
const ticket: Ticket = {
  channel: 'second_factor',
  network: NETWORK,
  attempt: 1,
  generation: 1,
  nextAt: NOW,
};

type StoreCall = (store: BackupCodeStore, set: UserSet) => Promise<unknown>;

/** Every method that runs a script on the user's keys. */
const calls: readonly (readonly [method: string, call: StoreCall])[] = [
  ['replace', (store, { subject }) => store.replace({ ...newSet(subject), now: NOW })],
  ['stage', (store, { subject }) => store.stage({ ...newSet(subject), until: NOW + HOUR_MS })],
  [
    'activate',
    (store, { subject, header: { setId } }) =>
      store.activate({ subject, setId, now: NOW, event: newEvent('activated', subject) }),
  ],
  ['find', (store, { subject }) => store.find(subject)],
  ['takeAttempt', (store, { subject }) => takeAttempt(store, subject)],
  ['giveBack', (store, { subject }) => store.giveBack({ subject, ticket })],
  ['consume', (store, set) => store.consume(newConsumeRequest(set, 0, { replacement: newCode() }))],
  [
    'revoke',
    (store, { subject }) =>
      store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) }),
  ],
  ['forget', (store, { subject }) => store.forget(forgetRequest(subject, 'erase'))],
  ['unlock', (store, { subject }) => store.unlock(unlockRequest(subject))],
  [
    'append',
    (store, { subject }) =>
      store.append([], { subject, ticket, now: NOW, event: newEvent('locked', subject) }),
  ],
];

describeWith(redis, 'faults on Redis', (server) => {
  let client: SingleClient;
  let store: RedisStore;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
    store = new RedisStore({ client });
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushDb());

  it.each(calls)(
    'RedisStore.%s throws and changes nothing if any key has the wrong type',
    async (method, call) => {
      const set = await issueSet(store);
      const { networks, ...keys } = userKeys('backup-code:', set.subject.key);
      const counters = [networks, `${networks}:${NETWORK}`];
      const countsAttempts = method === 'takeAttempt' || method === 'giveBack';
      for (const key of [...Object.values(keys), ...(countsAttempts ? counters : [])]) {
        const kept = (await client.exists(key)) === 1 ? `${key}:kept` : null;
        if (kept !== null) await client.rename(key, kept);
        await client.set(key, 'a string');
        const before = await readAllKeys(client);
        await expect(call(store, set)).rejects.toThrow(
          /WRONGTYPE .* is a string\. Nothing was changed/,
        );
        expect(await readAllKeys(client)).toEqual(before);
        await client.del(key);
        if (kept !== null) await client.rename(kept, key);
      }
    },
  );

  it.each(['remaining', 'total', 'expiresAt', 'second_factor:generation'])(
    'consume throws and changes nothing if the stored field %s is damaged',
    async (field) => {
      const set = await issueSet(store);
      await client.hSet(userKeys('backup-code:', set.subject.key).user, field, 'damaged');
      const before = await readAllKeys(client);
      await expect(store.consume(newConsumeRequest(set, 0))).rejects.toThrow(/damaged/);
      expect(await readAllKeys(client)).toEqual(before);
    },
  );

  it.each(['header', 'remaining'])(
    'a damaged field %s is an error, not a missing set, and charges no attempt',
    async (field) => {
      const set = await issueSet(store);
      const { user } = userKeys('backup-code:', set.subject.key);
      await client.hSet(user, field, 'damaged');
      const unreadable = expect.objectContaining({ code: 'unreadable_set' });
      await expect(store.find(set.subject)).rejects.toThrow(unreadable);
      await expect(takeAttempt(store, set.subject)).rejects.toThrow(unreadable);
      const attempts = await client.hGet(user, 'second_factor:attempts');
      expect(attempts).toBe('0');
    },
  );

  it('a Redis without free memory refuses every write except the end of a set', async () => {
    const set = await issueSet(store);
    const { subject } = set;
    const before = await readAllKeys(client);
    await client.configSet('maxmemory', '1');
    try {
      const staged = { ...newSet(subject), until: NOW + HOUR_MS };
      await expect(store.stage(staged)).rejects.toThrow(/OOM/);
      await expect(store.consume(newConsumeRequest(set, 0))).rejects.toThrow(/OOM/);
      await expect(takeAttempt(store, subject)).rejects.toThrow(/OOM/);
      expect(await readAllKeys(client)).toEqual(before);
      const event = newEvent('revoked', subject);
      expect(await store.revoke({ subject, now: NOW, event })).toEqual([
        { ...event, setId: set.header.setId },
      ]);
    } finally {
      await client.configSet('maxmemory', '0');
    }
    const trail = await readRedisEvents(client, subject.userId);
    expect(trail.map(({ type }) => type)).toEqual(['issued', 'revoked']);
  });
});
