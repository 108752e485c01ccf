// The order in which events are read. A reader that continues from a cursor receives each event
// once, and the events of a user in the order of the changes, even if a commit takes long.
import { randomInt } from 'node:crypto';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { type ControlledTransaction, type Kysely, sql } from 'kysely';
import { createClient, createCluster } from 'redis';
import { BackupCodes, type AuditEvent, type BackupCodeStore } from '../../lib';
import { auditEvent, EVENT_TYPES } from '../../lib/audit/events';
import { RedisStore, type RedisClient } from '../../lib/redis';
import { createTables, SqlStore } from '../../lib/sql';
import { insertEvents } from '../../lib/sql/event-rows';
import { tableReferences } from '../../lib/sql/database';
import { countingHasher } from '../helpers/counting-hasher';
import { describeWith, redis, redisCluster } from '../helpers/servers';
import { atOnce, WRONG } from '../helpers/service';
import { describeOn } from '../helpers/sql-databases';

const WRITERS = 4;
/** Ends a test that hangs. */
const TIMEOUT_MS = 600_000;
const TABLES = tableReferences({ schema: null, prefix: '' });

for (const { kind, isolation, calls, pauseMs } of [
  // A process has one connection to a file.
  { kind: 'SQLite', isolation: 'SERIALIZABLE', calls: 30, pauseMs: 0 },
  { kind: 'PostgreSQL', isolation: 'READ COMMITTED', calls: 150, pauseMs: 0 },
  { kind: 'PostgreSQL', isolation: 'SERIALIZABLE', calls: 150, pauseMs: 0 },
  // The store withholds events for two seconds on MariaDB.
  { kind: 'MariaDB', isolation: 'REPEATABLE READ', calls: 150, pauseMs: 2_100 },
] as const) {
  describeOn(
    kind,
    `events on ${kind}, ${isolation}`,
    (database) => {
      beforeAll(() => createTables({ database: database().connect() }));
      concurrentReaderTests({
        calls,
        pauseMs,
        connect: () => Promise.resolve(new SqlStore({ database: database().connect() })),
      });
      if (kind !== 'SQLite')
        describe('a slow commit', () =>
          slowCommitTests({ pauseMs, connect: () => database().connect() }));
    },
    { isolation },
  );
}

describeWith(redis, 'events on one Redis', (server) => {
  redisReaderTests(async () => createClient({ url: server().url }).connect());
});

describeWith(redisCluster, 'events on a Redis cluster of three', (cluster) => {
  redisReaderTests(async () =>
    createCluster({ rootNodes: cluster().nodes.map(({ url }) => ({ url })) }).connect(),
  );
});

/** @param pauseMs how long the store withholds events */
function slowCommitTests({
  pauseMs,
  connect,
}: {
  pauseMs: number;
  connect: () => Kysely<unknown>;
}): void {
  let pools: Kysely<unknown>[] = [];
  let backupCodes: BackupCodes;
  let after: string | null = null;
  const begun: ControlledTransaction<unknown>[] = [];

  /** Continues where the last call ended. */
  const readNewEvents = async (): Promise<string[]> => {
    await sleep(pauseMs);
    const read: string[] = [];
    for (;;) {
      const page = await backupCodes.audit.events({ after, limit: 1 });
      if (page.events.length === 0) return read;
      read.push(...page.events.map(({ type, userId }) => `${type} ${String(userId)}`));
      after = page.cursor;
    }
  };
  const begin = async (): Promise<ControlledTransaction<unknown>> => {
    const transaction = await pools[1]!
      .startTransaction()
      .setIsolationLevel('read committed')
      .execute();
    begun.push(transaction);
    return transaction;
  };
  const write = (transaction: ControlledTransaction<unknown>, userId: string): Promise<unknown> =>
    insertEvents(TABLES, [revoked(userId)]).execute(transaction);

  beforeAll(async () => {
    pools = [connect(), connect()];
    backupCodes = new BackupCodes({
      store: new SqlStore({ database: pools[0]! }),
      hasher: countingHasher(),
    });
    await readNewEvents();
  });
  afterEach(async () => {
    for (const transaction of begun.splice(0))
      if (!transaction.isCommitted && !transaction.isRolledBack)
        await transaction.rollback().execute();
  });

  it('a page ends before an uncommitted event, and no event is repeated', async () => {
    await backupCodes.issue('before');
    const slow = await begin();
    await write(slow, 'slow');
    await backupCodes.issue('fast');
    expect(await readNewEvents()).toEqual(['issued before']);
    await slow.commit().execute();
    expect(await readNewEvents()).toEqual(['revoked slow', 'issued fast']);
  });

  it('an event follows those that were committed since its transaction began', async () => {
    const slow = await begin();
    await sql`INSERT INTO backup_code_keys (name, value) VALUES ('another', '')`.execute(slow);
    await backupCodes.issue('ada');
    const read = await readNewEvents();
    await write(slow, 'ada');
    await slow.commit().execute();
    expect([...read, ...(await readNewEvents())]).toEqual(['issued ada', 'revoked ada']);
  });

  it('a page does not end before an event that was rolled back', async () => {
    const slow = await begin();
    await write(slow, 'slow');
    await backupCodes.issue('fast');
    expect(await readNewEvents()).toEqual([]);
    await slow.rollback().execute();
    expect(await readNewEvents()).toEqual(['issued fast']);
  });

  if (pauseMs > 0) {
    it('events keep their order if the clock of the server is set back between them', async () => {
      const ahead = await begin();
      await sql`SET timestamp = UNIX_TIMESTAMP() + 1`.execute(ahead);
      await write(ahead, 'ada');
      await sql`SET timestamp = DEFAULT`.execute(ahead);
      await ahead.commit().execute();
      await backupCodes.issue('grace');
      // Two reads, because the first may end between the two events.
      expect([...(await readNewEvents()), ...(await readNewEvents())]).toEqual([
        'revoked ada',
        'issued grace',
      ]);
    });
  }
}

function revoked(userId: string): AuditEvent {
  const context = {
    ip: null,
    userAgent: null,
    requestId: null,
    actor: null,
    channel: 'second_factor',
  } as const;
  return auditEvent('revoked', { at: Date.now(), userId, context });
}

function redisReaderTests(connect: () => Promise<RedisClient & { close(): unknown }>): void {
  const clients: Awaited<ReturnType<typeof connect>>[] = [];
  afterAll(async () => {
    for (const client of clients) await client.close();
  });
  concurrentReaderTests({
    calls: 150,
    connect: async () => {
      const client = await connect();
      clients.push(client);
      return new RedisStore({ client });
    },
  });
}

function concurrentReaderTests({
  calls,
  pauseMs = 0,
  connect,
}: {
  calls: number;
  pauseMs?: number;
  connect: () => Promise<BackupCodeStore>;
}): void {
  it(
    'a reader of small pages receives each event of four writers once, in order for each user',
    async () => {
      const services = await Promise.all(
        Array.from(
          { length: WRITERS + 1 },
          async () =>
            new BackupCodes({
              store: await connect(),
              hasher: countingHasher(),
              attempts: { free: 50 },
            }),
        ),
      );
      const received: AuditEvent[] = [];
      for (const service of services)
        for (const type of EVENT_TYPES) service.on(type, (event) => received.push(event));
      const [reader, ...writers] = services;

      const read: AuditEvent[] = [];
      let after: string | null = null;
      const readNewEvents = async (): Promise<void> => {
        for (;;) {
          const page = await reader!.audit.events({ after, limit: 7 });
          if (page.events.length === 0) return;
          read.push(...page.events);
          after = page.cursor;
        }
      };
      const codesOfUsers = new Map<string, string[]>();
      const writing = new AbortController();
      const written = atOnce(WRITERS, async (n) => {
        for (let call = 0; call < calls; call += 1)
          await writeRandomChange(writers[n]!, codesOfUsers);
      }).finally(() => writing.abort());
      while (!writing.signal.aborted) {
        await readNewEvents();
        await setImmediate();
      }
      await written;
      await sleep(pauseMs);
      await readNewEvents();

      expect(read.map(({ id }) => id).sort()).toEqual(received.map(({ id }) => id).sort());
      for (const userId of codesOfUsers.keys())
        expect(contradictions(read.filter((event) => event.userId === userId))).toEqual([]);
    },
    TIMEOUT_MS,
  );
}

async function writeRandomChange(
  writer: BackupCodes,
  codesOfUsers: Map<string, string[]>,
): Promise<void> {
  const userId = `user-${randomInt(3)}`;
  const codes = codesOfUsers.get(userId) ?? [];
  const dice = randomInt(12);
  if (dice === 0) await writer.revoke(userId);
  else if (dice < 3) await writer.consume(userId, WRONG);
  else if (codes.length > 0) await writer.consume(userId, codes.pop());
  else codesOfUsers.set(userId, (await writer.issue(userId)).codes);
}

/** The changes of one user that cannot follow the change before. */
function contradictions(events: readonly AuditEvent[]): AuditEvent[] {
  const changes = events.filter(
    ({ type }) => type === 'issued' || type === 'consumed' || type === 'revoked',
  );
  return changes.filter((change, n) => {
    if (change.type === 'issued') return false;
    const before = changes[n - 1];
    if (before === undefined || before.type === 'revoked' || before.setId !== change.setId)
      return true;
    return change.type === 'consumed' && change.remaining !== (before.remaining ?? NaN) - 1;
  });
}
