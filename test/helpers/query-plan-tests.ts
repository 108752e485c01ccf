// The plan of each statement of a login, as the store sends it, in tables that have some thousand
// rows and were analysed.
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type CompiledQuery, type Kysely, type LogEvent } from 'kysely';
import { BackupCodes, formats, type BackupCodesOptions } from '../../lib';
import { SqlStore } from '../../lib/sql';
import { userKey } from '../../lib/stores/subject';
import { DAY_MS, fakeClock } from './clock';
import { countingHasher } from './counting-hasher';
import { WRONG_ON_BOTH } from './service';

export type PlanDialect = 'sqlite' | 'postgres' | 'mysql';

export interface PlannedDatabase {
  readonly dialect: PlanDialect;
  /** Its `log` option calls `listener`. The tables exist. */
  readonly kysely: Kysely<unknown>;
  /** Receives each statement. */
  readonly statements: CompiledQuery[];
  explain(statement: string, parameters: readonly unknown[]): Promise<readonly unknown[]>;
}

/** For the `log` option of a Kysely: keeps statements that read or change rows of the store. */
export function recordIn(statements: CompiledQuery[]): (event: LogEvent) => void {
  return ({ query }) => {
    const isOfStore = query.sql.includes('backup_code');
    if (isOfStore && /^\s*(?:SELECT|INSERT|UPDATE|DELETE)\b/.test(query.sql))
      statements.push(query);
  };
}

const USERS = 3000;
/** A user whose recovery was tried from many networks. */
const ATTACKED = 'eve';
const CODES_OF_A_USER = 3;
const ROWS_AT_ONCE = 500;
const CONTEXT = { ip: '203.0.113.7' };
/** The only statement that looks for times: it removes counters in the background. */
const isSweep = ({ sql: text }: CompiledQuery): boolean => /DELETE FROM \S*networks/.test(text);

export function queryPlanTests(open: () => Promise<PlannedDatabase>): void {
  let database: PlannedDatabase;
  const clock = fakeClock();
  const service = (options: Partial<BackupCodesOptions> = {}): BackupCodes =>
    new BackupCodes({
      store: new SqlStore({ database: database.kysely }),
      hasher: countingHasher(),
      format: formats.recovery,
      now: clock.now,
      ...options,
    });

  beforeAll(async () => {
    database = await open();
    // The statistics know no time that is still to come. Then few rows seem to be live, and in
    // truth all are.
    await fill(database.kysely, { prefix: 'old', at: clock.now() - 30 * DAY_MS });
    await analyze(database);
    await fill(database.kysely, { prefix: 'new', at: clock.now() });
  });

  /** What the statements of the work do besides finding rows by a key. */
  const otherThanByKey = async (work: () => Promise<unknown>): Promise<string[]> => {
    const { statements } = database;
    statements.length = 0;
    await work();
    const sent = statements.filter((statement) => !isSweep(statement));
    expect(sent.length).toBeGreaterThan(0);
    const found: string[] = [];
    for (const statement of sent) found.push(...(await scansOf(database, statement)));
    return found;
  };

  for (const channel of ['second_factor', 'recovery'] as const) {
    const context = { ...CONTEXT, channel };

    it(`on ${channel}, a valid, a consumed and an invalid code find their rows by a key`, async () => {
      const backupCodes = service();
      const { codes } = await backupCodes.issue(`ada ${channel}`);
      const consume = (code?: string) => backupCodes.consume(`ada ${channel}`, code, context);
      expect(
        await otherThanByKey(async () => {
          expect(await consume(codes[0])).toMatchObject({ ok: true });
          expect(await consume(codes[0])).toMatchObject({ reason: 'reused' });
          expect(await consume(WRONG_ON_BOTH)).toMatchObject({ reason: 'mismatch' });
        }),
      ).toEqual([]);
    });

    it(`on ${channel}, a code that is sent again for its login finds its rows by a key`, async () => {
      const backupCodes = service();
      const { codes } = await backupCodes.issue(`joan ${channel}`);
      const consume = () =>
        backupCodes.consume(`joan ${channel}`, codes[0], { ...context, loginId: 'one login' });
      expect(
        await otherThanByKey(async () => {
          expect(await consume()).toMatchObject({ ok: true, remaining: 9 });
          expect(await consume()).toMatchObject({ ok: true, remaining: 9 });
        }),
      ).toEqual([]);
    });

    it(`on ${channel}, attempts during a wait find their rows by a key`, async () => {
      const backupCodes = service();
      await backupCodes.issue(`bob ${channel}`);
      const guess = () => backupCodes.consume(`bob ${channel}`, WRONG_ON_BOTH, context);
      expect(
        await otherThanByKey(async () => {
          for (let n = 0; n < 8; n += 1) await guess();
          expect(await guess()).toMatchObject({ reason: 'throttled' });
        }),
      ).toEqual([]);
    });

    it(`on ${channel}, an attempt that is given back finds its rows by a key`, async () => {
      const backupCodes = service({ assessRisk: () => 'deny' });
      const { codes } = await backupCodes.issue(`grace ${channel}`);
      expect(
        await otherThanByKey(async () => {
          const outcome = await backupCodes.consume(`grace ${channel}`, codes[0], context);
          expect(outcome).toMatchObject({ reason: 'denied' });
        }),
      ).toEqual([]);
    });

    it(`on ${channel}, an attempt of a user without codes finds its rows by a key`, async () => {
      expect(
        await otherThanByKey(() =>
          service().consume(`without codes ${channel}`, WRONG_ON_BOTH, context),
        ),
      ).toEqual([]);
    });

    it(`unlocking ${channel} finds its rows by a key`, async () => {
      const backupCodes = service();
      await backupCodes.issue(ATTACKED);
      await backupCodes.consume(ATTACKED, WRONG_ON_BOTH, context);
      expect(
        await otherThanByKey(() => backupCodes.unlock(ATTACKED, channel, { actor: 'ada' })),
      ).toEqual([]);
    });
  }

  it('issuing, staging and activating a set find their rows by a key', async () => {
    const backupCodes = service();
    await backupCodes.issue('lin');
    expect(
      await otherThanByKey(async () => {
        await backupCodes.issue('lin');
        const { setId } = await backupCodes.stage('lin');
        expect(await backupCodes.activate('lin', setId)).toBe(true);
      }),
    ).toEqual([]);
  });

  it('the last attempt on second_factor, which locks it, finds its rows by a key', async () => {
    const backupCodes = service();
    await backupCodes.issue('mallory');
    const guess = async () => {
      clock.advance(DAY_MS);
      return backupCodes.consume('mallory', WRONG_ON_BOTH, CONTEXT);
    };
    for (let n = 0; n < 49; n += 1) await guess();
    expect(
      await otherThanByKey(async () => {
        expect(await guess()).toMatchObject({ reason: 'mismatch' });
        expect(await guess()).toMatchObject({ reason: 'locked' });
      }),
    ).toEqual([]);
  });

  it('a new unknown user name removes expired counters in the background, 500 at a time', async () => {
    const { dialect, kysely, statements, explain } = database;
    const now = clock.now();
    const countExpired = async (): Promise<number> => {
      const { rows } = await sql<{ readonly count: unknown }>`
        SELECT COUNT(*) AS count
        FROM backup_code_networks
        WHERE forget_at <= ${now}`.execute(kysely);
      return Number(rows[0]!.count);
    };
    const expired = await countExpired();
    expect(expired).toBeGreaterThanOrEqual(2 * USERS);
    statements.length = 0;
    await service().rejectUnknownUser('the first stranger', WRONG_ON_BOTH, CONTEXT);
    while ((await countExpired()) > 0) await sleep(10);
    const sweeps = statements.filter(isSweep);
    expect(sweeps.length).toBeGreaterThanOrEqual(Math.ceil(expired / 500));
    const [first] = sweeps;
    const plan = await explain(`${EXPLAIN[dialect]} ${first!.sql}`, first!.parameters);
    expect(JSON.stringify(plan)).toContain('backup_code_networks_forgotten');
  });

  it('an unknown user name finds its rows by a key, and during a wait too', async () => {
    const backupCodes = service();
    const guess = () => backupCodes.rejectUnknownUser('a stranger', WRONG_ON_BOTH, CONTEXT);
    // The first attempt of all reads the key of unknown names, which is one row.
    await guess();
    expect(
      await otherThanByKey(async () => {
        for (let n = 0; n < 8; n += 1) await guess();
        expect(await guess()).toMatchObject({ reason: 'throttled' });
      }),
    ).toEqual([]);
  });
}

interface FilledRows {
  readonly prefix: string;
  readonly at: number;
}

/** Users with a set, its codes, an event and a counter each, and as many unknown names. */
async function fill(kysely: Kysely<unknown>, { prefix, at }: FilledRows): Promise<void> {
  const numbers = [...new Array(USERS).keys()];
  const keyOf = (n: number): string => `${prefix}-${n}`;
  await insert(
    kysely,
    'backup_code_users',
    numbers.map((n) => ({
      user_key: keyOf(n),
      user_id: keyOf(n),
      set_id: `set-${keyOf(n)}`,
      created_at: at + n,
      expires_at: at + n + 365 * DAY_MS,
      total: CODES_OF_A_USER,
      remaining: CODES_OF_A_USER,
    })),
  );
  await insert(
    kysely,
    'backup_codes',
    numbers.flatMap((n) =>
      [...new Array(CODES_OF_A_USER).keys()].map((code) => ({
        code_id: `${keyOf(n)}-${code}`,
        user_key: keyOf(n),
        set_id: `set-${keyOf(n)}`,
        created_at: at + n,
      })),
    ),
  );
  await insert(
    kysely,
    'backup_code_events',
    numbers.map((n) => ({
      event_id: `event-${keyOf(n)}`,
      type: 'issued',
      at: at + n,
      user_key: keyOf(n),
      channel: 'recovery',
    })),
  );
  await insert(
    kysely,
    'backup_code_networks',
    numbers.flatMap((n) =>
      [keyOf(n), n % 10 === 0 ? userKey(ATTACKED, null) : `name-${keyOf(n)}`].map((key) => ({
        user_key: key,
        network: `${prefix}-${n}`,
        attempts: 1,
        next_at: 0,
        generation: 0,
        forget_at: at + n + DAY_MS,
      })),
    ),
  );
}

async function insert(
  kysely: Kysely<unknown>,
  table: string,
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const some = rows.slice(from, from + ROWS_AT_ONCE);
    const columns = Object.keys(some[0]!);
    const values = some.map((row) => sql`(${sql.join(columns.map((name) => row[name]))})`);
    await sql`
      INSERT INTO ${sql.id(table)} (${sql.join(columns.map((name) => sql.id(name)))})
      VALUES ${sql.join(values)}`.execute(kysely);
  }
}

const TABLES = ['backup_code_users', 'backup_codes', 'backup_code_events', 'backup_code_networks'];

async function analyze({ dialect, kysely }: PlannedDatabase): Promise<void> {
  if (dialect === 'mysql') await sql.raw(`ANALYZE TABLE ${TABLES.join(', ')}`).execute(kysely);
  else await sql.raw('ANALYZE').execute(kysely);
}

type PlanRow = Readonly<Record<string, unknown>>;

const EXPLAIN = {
  sqlite: 'EXPLAIN QUERY PLAN',
  postgres: 'EXPLAIN (FORMAT JSON)',
  mysql: 'EXPLAIN',
} as const;

/** Each part of the plan that finds rows otherwise than by a key, with its statement. */
async function scansOf(
  { dialect, explain }: PlannedDatabase,
  { sql: text, parameters }: CompiledQuery,
): Promise<string[]> {
  const plan = await explain(`${EXPLAIN[dialect]} ${text}`, parameters);
  const scans = { sqlite: scansOfSqlite, postgres: scansOfPostgres, mysql: scansOfMysql }[dialect];
  return scans(plan as PlanRow[]).map((scan) => `${scan}: ${text.replace(/\s+/g, ' ')}`);
}

/** `SEARCH … USING INDEX … (user_key=? AND …)` is by a key. */
function scansOfSqlite(rows: readonly PlanRow[]): string[] {
  return rows
    .map(({ detail }) => String(detail))
    .filter((detail) => /^(?:SCAN|SEARCH)\b/.test(detail))
    .filter((detail) => !/^SCAN (?:\d+ )?CONSTANT ROWS?/.test(detail))
    .filter((detail) => !/^SEARCH .*\((?:user_key|code_id|event_id)=\?/.test(detail));
}

interface PostgresNode {
  readonly 'Node Type': string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PostgresNode[];
}

/** The condition of each index begins with an equality of a key. */
function scansOfPostgres(rows: readonly PlanRow[]): string[] {
  const [{ Plan }] = rows[0]!['QUERY PLAN'] as [{ Plan: PostgresNode }];
  const nodesOf = (node: PostgresNode): PostgresNode[] => [
    node,
    ...(node.Plans ?? []).flatMap(nodesOf),
  ];
  return nodesOf(Plan)
    .filter((node) => / Scan$/.test(node['Node Type']))
    .filter((node) => !/^(?:Values|Bitmap Heap|CTE|Subquery) Scan$/.test(node['Node Type']))
    .filter(
      (node) =>
        !/^\(+(?:user_key|code_id|event_id)\)?(?:::text)? = /.test(node['Index Cond'] ?? ''),
    )
    .map((node) => `${node['Node Type']} ${node['Index Cond'] ?? ''}`);
}

const KEYS: readonly unknown[] = [
  'PRIMARY',
  'event_id',
  'backup_codes_set',
  'backup_code_events_user',
];

/** An INSERT reads no rows. An UPDATE by a key is a range of one row. */
function scansOfMysql(rows: readonly PlanRow[]): string[] {
  return rows
    .filter(({ rows: count }) => count !== null)
    .filter(({ type }) => type !== 'const' && type !== 'system')
    .filter(({ type, key }) => type === 'ALL' || type === 'index' || !KEYS.includes(key))
    .map((row) => `${String(row['type'])} ${String(row['key'])} of ${String(row['table'])}`);
}
