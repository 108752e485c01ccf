// A cluster that moves a slot to another node. Until the slot has moved, its old node refuses every
// command on a key that does not exist, in the middle of a script too.
import { createClient, createCluster } from 'redis';
import { RedisApprovalStore, RedisStore, type RedisClient } from '../../../lib/redis';
import { partitionKeys, partitionOf, userKeys } from '../../../lib/redis/keys';
import { newUser, type User } from '../../../lib/testing/samples';
import { prepareData, redisCalls, type RedisStores } from '../../helpers/redis-calls';
import { digestOfAllKeys, type SingleClient } from '../../helpers/redis-data';
import { describeWith, redisCluster } from '../../helpers/servers';

const PREFIX = 'backup-code:';
/** The slots of the first of three nodes end before this one. */
const END_OF_FIRST_NODE = 5461;
/** The calls for one user. The others go to all nodes. */
const calls = redisCalls.filter(
  ({ name }) => !/new user|nameKey|prune|report|read|remind|approval/i.test(name),
);

describeWith(
  redisCluster,
  'a Redis cluster that moves a slot',
  (cluster) => {
    let everywhere: RedisClient & { close(): Promise<unknown> };
    let first: SingleClient;
    let second: SingleClient;

    beforeAll(async () => {
      const [firstNode, secondNode] = cluster().nodes;
      everywhere = await createCluster({ rootNodes: [{ url: firstNode!.url }] }).connect();
      first = createClient({ url: firstNode!.url });
      second = createClient({ url: secondNode!.url });
      await Promise.all([first.connect(), second.connect()]);
    });
    afterAll(async () => {
      await Promise.all([everywhere.close(), first.close(), second.close()]);
    });

    const slotOf = async ({ key }: User): Promise<number> =>
      Number(await first.sendCommand(['CLUSTER', 'KEYSLOT', userKeys(PREFIX, key).user]));

    /** Two users of one partition on the first node, which has no other users. */
    const findUsers = async (): Promise<{ user: User; other: User }> => {
      for (;;) {
        const user = newUser();
        const { sets } = partitionKeys(PREFIX, partitionOf(user.key));
        if ((await slotOf(user)) >= END_OF_FIRST_NODE) continue;
        if ((await first.exists(sets)) === 1) continue;
        let other = newUser();
        while (partitionOf(other.key) !== partitionOf(user.key)) other = newUser();
        return { user, other };
      }
    };

    it.each(calls)(
      '$name is done or refused as a whole while the slot of its user moves',
      async ({ run, isRepeatable }) => {
        await Promise.all([first.flushDb(), second.flushDb()]);
        const users = await findUsers();
        const data = await prepareData(openStores(everywhere), users);
        const slot = String(await slotOf(users.user));
        const before = await digestOfAllKeys(first);
        const target = await second.clusterMyId();
        await first.sendCommand(['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target]);
        try {
          // A call that the old node refuses is an error here: the client knows no other node.
          await run(openStores(first), data);
        } catch (error) {
          expect(String(error)).toMatch(/ASK|TRYAGAIN|non local key/);
          if (!isRepeatable) expect(await digestOfAllKeys(first)).toBe(before);
        } finally {
          await first.sendCommand(['CLUSTER', 'SETSLOT', slot, 'STABLE']);
        }
      },
    );
  },
  { args: ['--enable-debug-command', 'local', '--appendfsync', 'no'] },
);

function openStores(client: RedisClient): RedisStores {
  return { backup: new RedisStore({ client }), approvals: new RedisApprovalStore({ client }) };
}
