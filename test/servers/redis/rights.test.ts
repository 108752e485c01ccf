// Users of Redis who lack a right. Redis does not undo a script that fails, so no script may begin
// what its user may not finish.
import { createClient } from 'redis';
import { RedisApprovalStore, RedisStore, type RedisClient } from '../../../lib/redis';
import { issueSet, newConsumeRequest, newSet, NOW } from '../../../lib/testing/samples';
import {
  prepareData,
  redisCalls,
  type PreparedData,
  type RedisStores,
} from '../../helpers/redis-calls';
import { copyDatabase, digestOfAllKeys, type SingleClient } from '../../helpers/redis-data';
import { readRedisEvents } from '../../helpers/read-redis-events';
import { listedRights, makeUser, urlFor } from '../../helpers/redis-users';
import { describeWith, redis } from '../../helpers/servers';

/** Nothing has to survive here. */
const SERVER = { args: ['--enable-debug-command', 'local', '--appendonly', 'no'] };
/** The number of the database that holds the prepared data. */
const PREPARED = 1;
const KEYS = '~backup-code:*';
/** How a script refuses, or how Redis refuses a command or a key. */
const REFUSED = /NOPERM|The user executing the script can't/;

describeWith(
  redis,
  'users of Redis who lack a right',
  (server) => {
    let admin: SingleClient;
    let limited: SingleClient;
    let stores: RedisStores;
    let limitedStores: RedisStores;

    let data: PreparedData;

    const allow = (rights: readonly string[], keys: readonly string[] = [KEYS]): Promise<void> =>
      makeUser(server(), { name: 'limited', rights, keys });

    beforeAll(async () => {
      admin = createClient({ url: server().url });
      await admin.connect();
      await allow(listedRights);
      limited = createClient({ url: urlFor(server(), 'limited') });
      await limited.connect();
      stores = openStores(admin);
      limitedStores = openStores(limited);
      data = await prepareData(stores);
      await copyDatabase(admin, { from: 0, to: PREPARED });
    });
    afterAll(async () => {
      await Promise.all([admin.close(), limited.close()]);
    });
    beforeEach(() => admin.flushDb());

    it('a user with exactly the listed rights can make every call', async () => {
      await allow(listedRights);
      expect(await refusedCalls()).toEqual([]);
    });

    it('without any one of the listed rights a call is refused, and leaves nothing half done', async () => {
      const unneeded: string[] = [];
      for (const right of listedRights) {
        await allow(listedRights.filter((other) => other !== right));
        // `eval` is only needed for a script that the server does not have yet.
        if (right === '+eval') await admin.scriptFlush();
        const refused = await refusedCalls();
        if (refused.length === 0) unneeded.push(right);
        await allow(listedRights);
      }
      expect(unneeded).toEqual([]);
    });

    it.each([
      ['not to the counters of networks', [`~backup-code:*[^/]??`]],
      ['only to read', ['%R~backup-code:*']],
      ['only to write', ['%W~backup-code:*']],
      ['not to requests for approval that are open', ['~backup-code:{*}:r*']],
    ])('with a right to keys, but %s, a call leaves nothing half done', async (_, keys) => {
      await allow(listedRights, keys);
      expect((await refusedCalls()).length).toBeGreaterThan(0);
    });

    it('a right that is taken away while the app runs is noticed at the next call', async () => {
      await allow(listedRights);
      const set = await issueSet(limitedStores.backup);
      expect(await limitedStores.backup.consume(newConsumeRequest(set, 0))).toMatchObject({
        outcome: 'consumed',
      });
      await allow(listedRights.filter((right) => right !== '+xadd'));
      await expect(limitedStores.backup.consume(newConsumeRequest(set, 1))).rejects.toThrow(
        'NOPERM This Redis user may not run XADD on the keys of the store. Nothing was changed.',
      );
      await allow(listedRights);
      expect(await limitedStores.backup.consume(newConsumeRequest(set, 1))).toMatchObject({
        outcome: 'consumed',
        remaining: 8,
      });
      const trail = await readRedisEvents(admin, set.subject.userId);
      expect(trail.map(({ type }) => type)).toEqual(['issued', 'consumed', 'consumed']);
    });

    it('if a new set cannot be written, the old one still works', async () => {
      const set = await issueSet(stores.backup);
      await allow(listedRights.filter((right) => right !== '+hset'));
      const replacing = limitedStores.backup.replace({ ...newSet(set.subject), now: NOW });
      await expect(replacing).rejects.toThrow('HSET');
      expect(await stores.backup.consume(newConsumeRequest(set, 0))).toMatchObject({
        outcome: 'consumed',
      });
    });

    /** Makes every call on the same data, and checks that a refused one changed nothing. */
    const refusedCalls = async (): Promise<string[]> => {
      const refused: string[] = [];
      await copyDatabase(admin, { from: PREPARED, to: 0 });
      const before = await digestOfAllKeys(admin);
      for (const { name, run, isRepeatable } of redisCalls) {
        try {
          await run(limitedStores, data);
        } catch (error) {
          expect(String(error)).toMatch(REFUSED);
          refused.push(name);
          if (!isRepeatable) expect([name, await digestOfAllKeys(admin)]).toEqual([name, before]);
          expect(await stores.backup.find(data.set.subject)).not.toBeNull();
        }
        await copyDatabase(admin, { from: PREPARED, to: 0 });
      }
      return refused;
    };
  },
  SERVER,
);

function openStores(client: RedisClient): RedisStores {
  return { backup: new RedisStore({ client }), approvals: new RedisApprovalStore({ client }) };
}
