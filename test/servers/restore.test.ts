// Restores on real servers: PostgreSQL and MariaDB from a dump of the tables, PostgreSQL also into a
// younger cluster, and Redis from an older copy of its files and after a flush.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, MysqlDialect, PostgresDialect, sql } from 'kysely';
import { createPool } from 'mysql2';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { BackupCodes, type BackupCodeStore } from '../../lib';
import { RedisStore } from '../../lib/redis';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { restoreTests, type RestorableData, type RestorableStore } from '../helpers/restore-tests';
import { describeWith, mariadb, postgres, redis } from '../helpers/servers';

type Db = Kysely<unknown>;
type Rows = ReadonlyMap<string, readonly Record<string, unknown>[]>;

const TABLES = [
  'backup_code_users',
  'backup_code_networks',
  'backup_codes',
  'backup_code_events',
  'backup_code_keys',
];
/** MySQL and MariaDB withhold an event for two seconds. */
const WITHHELD_MS = 2_100;

const opened: { destroy(): Promise<void> }[] = [];
afterAll(async () => {
  for (const db of opened) await db.destroy();
});

function openPostgres(url: string): Db {
  const pool = new Pool({ connectionString: url, max: 5 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return keep(new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) }));
}

function openMariadb(url: string): Db {
  const pool = createPool({ uri: url, connectionLimit: 5 });
  return keep(new Kysely<unknown>({ dialect: new MysqlDialect({ pool }) }));
}

function keep(db: Db): Db {
  opened.push(db);
  return db;
}

/** Every column of every row, as a dump has them. */
async function dump(db: Db): Promise<Rows> {
  const rows = new Map<string, readonly Record<string, unknown>[]>();
  for (const table of TABLES) {
    const result = await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(table)}`.execute(
      db,
    );
    rows.set(table, result.rows);
  }
  return rows;
}

async function load(db: Db, rows: Rows): Promise<void> {
  await createTables({ database: db });
  for (const [table, ofTable] of rows) {
    for (const row of ofTable) {
      const columns = Object.keys(row).map((name) => sql.ref(name));
      await sql`
        INSERT INTO ${sql.table(table)} (${sql.join(columns)})
        VALUES (${sql.join(Object.values(row))})`.execute(db);
    }
  }
}

/** A dump of PostgreSQL also has the last value of the sequence. */
async function loadPostgres(db: Db, rows: Rows): Promise<void> {
  await load(db, rows);
  const sequence = sql`pg_get_serial_sequence('backup_code_events', 'seq')`;
  await sql`SELECT setval(${sequence}, (SELECT MAX(seq) FROM backup_code_events))`.execute(db);
}

/** A database that is dumped, and loaded into the next one. */
function dumpedData(first: Db, openNext: (rows: Rows) => Promise<Db>): RestorableData {
  let rows: Rows = new Map();
  return {
    store: new SqlStore({ database: first }),
    copy: async () => {
      rows = await dump(first);
    },
    restore: async () => new SqlStore({ database: await openNext(rows) }),
  };
}

/** With their owner, who may be another user than that of the tests. */
function copyFiles(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

/** Ends that many transactions, so that the cluster is older than a new one. */
async function age(db: Db, transactions: number): Promise<void> {
  await sql
    .raw(
      `DO $$ BEGIN
        FOR n IN 1..${transactions} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP;
      END $$`,
    )
    .execute(db);
}

describeWith(postgres, 'a restore of PostgreSQL from a dump', (server) => {
  let databases = 0;
  const nextDatabase = async (): Promise<Db> => {
    databases += 1;
    return openPostgres(await server().createDatabase(`restore_${databases}`));
  };
  restoreTests({
    open: async () => {
      const first = await nextDatabase();
      await createTables({ database: first });
      return dumpedData(first, async (rows) => {
        const next = await nextDatabase();
        await loadPostgres(next, rows);
        return next;
      });
    },
  });
});

describeWith(postgres, 'a dump of PostgreSQL in a younger cluster', (older) => {
  describeWith(postgres, 'the younger one', (younger) => {
    let databases = 0;
    const moveToYounger = async () => {
      databases += 1;
      const from = openPostgres(await older().createDatabase(`old_${databases}`));
      await createTables({ database: from });
      await age(from, 20_000);
      const before = serviceOn(new SqlStore({ database: from }));
      for (const userId of ['ada', 'bob', 'carol']) await before.issue(userId);
      const { cursor } = await before.audit.events();
      const to = openPostgres(await younger().createDatabase(`new_${databases}`));
      await loadPostgres(to, await dump(from));
      return { backupCodes: serviceOn(new SqlStore({ database: to })), cursor };
    };
    const eventsOf = async (backupCodes: BackupCodes): Promise<string[]> => {
      const { events } = await backupCodes.audit.events();
      return events.map(({ type, userId }) => `${type} ${String(userId)}`);
    };

    it('events with a transaction id of the future hide neither themselves nor new events', async () => {
      const { backupCodes } = await moveToYounger();
      expect(await eventsOf(backupCodes)).toEqual(['issued ada', 'issued bob', 'issued carol']);
      const { cursor } = await backupCodes.audit.events();
      await backupCodes.revoke('ada');
      const { events } = await backupCodes.audit.events({ after: cursor });
      expect(events.map(({ type }) => type)).toEqual(['revoked']);
      const newest = await backupCodes.audit.events({ order: 'newest-first', limit: 1 });
      expect(newest.events.map(({ type }) => type)).toEqual(['revoked']);
    });

    it('a page with the newest event first is not hidden behind events of the future', async () => {
      const { backupCodes } = await moveToYounger();
      await backupCodes.revoke('ada');
      expect((await eventsOf(backupCodes)).sort()).toEqual([
        'issued ada',
        'issued bob',
        'issued carol',
        'revoked ada',
      ]);
    });

    it('a reader that has new events receives the moved ones too', async () => {
      const { backupCodes } = await moveToYounger();
      await backupCodes.revoke('ada');
      const types: string[] = [];
      for (let after: string | null = null; ;) {
        const page = await backupCodes.audit.events({ after, limit: 1 });
        if (page.events.length === 0) break;
        types.push(...page.events.map(({ type }) => type));
        after = page.cursor;
      }
      expect(types.sort()).toEqual(['issued', 'issued', 'issued', 'revoked']);
    });

    it('a cursor with a transaction id of the future is refused, before and after the move', async () => {
      const { backupCodes, cursor } = await moveToYounger();
      for (let round = 1; round <= 2; round += 1) {
        await expect(backupCodes.audit.events({ after: cursor })).rejects.toMatchObject({
          code: 'cursor_ahead',
        });
        await eventsOf(backupCodes);
      }
    });
  });
});

describeWith(postgres, 'numbers that PostgreSQL skipped in a crash', (server) => {
  it('an event with a higher number and a lower transaction id than a lost one is read', async () => {
    const db = openPostgres(await server().createDatabase('skipped'));
    await createTables({ database: db });
    const backupCodes = serviceOn(new SqlStore({ database: db }));
    await backupCodes.issue('ada');
    await backupCodes.issue('lost');
    const { cursor } = await backupCodes.audit.events();
    // After a crash the sequence skips up to 32 numbers, and transaction ids are given again.
    await sql`DELETE FROM backup_code_events WHERE user_id = 'lost'`.execute(db);
    await backupCodes.issue('bob');
    await sql`
      UPDATE backup_code_events
      SET tx = (SELECT MIN(tx) FROM backup_code_events)
      WHERE user_id = 'bob'`.execute(db);
    const { events } = await backupCodes.audit.events({ after: cursor });
    expect(events.map(({ userId }) => userId)).toEqual(['bob']);
  });
});

describeWith(mariadb, 'a restore of MariaDB from a dump', (server) => {
  let databases = 0;
  const nextDatabase = async (): Promise<Db> => {
    databases += 1;
    return openMariadb(await server().createDatabase(`restore_${databases}`));
  };
  restoreTests({
    open: async () => {
      const first = await nextDatabase();
      await createTables({ database: first });
      return dumpedData(first, async (rows) => {
        const next = await nextDatabase();
        await load(next, rows);
        return next;
      });
    },
    settle: () => sleep(WITHHELD_MS),
  });
});

describeWith(redis, 'a restore of Redis from an older copy of its files', (server) => {
  const clients: { close(): unknown }[] = [];
  const connect = async (): Promise<RestorableStore> => {
    const client = await createClient({ url: server().url })
      .on('error', () => undefined)
      .connect();
    clients.push(client);
    return new RedisStore({ client });
  };
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  const flush = async (): Promise<void> => {
    const client = await createClient({ url: server().url }).connect();
    await client.flushAll();
    await client.close();
  };

  restoreTests({
    reusesPositions: false,
    open: async () => {
      await flush();
      const files = join(server().dir, 'appendonlydir');
      const copy = join(server().dir, 'copy');
      return {
        store: await connect(),
        copy: () => {
          rmSync(copy, { recursive: true, force: true });
          copyFiles(files, copy);
          return Promise.resolve();
        },
        restore: async () => {
          for (const client of clients.splice(0)) client.close();
          await server().kill();
          rmSync(files, { recursive: true });
          copyFiles(copy, files);
          await server().restart();
          return connect();
        },
      };
    },
  });

  it('After Redis was flushed a cursor is refused, and a replay ends what users had', async () => {
    await flush();
    const backupCodes = serviceOn(await connect());
    const { codes } = await backupCodes.issue('ada');
    const { events, cursor } = await backupCodes.audit.events();
    await flush();
    await expect(backupCodes.audit.events({ after: cursor })).rejects.toMatchObject({
      code: 'cursor_ahead',
    });
    expect(await backupCodes.audit.replay(events)).toMatchObject({
      written: 1,
      usersWithoutSet: ['ada'],
    });
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ reason: 'none' });
  });
});

function serviceOn(store: BackupCodeStore): BackupCodes {
  return new BackupCodes({ store, hasher: countingHasher() });
}
