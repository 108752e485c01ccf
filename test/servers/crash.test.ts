// A process that issues and consumes is killed at random points. Each call is done as a whole or
// not at all.
import { randomInt, randomUUID } from 'node:crypto';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { describeOn } from '../helpers/sql-databases';
import { receive, startWorker, stop, type WorkerReport } from '../helpers/workers';
import { readTables } from './crash-checks';

/** For each database. */
const KILLS = 60;
/**
 * An issue is 7 statements and a consumption 10, so a kill hits any point of the first few calls.
 */
const MAX_STATEMENTS = 60;
/** Ends a test that hangs. On a busy machine each of the processes takes seconds to start. */
const TIMEOUT_MS = 900_000;

for (const kind of ['SQLite', 'PostgreSQL'] as const) {
  describeOn(kind, `a process on ${kind}`, (database) => {
    it(
      `A process that is killed ${KILLS} times leaves whole sets and matching events`,
      async () => {
        const { connection, connect } = database();
        const db = connect();
        await createTables({ database: db });
        const users = Array.from({ length: 4 }, () => `user-${randomUUID()}`);
        const reported = { issued: new Set<string>(), consumed: new Set<string>() };
        let next = startWorker();
        for (let kill = 0; kill < KILLS; kill += 1) {
          const worker = next;
          next = startWorker();
          worker.on('message', ({ done, setId, codeId }: WorkerReport) => {
            if (done !== 'statement') reported[done].add(setId ?? codeId ?? '');
          });
          worker.send({ connection, attempts: { free: 50 }, users });
          // Every second worker consumes first, so the count below does not depend on how fast the
          // machine is.
          if (kill % 2 === 1) await receive(worker, 1, 'consumed');
          await receive(worker, randomInt(1, MAX_STATEMENTS), 'statement');
          await stop(worker);
        }
        await stop(next);

        const { trail, rows, sets } = await readTables(db);
        expect(sets).toEqual(users.map(() => ({ isWhole: true, isCounted: true })));
        expect(trail).toEqual(rows);
        expect(new Set(trail.consumed).size).toBe(trail.consumed.length);
        expect([...reported.issued].filter((setId) => !trail.issued.includes(setId))).toEqual([]);
        expect([...reported.consumed].filter((codeId) => !trail.consumed.includes(codeId))).toEqual(
          [],
        );
        expect(reported.consumed.size).toBeGreaterThan(KILLS / 20);

        const backupCodes = new BackupCodes({
          store: new SqlStore({ database: db }),
          hasher: countingHasher(),
        });
        for (const user of users) {
          const { codes } = await backupCodes.issue(user);
          expect(await backupCodes.consume(user, codes[0])).toMatchObject({
            ok: true,
            remaining: 9,
          });
        }
      },
      TIMEOUT_MS,
    );
  });
}
