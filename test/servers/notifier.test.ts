// A notifier that continues from a saved cursor delivers each event at least once, even if it is
// killed often.
import { fork, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { createTables } from '../../lib/sql';
import { describeOn } from '../helpers/sql-databases';
import { receive, startWorker, stop } from '../helpers/workers';

const KILLS = 20;
const PAGE = 10;
/** The start, and up to three pages: each event and each saved cursor is a step. */
const MAX_STEPS = 1 + 3 * (PAGE + 1);
/** Ends a test that hangs. On a busy machine each of the processes takes seconds to start. */
const TIMEOUT_MS = 600_000;

for (const { kind, order } of [
  { kind: 'SQLite', order: sql.raw('seq') },
  { kind: 'PostgreSQL', order: sql.raw('tx, seq') },
] as const) {
  describeOn(kind, `a notifier on ${kind}`, (database) => {
    const dir = mkdtempSync(join(tmpdir(), 'backup-codes-notifier-'));
    const [delivered, saved] = [join(dir, 'delivered'), join(dir, 'saved')];
    const children: ChildProcess[] = [];
    afterAll(async () => {
      await Promise.all(children.map(stop));
      rmSync(dir, { recursive: true });
    });
    const started = (child: ChildProcess): ChildProcess => {
      children.push(child);
      return child;
    };
    const startNotifier = (): ChildProcess =>
      started(fork(join(__dirname, 'children/notifier.js')));

    it(
      `A notifier that is killed ${KILLS} times delivers all events, in order`,
      async () => {
        const { connection, connect } = database();
        const db = connect();
        await createTables({ database: db });
        const writer = started(startWorker());
        writer.send({ connection, attempts: { free: 50 }, users: ['ada', 'grace', 'alan'] });
        await receive(writer, 1, 'issued');
        let next = startNotifier();
        for (let kill = 0; kill <= KILLS; kill += 1) {
          const notifier = next;
          if (kill < KILLS) next = startNotifier();
          notifier.send({ connection, delivered, saved });
          await receive(notifier, randomInt(1, MAX_STEPS));
          // The second half of the kills interrupts the delivery of what is left.
          if (kill === KILLS / 2) await stop(writer);
          if (kill < KILLS) await stop(notifier);
        }

        const log = await idsIn(db, order);
        const read = (): string[] => readFileSync(delivered, 'utf8').split('\n').slice(0, -1);
        while (!read().includes(log.at(-1)!)) await sleep(50);
        expect([...new Set(read())]).toEqual(log);
        expect(read().length - log.length).toBeLessThan(KILLS * PAGE + 1);
      },
      TIMEOUT_MS,
    );
  });
}

async function idsIn(db: Kysely<unknown>, order: ReturnType<typeof sql.raw>): Promise<string[]> {
  const { rows } = await sql<{
    event_id: string;
  }>`SELECT event_id FROM backup_code_events ORDER BY ${order}`.execute(db);
  return rows.map((row) => row.event_id);
}
