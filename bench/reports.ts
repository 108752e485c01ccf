// The queries of an operator over a thousand to a million users: the report, the reminders of a
// day, pages of the audit trail, and pruning.
import { Kysely } from 'kysely';
import type { BackupCodes, BackupCodeStore } from '../lib';
import { SqlStore } from '../lib/sql';
import { openBackends, type Backend } from './backends';
import { fillDatabase, fillStore, NOW, RANDOM_KEY_SQL, serviceOn, YEAR_MS } from './sample-year';
import type { Effort } from './sampling';
import type { Row, Table } from './table';

const SIZES = { quick: [1_000, 10_000], full: [1_000, 100_000, 1_000_000] } as const;
/** It would take too long to send a million users to Redis. */
const REDIS_SIZES = { quick: [1_000], full: [1_000, 100_000] } as const;
const PAGES = 20;

export async function* reports(effort: Effort): AsyncGenerator<Table> {
  for await (const backend of openBackends('SQLite', 'PostgreSQL', 'Redis')) {
    const rows: Row[] = [];
    for (const users of (backend.client ? REDIS_SIZES : SIZES)[effort]) {
      const service = serviceOn(await openFilledStore(backend, users));
      rows.push({
        name: `${users.toLocaleString('en')} users`,
        figures: await measureQueries(service),
      });
    }
    yield { title: `${backend.name}: reports, with two events for each user`, rows };
  }
}

async function openFilledStore(backend: Backend, users: number): Promise<BackupCodeStore> {
  if (!backend.openDatabase) {
    const store = await backend.openStore();
    await fillStore(store, users);
    return store;
  }
  const db = new Kysely<unknown>({ dialect: await backend.openDatabase() });
  const { SQLite: onSqlite, PostgreSQL: onPostgres } = RANDOM_KEY_SQL;
  const randomKey = backend.name === 'SQLite' ? onSqlite : onPostgres;
  await fillDatabase(db, { users, randomKey });
  return new SqlStore({ database: db });
}

async function measureQueries(backupCodes: BackupCodes): Promise<Record<string, number>> {
  const { audit } = backupCodes;
  for (let n = 0; n < PAGES; n += 1) await backupCodes.issue(`measured-${n}`);
  const report = await measure(() => audit.report());
  const reminders = await measure(() => audit.recordReminders());
  const remindersAgain = await measure(() => audit.recordReminders());
  const pages = await measure(async () => {
    let after: string | null = null;
    for (let n = 0; n < PAGES; n += 1) after = (await audit.events({ after })).cursor;
  });
  const userPages = await measure(async () => {
    for (let n = 0; n < PAGES; n += 1) {
      await audit.events({ userId: `measured-${n}`, order: 'newest-first' });
    }
  });
  const prune = await measure(() => audit.prune({ before: NOW - YEAR_MS }));
  return {
    'report, s': report.seconds,
    users: report.result.users,
    'reminders, s': reminders.seconds,
    reminders: reminders.result,
    'again, s': remindersAgain.seconds,
    'page of 100, ms': (pages.seconds * 1000) / PAGES,
    'page of a user, ms': (userPages.seconds * 1000) / PAGES,
    'prune, s': prune.seconds,
    pruned: prune.result,
  };
}

async function measure<T>(call: () => Promise<T>): Promise<{ seconds: number; result: T }> {
  const start = process.hrtime.bigint();
  const result = await call();
  return { seconds: Number(process.hrtime.bigint() - start) / 1e9, result };
}
