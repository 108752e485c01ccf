// Two-person approval over PostgreSQL, MariaDB and Redis, on two machines, and a crash in the
// middle of an action.
import { randomUUID } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { createClient, createCluster } from 'redis';
import { RedisApprovalStore, RedisStore, type RedisClient } from '../../lib/redis';
import { createTables, SqlApprovalStore, SqlStore } from '../../lib/sql';
import { approvalTests } from '../helpers/approval-tests';
import { makeApprovedRequest, makeRequest, openOffice } from '../helpers/office';
import { clusterWithListedRights, urlWithListedRights } from '../helpers/redis-users';
import { describeWith, redis, redisCluster } from '../helpers/servers';
import { describeOn } from '../helpers/sql-databases';

for (const kind of ['PostgreSQL', 'MariaDB'] as const) {
  describeOn(kind, `SqlApprovalStore on ${kind}`, (database) => {
    let pools: Kysely<unknown>[] = [];
    const open = async () => {
      for (const table of ['backup_code_approvals', 'backup_code_users', 'backup_codes'])
        await sql`DELETE FROM ${sql.table(table)}`.execute(pools[0]!);
      const [here, there] = pools.map((pool) => ({
        backup: new SqlStore({ database: pool }),
        approvals: new SqlApprovalStore({ database: pool }),
      }));
      return { ...here!, another: there! };
    };

    beforeAll(async () => {
      pools = [database().connect(), database().connect()];
      await createTables({ database: pools[0]! });
    });

    approvalTests(open);

    if (kind === 'PostgreSQL') {
      it('An action that a crash interrupted stays started and never runs again', async () => {
        const office = openOffice({}, await open());
        const { id, digest } = await makeApprovedRequest(office);
        const child = spawn(
          process.execPath,
          [
            join(__dirname, 'children/executor.js'),
            JSON.stringify({ url: database().connection.url, id, digest, now: office.clock.now() }),
          ],
          { stdio: ['ignore', 'pipe', 'inherit'] },
        );
        let output = '';
        child.stdout.on('data', (text) => {
          output += String(text);
        });
        const [code, signal] = (await once(child, 'close')) as unknown[];
        expect([output, code, signal]).toEqual(['the action began\n', null, 'SIGKILL']);
        expect(await office.approval.show(id)).toMatchObject({ state: 'executing' });
        for (const userId of ['ada', 'bob'])
          expect(await office.approval.execute(userId, { id, digest })).toEqual({
            ok: false,
            reason: 'not_open',
          });
        expect(office.executed).toEqual([]);
        const { events } = await office.backupCodes.audit.events({
          types: ['approval_executing', 'approval_executed', 'approval_failed'],
        });
        expect(
          events.filter(({ details }) => details?.['approval_id'] === id).map(({ type }) => type),
        ).toEqual(['approval_executing']);
        office.clock.advance(900_000);
        await makeRequest(office);
      });
    }
  });
}

describeWith(redis, 'RedisApprovalStore on one Redis', (server) =>
  testRedis(async () => createClient({ url: await urlWithListedRights(server()) }).connect()),
);
describeWith(redisCluster, 'RedisApprovalStore on a Redis cluster of three', (cluster) =>
  testRedis(async () => createCluster(await clusterWithListedRights(cluster().nodes)).connect()),
);

function testRedis(connect: () => Promise<RedisClient & { close(): unknown }>): void {
  let clients: Awaited<ReturnType<typeof connect>>[] = [];
  beforeAll(async () => {
    clients = await Promise.all([connect(), connect()]);
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
  });

  approvalTests(() => {
    const prefix = `${randomUUID()}:`;
    const [here, there] = clients.map((client) => ({
      backup: new RedisStore({ client, prefix }),
      approvals: new RedisApprovalStore({ client, prefix }),
    }));
    return Promise.resolve({ ...here!, another: there! });
  });
}
