// A server that is killed in the middle of attempts, and restarted.
import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackupCodes, type Outcome } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher } from '../helpers/counting-hasher';
import { readSqlEvents } from '../helpers/read-events';
import { describeOn } from '../helpers/sql-databases';

const OUTAGES = 6;

for (const kind of ['PostgreSQL', 'MariaDB'] as const) {
  describeOn(kind, `a ${kind} that is killed during attempts`, (database) => {
    it('Users get in for consumed codes only, and no attempt is counted twice', async () => {
      const db = database().connect();
      await createTables({ database: db });
      const store = new SqlStore({ database: db });
      const backupCodes = new BackupCodes({
        store,
        hasher: countingHasher(),
        attempts: { free: 50 },
      });
      for (let outage = 0; outage < OUTAGES; outage += 1) {
        const user = randomUUID();
        const { codes } = await backupCodes.issue(user);
        const attempts = codes
          .slice(0, 9)
          .map((code): Promise<Outcome | 'threw'> =>
            backupCodes.consume(user, code).catch(() => 'threw' as const),
          );
        await sleep(randomInt(8));
        await database().server!.kill();
        const outcomes = await Promise.all(attempts);
        await database().server!.restart();

        const letIn = outcomes.flatMap((outcome) =>
          outcome !== 'threw' && outcome.ok ? [outcome.codeId] : [],
        );
        const consumed = (await readSqlEvents(db, user))
          .filter(({ type }) => type === 'consumed')
          .map(({ codeId }) => codeId);
        expect(new Set(consumed).size).toBe(consumed.length);
        expect(letIn.filter((codeId) => !consumed.includes(codeId))).toEqual([]);
        const status = await backupCodes.status(user);
        expect(status?.remaining).toBe(10 - consumed.length);
        expect((await store.find(userSubject(user)))!.secondFactor.attempts).toBeLessThanOrEqual(
          attempts.length,
        );
        expect(await backupCodes.consume(user, codes[9])).toMatchObject({
          ok: true,
          remaining: 9 - consumed.length,
        });
      }
    }, 240_000);
  });
}
