// What is left of a user who is forgotten or pruned, on one Redis.
import { createClient } from 'redis';
import { RedisStore } from '../../../lib/redis';
import { forgetRequest } from '../../../lib/testing/account-tests';
import { issueSet, newEvent } from '../../../lib/testing/samples';
import { accountTests } from '../../helpers/account-tests';
import { readAllKeys, type SingleClient } from '../../helpers/redis-data';
import { describeWith, redis } from '../../helpers/servers';

describeWith(redis, 'the end of an account on Redis', (server) => {
  let client: SingleClient;

  beforeAll(async () => {
    client = createClient({ url: server().url });
    await client.connect();
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushDb());

  accountTests({
    open: async () => ({
      store: new RedisStore({ client }),
      dump: async () => JSON.stringify(await readAllKeys(client)),
    }),
  });

  it('if forgetting stops half way, the user is still recorded, and a second call completes it', async () => {
    const { subject } = await issueSet(new RedisStore({ client }));
    const notes = Array.from({ length: 1200 }, () => newEvent('app_note', subject));
    const store = new RedisStore({ client });
    await store.append(notes);

    for (const failingCall of [1, 2, 3, 4, 4, 4]) {
      let calls = 0;
      const failing = new RedisStore({
        client: {
          eval: (script, options) => client.eval(script, options),
          evalSha: (sha1, options) => {
            calls += 1;
            if (calls === failingCall) return Promise.reject(new Error('the server went away'));
            return client.evalSha(sha1, options);
          },
        },
      });
      await expect(failing.forget(forgetRequest(subject, 'anonymize'))).rejects.toThrow('away');
      expect(await store.find(subject)).not.toBeNull();
    }
    const request = forgetRequest(subject, 'anonymize');
    expect(await store.forget(request)).toEqual([request.event]);
    expect(await store.find(subject)).toBeNull();
    expect(JSON.stringify(await readAllKeys(client))).not.toContain(subject.userId);
    const { events } = await store.readEvents({
      namespace: null,
      subject: null,
      types: ['app_note'],
      order: 'oldest-first',
      after: null,
      limit: 1000,
    });
    expect(events.map(({ id }) => id)).toEqual(notes.slice(0, 1000).map(({ id }) => id));
  });
});
