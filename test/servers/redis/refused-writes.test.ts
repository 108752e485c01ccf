// A Redis that refuses to write: out of memory, unable to save, a replica, or without replicas. It
// refuses at the first write of a script, so no call is half done.
import { chmodSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { RedisApprovalStore, RedisStore } from '../../../lib/redis';
import { newConsumeRequest } from '../../../lib/testing/samples';
import {
  prepareData,
  redisCalls,
  type PreparedData,
  type RedisStores,
} from '../../helpers/redis-calls';
import { copyDatabase, digestOfAllKeys, type SingleClient } from '../../helpers/redis-data';
import { describeWith, redis, type RedisServer } from '../../helpers/servers';

const SERVER = { args: ['--enable-debug-command', 'local', '--appendfsync', 'no'] };
/** The number of the database that holds the prepared data. */
const PREPARED = 1;

interface Refusal {
  readonly name: string;
  readonly error: RegExp;
  readonly begin: (client: SingleClient, server: RedisServer) => Promise<unknown>;
  readonly end: (client: SingleClient, server: RedisServer) => Promise<unknown>;
}

const refusals: readonly Refusal[] = [
  {
    name: 'its memory is full',
    error: /OOM/,
    begin: (client) => client.configSet('maxmemory', '1'),
    end: (client) => client.configSet('maxmemory', '0'),
  },
  {
    name: 'its last snapshot could not be written',
    error: /MISCONF/,
    begin: async (client, { dir }) => {
      await failSnapshot(client, dir);
      await client.configSet('save', '3600 1');
    },
    end: (client) => client.configSet('save', ''),
  },
  {
    name: 'it is a replica since a failover',
    error: /READONLY/,
    begin: (client) => client.sendCommand(['REPLICAOF', '127.0.0.1', '1']),
    end: (client) => client.sendCommand(['REPLICAOF', 'NO', 'ONE']),
  },
  {
    name: 'it has too few replicas',
    error: /NOREPLICAS/,
    begin: (client) => client.configSet('min-replicas-to-write', '1'),
    end: (client) => client.configSet('min-replicas-to-write', '0'),
  },
];

describeWith(
  redis,
  'a Redis that refuses to write',
  (server) => {
    let client: SingleClient;
    let stores: RedisStores;
    let data: PreparedData;

    beforeAll(async () => {
      client = createClient({ url: server().url });
      await client.connect();
      stores = {
        backup: new RedisStore({ client }),
        approvals: new RedisApprovalStore({ client }),
      };
      data = await prepareData(stores);
      await copyDatabase(client, { from: 0, to: PREPARED });
    });
    afterAll(() => client.close());

    it.each(refusals)(
      'if Redis refuses to write because $name, no call is half done, and no code is consumed',
      async ({ error, begin, end }) => {
        const refused: string[] = [];
        for (const { name, run, isRepeatable } of redisCalls) {
          await copyDatabase(client, { from: PREPARED, to: 0 });
          const before = await digestOfAllKeys(client);
          await begin(client, server());
          try {
            await run(stores, data);
          } catch (fault) {
            expect(String(fault)).toMatch(error);
            refused.push(name);
            if (!isRepeatable)
              expect([name, await digestOfAllKeys(client)]).toEqual([name, before]);
          } finally {
            await end(client, server());
          }
        }
        expect(refused).toEqual(expect.arrayContaining(['consume', 'count', 'stage']));
        await copyDatabase(client, { from: PREPARED, to: 0 });
        expect(await stores.backup.consume(newConsumeRequest(data.set, 1))).toMatchObject({
          outcome: 'consumed',
        });
      },
    );
  },
  SERVER,
);

/** Once is enough: Redis remembers it until a snapshot succeeds. */
async function failSnapshot(client: SingleClient, dir: string): Promise<void> {
  const hasFailed = async (): Promise<boolean> =>
    (await client.info('persistence')).includes('rdb_last_bgsave_status:err');
  if (await hasFailed()) return;
  chmodSync(dir, 0o500);
  await client.sendCommand(['BGSAVE']);
  for (let tries = 0; tries < 500 && !(await hasFailed()); tries += 1) await sleep(20);
  chmodSync(dir, 0o700);
}
