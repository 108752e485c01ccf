// SqlStore on two nodes of MariaDB Galera Cluster, as behind a proxy that spreads connections: each
// step of a login may run on another node.
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, MysqlDialect, sql } from 'kysely';
import { createConnection, createPool, type Pool } from 'mysql2';
import { BackupCodes, formats, type AuditEvent, type BackupCodeStore } from '../../lib';
import { createTables, SqlApprovalStore, SqlStore } from '../../lib/sql';
import { tableReferences } from '../../lib/sql/database';
import { insertEvents } from '../../lib/sql/event-rows';
import { waitForOtherNodes } from '../../lib/sql/galera';
import { auditEvent } from '../../lib/audit/events';
import { newRecord } from '../helpers/approval-tests';
import { countingHasher } from '../helpers/counting-hasher';
import { describeWith, galera } from '../helpers/servers';
import { atOnce, WRONG } from '../helpers/service';

const TABLES = tableReferences({ schema: null, prefix: '' });
/** A store withholds events for two seconds. */
const WITHHELD_MS = 2_100;

describeWith(galera, 'SqlStore on two nodes of Galera', (cluster) => {
  const pools: Pool[] = [];
  let kyselys: [Kysely<unknown>, Kysely<unknown>];
  let stores: [SqlStore, SqlStore];
  let first: BackupCodes;
  let second: BackupCodes;

  const open = (node: 0 | 1): Kysely<unknown> => {
    const pool = createPool({ uri: cluster().nodes[node].url, connectionLimit: 10 });
    pools.push(pool);
    return new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) });
  };
  const serviceOn = (store: BackupCodeStore): BackupCodes =>
    new BackupCodes({ store, hasher: countingHasher(), attempts: { free: 50 } });

  beforeAll(async () => {
    kyselys = [open(0), open(1)];
    await createTables({ database: kyselys[0] });
    await sql`CREATE TABLE bystander (n integer PRIMARY KEY AUTO_INCREMENT)`.execute(kyselys[0]);
    stores = [new SqlStore({ database: kyselys[0] }), new SqlStore({ database: kyselys[1] })];
    [first, second] = [serviceOn(stores[0]), serviceOn(stores[1])];
    // The first call checks the server.
    await Promise.all([first.status('ada'), second.status('ada')]);
  });
  afterAll(async () => {
    for (const pool of pools) await pool.promise().end();
  });

  /** Stops the second node from receiving what the first one commits from now on. */
  const holdBack = async (): Promise<() => Promise<void>> => {
    const connection = createConnection({ uri: cluster().nodes[1].url }).promise();
    await connection.query('LOCK TABLES bystander READ');
    await sql`INSERT INTO bystander (n) VALUES (NULL)`.execute(kyselys[0]);
    return () => connection.end();
  };
  /** Runs the call on a node that is behind, and lets it catch up during the call. */
  const whileBehind = async <T>(
    prepare: () => Promise<unknown>,
    call: () => Promise<T>,
  ): Promise<T> => {
    const release = await holdBack();
    try {
      await prepare();
      const called = call();
      await Promise.race([called.catch(() => undefined), sleep(300)]);
      await release();
      return await called;
    } finally {
      await release();
    }
  };

  /** The attempt is taken on the first node, and the code consumed on the second. */
  const splitStore = (): BackupCodeStore =>
    new Proxy<BackupCodeStore>(stores[0], {
      get: (_, name: keyof BackupCodeStore) => {
        const store = name === 'consume' ? stores[1] : stores[0];
        return store[name].bind(store);
      },
    });

  it('Of 50 callers on both nodes with one code, exactly one succeeds', async () => {
    const { codes } = await first.issue('ada');
    const outcomes = await atOnce(50, (n) =>
      (n % 2 === 0 ? first : second).consume('ada', codes[0]),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await first.status('ada')).toMatchObject({ remaining: 9 });
  });

  it('Of 100 attempts at once on both nodes exactly 50 are granted, and none fails', async () => {
    await first.issue('grace');
    const outcomes = await atOnce(100, (n) =>
      (n % 2 === 0 ? first : second).consume('grace', WRONG),
    );
    const reasons = outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.reason));
    expect(reasons.filter((reason) => reason === 'mismatch')).toHaveLength(50);
    expect(reasons.filter((reason) => reason === 'locked')).toHaveLength(50);
  }, 60_000);

  it('A login whose two steps meet different nodes accepts each of 100 valid codes under load', async () => {
    const split = serviceOn(splitStore());
    const load = new AbortController();
    const loading = atOnce(2, async (n) => {
      while (!load.signal.aborted) await first.issue(`load-${n}`);
    });
    const delaying = (async () => {
      while (!load.signal.aborted) {
        const release = await holdBack();
        await sleep(20);
        await release();
      }
    })();
    const outcomes = await atOnce(10, async (n) => {
      const accepted: boolean[] = [];
      for (let login = 0; login < 10; login += 1) {
        const { codes } = await first.issue(`user-${n}`);
        accepted.push((await split.consume(`user-${n}`, codes[login])).ok);
      }
      return accepted;
    });
    load.abort();
    await loading;
    await delaying;
    expect(outcomes.flat().filter((ok) => ok)).toHaveLength(100);
  }, 60_000);

  it('A node that has not received the set yet accepts its code when it has caught up', async () => {
    let codes: string[] = [];
    const issue = async (): Promise<void> => {
      ({ codes } = await first.issue('behind'));
    };
    const split = serviceOn(splitStore());
    expect(await whileBehind(issue, () => split.consume('behind', codes[0]))).toMatchObject({
      ok: true,
    });
    // The user is known to the second node, which has the earlier set.
    expect(await whileBehind(issue, () => second.consume('behind', codes[0]))).toMatchObject({
      ok: true,
    });
    const issueToStranger = async (): Promise<void> => {
      ({ codes } = await first.issue('new-behind'));
    };
    const consume = (): ReturnType<BackupCodes['consume']> =>
      second.consume('new-behind', codes[0]);
    expect(await whileBehind(issueToStranger, consume)).toMatchObject({ ok: true });
  });

  it('A node that has not received the set yet accepts its code in a recovery login', async () => {
    const options = { hasher: countingHasher(), format: formats.recovery };
    const [here, there] = stores.map((store) => new BackupCodes({ store, ...options }));
    let codes: string[] = [];
    const issue = async (): Promise<void> => {
      ({ codes } = await here!.issue('recovering'));
    };
    const consume = (): ReturnType<BackupCodes['consume']> =>
      there!.consume('recovering', codes[0], { channel: 'recovery' });
    expect(await whileBehind(issue, consume)).toMatchObject({ ok: true });
    expect(await whileBehind(issue, consume)).toMatchObject({ ok: true });
  });

  it('A node that is behind activates, revokes, unlocks and forgets what it has not received', async () => {
    let setId = '';
    const stage = async (): Promise<void> => {
      ({ setId } = await first.stage('staging'));
    };
    expect(await whileBehind(stage, () => second.activate('staging', setId))).toBe(true);
    const issue = (): Promise<unknown> => first.issue('revoking');
    expect(await whileBehind(issue, () => second.revoke('revoking'))).toBe(true);
    const lock = async (): Promise<void> => {
      await first.issue('locking');
      await first.consume('locking', WRONG);
    };
    const unlock = (): Promise<boolean> =>
      second.unlock('locking', 'second_factor', { actor: 'admin' });
    expect(await whileBehind(lock, unlock)).toBe(true);
    const forget = (): Promise<void> => second.forget('forgetting', { audit: 'erase' });
    await whileBehind(() => first.issue('forgetting'), forget);
    expect(await first.status('forgetting')).toBeNull();
  });

  it('A node that is behind finds a request for approval that it has not received', async () => {
    const [here, there] = kyselys.map((database) => new SqlApprovalStore({ database }));
    const record = newRecord();
    await there!.update('unknown', () => null);
    const update = (): ReturnType<SqlApprovalStore['update']> =>
      there!.update(record.id, (stored) => ({ ...stored, state: 'denied' }));
    expect(await whileBehind(() => here!.create(record), update)).toMatchObject({
      isChanged: true,
    });
  });

  it.each(['mariadb', 'mysql'] as const)(
    'Waiting for other nodes as on %s leaves the session as it was',
    async (kind) => {
      await kyselys[1].connection().execute(async (connection) => {
        const execute = async (statement: ReturnType<typeof sql>): Promise<never> =>
          (await statement.execute(connection)) as never;
        await waitForOtherNodes(execute, kind);
        const { rows } = await sql`SELECT @@SESSION.wsrep_sync_wait AS mask`.execute(connection);
        expect(rows).toEqual([{ mask: 0 }]);
        const release = await holdBack();
        let isBehind = true;
        const waiting = waitForOtherNodes(execute, kind).then(() => isBehind);
        await sleep(200);
        isBehind = false;
        await release();
        expect(await waiting).toBe(false);
      });
    },
  );

  describe('events', () => {
    const namespace = 'events';
    const readNewEvents = async (
      reader: BackupCodes,
      from: { cursor: string | null },
    ): Promise<string[]> => {
      const read: string[] = [];
      for (;;) {
        const page = await reader.audit.events({ after: from.cursor, limit: 7 });
        if (page.events.length === 0) return read;
        read.push(...page.events.map(({ id }) => id));
        from.cursor = page.cursor;
      }
    };
    const openReaders = (of: string): BackupCodes[] =>
      stores.map((store) => new BackupCodes({ store, hasher: countingHasher(), namespace: of }));
    const revokedOf = (userId: string): AuditEvent =>
      auditEvent('revoked', {
        at: Date.now(),
        userId,
        namespace,
        context: { ip: null, userAgent: null, requestId: null, actor: null, channel: 'recovery' },
      });

    it('An event that another node commits late is read once, after later ones', async () => {
      const [here, there] = openReaders(namespace);
      const from = { cursor: null };
      const [late, later, last] = ['late', 'later', 'last'].map(revokedOf);
      const transaction = await kyselys[1].startTransaction().execute();
      await insertEvents(TABLES, [late!]).execute(transaction);
      await insertEvents(TABLES, [later!]).execute(kyselys[0]);
      await sleep(WITHHELD_MS);
      expect(await readNewEvents(here!, from)).toEqual([later!.id]);
      await transaction.commit().execute();
      await insertEvents(TABLES, [last!]).execute(kyselys[0]);
      await sleep(WITHHELD_MS);
      // The pool may give the reader another node.
      expect(await readNewEvents(there!, from)).toEqual([late!.id, last!.id]);
      expect(await readNewEvents(here!, from)).toEqual([]);
    });

    it('A reader of small pages receives each event of writers on both nodes once', async () => {
      const [readers, writers] = [openReaders('written'), openReaders('written')];
      const from = { cursor: null };
      const received: string[] = [];
      for (const writer of writers) {
        for (const type of ['issued', 'consumed', 'rejected'] as const) {
          writer.on(type, ({ id }) => received.push(id));
        }
      }
      const writing = new AbortController();
      const written = atOnce(6, async (n) => {
        const writer = writers[n % 2]!;
        for (let call = 0; call < 6; call += 1) {
          const { codes } = await writer.issue(`writer-${n}`);
          for (const code of codes.slice(0, 3)) await writer.consume(`writer-${n}`, code);
        }
      }).finally(() => writing.abort());
      const read: string[] = [];
      for (let round = 0; !writing.signal.aborted; round += 1) {
        read.push(...(await readNewEvents(readers[round % 2]!, from)));
      }
      await written;
      await sleep(WITHHELD_MS);
      for (const reader of readers) read.push(...(await readNewEvents(reader, from)));
      expect(read.sort()).toEqual(received.sort());
    }, 60_000);
  });

  // The last test: the second node is gone after it.
  it('A login on a node that lost the others succeeds if the cluster is back within two seconds', async () => {
    const { codes } = await first.issue('ada');
    const refusals: unknown[] = [];
    const database = new Kysely<unknown>({
      dialect: new MysqlDialect({ pool: pools[0]! }),
      log: ({ level, ...event }) => {
        if (level === 'error') refusals.push((event as { error: unknown }).error);
      },
    });
    const login = serviceOn(new SqlStore({ database }));
    await login.status('ada');
    await cluster().nodes[1].kill();
    const runsStatements = (): Promise<boolean> =>
      sql`SELECT * FROM bystander`.execute(kyselys[0]).then(
        () => true,
        () => false,
      );
    while (await runsStatements()) await sleep(50);
    const outcome = login.consume('ada', codes[0]);
    while (refusals.length < 3) await sleep(10);
    await sql`SET GLOBAL wsrep_provider_options = 'pc.bootstrap=1'`.execute(kyselys[0]);
    expect(await outcome).toMatchObject({ ok: true });
    expect(refusals[0]).toMatchObject({ errno: 1047 });
  }, 60_000);
});
