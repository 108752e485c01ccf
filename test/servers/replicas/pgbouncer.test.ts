// SqlStore over two PgBouncer processes in transaction mode: each transaction may run on another
// connection of PostgreSQL.
import { randomUUID } from 'node:crypto';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { BackupCodes, fastHasher, formats } from '../../../lib';
import { SqlStore } from '../../../lib/sql';
import { storeContract } from '../../../lib/testing';
import { readSqlEvents } from '../../helpers/read-events';
import { describeWith, pgbouncer } from '../../helpers/servers';
import { asOneUser } from '../../helpers/service';
import { countConsumed, type IssuedCode } from './many-consumptions';

const ROUNDS = 20;

describeWith(
  pgbouncer,
  'SqlStore over two PgBouncer processes in transaction mode',
  (pooled) => {
    let pools: Pool[] = [];
    let db: Kysely<unknown>;
    let opened = 0;

    beforeAll(() => {
      // Each pool has more connections than its PgBouncer, so that they are shared.
      pools = pooled().bouncers.map(({ url }) => new Pool({ connectionString: url, max: 20 }));
      db = new Kysely({
        dialect: new PostgresDialect({
          pool: new Pool({ connectionString: pooled().postgres.url }),
        }),
      });
    });
    afterAll(async () => {
      for (const pool of pools) await pool.end();
      await db.destroy();
    });
    const openStore = (): SqlStore =>
      new SqlStore({ database: pools[opened++ % pools.length]!, tables: 'create' });

    const openService = (): BackupCodes =>
      new BackupCodes({
        store: openStore(),
        format: formats.long,
        hasher: fastHasher(),
        attempts: { free: 50 },
      });

    storeContract(
      { describe, it },
      {
        connect: () => Promise.resolve({ store: openStore() }),
        readEvents: (userId) => readSqlEvents(db, userId),
        rounds: 2,
      },
    );

    it('over two PgBouncer processes, one of 50 calls with one code is accepted', async () => {
      const services = [openService(), openService()];
      const issued: IssuedCode[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const user = randomUUID();
        const { codes } = await services[0]!.issue(user);
        issued.push({ user, code: codes[0]! });
        const outcomes = await asOneUser(50, (n) => services[n % 2]!.consume(user, codes[0]));
        expect(
          outcomes.map((outcome) => (outcome.ok ? 'accepted' : outcome.reason)).sort(),
        ).toEqual(['accepted', ...new Array<string>(49).fill('reused')]);
      }
      // Other tests replay events, and a replayed consumption has an event of its own.
      const events = [...(await countConsumed(db, issued)).values()];
      expect(new Set(events)).toEqual(new Set([1]));
    });

    it('over two PgBouncer processes, ten codes of a user are all accepted at once', async () => {
      const services = [openService(), openService()];
      for (let round = 0; round < ROUNDS; round += 1) {
        const user = randomUUID();
        const { codes } = await services[0]!.issue(user);
        const outcomes = await asOneUser(10, (n) => services[n % 2]!.consume(user, codes[n]));
        expect(outcomes.map(({ ok }) => ok)).toEqual(codes.map(() => true));
        expect(await services[1]!.status(user)).toMatchObject({ remaining: 0 });
      }
    });
  },
  { poolModes: ['transaction', 'transaction'] },
);
