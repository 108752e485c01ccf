// A process that issues and consumes is killed at random points: whatever it was doing is done whole or not at all.
import { once } from 'node:events';
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackupCodes } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';
import { describeOn } from '../helpers/sql-databases';
import { startWorker, stop } from '../helpers/workers';
import { readFacts } from './crash-checks';

/** On each of two databases. */
const KILLS = 60;
const MAX_RUN_MS = 60;

for (const kind of ['SQLite', 'PostgreSQL'] as const) {
  describeOn(kind, `a process on ${kind}`, (database) => {
    it(`killed ${KILLS} times leaves each set whole, no code consumed twice, and events that match the changes`, async () => {
      const { connection, connect } = database();
      const db = connect();
      await createTables(db);
      const users = Array.from({ length: 4 }, () => `user-${randomUUID()}`);
      const told = { issued: new Set<string>(), consumed: new Set<string>() };
      let next = startWorker();
      for (let kill = 0; kill < KILLS; kill += 1) {
        const worker = next;
        next = startWorker();
        worker.on(
          'message',
          ({
            done,
            setId,
            codeId,
          }: {
            done: 'issued' | 'consumed';
            setId?: string;
            codeId?: string;
          }) => {
            told[done].add(setId ?? codeId ?? '');
          },
        );
        worker.send({ connection, attempts: { free: 50 }, users });
        await once(worker, 'message');
        await sleep(randomInt(MAX_RUN_MS));
        await stop(worker);
      }
      await stop(next);

      const { trail, rows, sets } = await readFacts(db);
      expect(sets).toEqual(users.map(() => ({ isWhole: true, isCounted: true })));
      expect(trail).toEqual(rows);
      expect(new Set(trail.consumed).size).toBe(trail.consumed.length);
      expect([...told.issued].filter((setId) => !trail.issued.includes(setId))).toEqual([]);
      expect([...told.consumed].filter((codeId) => !trail.consumed.includes(codeId))).toEqual([]);
      expect(told.consumed.size).toBeGreaterThan(KILLS / 20);

      const backupCodes = new BackupCodes({ store: new SqlStore(db), hasher: countingHasher() });
      for (const user of users) {
        const { codes } = await backupCodes.issue(user);
        expect(await backupCodes.consume(user, codes[0])).toMatchObject({ ok: true, remaining: 9 });
      }
    }, 240_000);
  });
}
