// What a statement on PostgreSQL does that waits for the lock of a user, and finds the user changed.
// Its snapshot is older than the change.
import { setTimeout as sleep } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import { createTables, SqlStore } from '../../lib/sql';
import {
  issueSet,
  newConsumeRequest,
  newEvent,
  newSet,
  newCode,
  NOW,
  takeGrantedAttempt,
  type UserSet,
} from '../../lib/testing/samples';
import { readSqlEvents } from '../helpers/read-events';
import { describeOn } from '../helpers/sql-databases';

for (const isolation of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] as const) {
  describeOn(
    'PostgreSQL',
    `a statement that waits on PostgreSQL, whose default is ${isolation}`,
    (database) => {
      let db: Kysely<unknown>;
      let store: SqlStore;

      beforeAll(async () => {
        db = database().connect();
        await createTables({ database: db });
        store = new SqlStore({ database: db });
      });

      const waitForLocks = async (count: number): Promise<void> => {
        for (;;) {
          const { rows } = await sql`SELECT pid FROM pg_locks WHERE NOT granted`.execute(db);
          if (rows.length >= count) return;
          await sleep(10);
        }
      };

      /** Lets both calls wait for the lock of the user, and the first one get it first. */
      const runInOrder = async <A, B>(
        { subject }: UserSet,
        calls: { readonly first: () => Promise<A>; readonly second: () => Promise<B> },
      ): Promise<[A, B]> => {
        const holder = await db.startTransaction().execute();
        await sql`
          SELECT user_key
          FROM backup_code_users
          WHERE user_key = ${subject.key}
          FOR UPDATE`.execute(holder);
        const first = calls.first();
        await waitForLocks(1);
        const second = calls.second();
        await waitForLocks(2);
        await holder.rollback().execute();
        return Promise.all([first, second]);
      };

      const revoke = ({ subject }: UserSet) =>
        store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
      const typesOf = async ({ subject }: UserSet) =>
        (await readSqlEvents(db, subject.userId)).map(({ type, remaining }) => [type, remaining]);

      it('an attempt that waits for a revocation finds no set', async () => {
        const set = await issueSet(store);
        const [, { ticket, current }] = await runInOrder(set, {
          first: () => revoke(set),
          second: () => takeGrantedAttempt(store, set.subject),
        });
        expect([ticket.attempt, current]).toEqual([1, null]);
      });

      it('an attempt that waits for a new set finds its codes, in the generation of that set', async () => {
        const set = await issueSet(store);
        const fresh = newSet(set.subject);
        const [, { ticket, current }] = await runInOrder(set, {
          first: () => store.replace({ ...fresh, now: NOW }),
          second: () => takeGrantedAttempt(store, set.subject),
        });
        expect(current?.codes.map(({ digest }) => digest).sort()).toEqual(
          fresh.codes.map(({ digest }) => digest).sort(),
        );
        await store.giveBack({ subject: set.subject, ticket });
        expect((await store.find(set.subject))?.secondFactor.attempts).toBe(0);
      });

      it('an attempt that waits for a consumption finds its code consumed', async () => {
        const set = await issueSet(store);
        const request = newConsumeRequest(set, 0);
        const [, { current }] = await runInOrder(set, {
          first: () => store.consume({ ...request, channel: 'recovery' }),
          second: () => takeGrantedAttempt(store, set.subject),
        });
        const consumed = current?.codes.filter(({ consumedAt }) => consumedAt !== null);
        expect([current?.remaining, consumed?.map(({ codeId }) => codeId)]).toEqual([
          9,
          [request.codeId],
        ]);
      });

      it('a consumption that waits for a revocation consumes and records nothing', async () => {
        const set = await issueSet(store);
        const [, consumption] = await runInOrder(set, {
          first: () => revoke(set),
          second: () => store.consume(newConsumeRequest(set, 0)),
        });
        expect(consumption).toEqual({ outcome: 'gone', reason: 'none' });
        expect((await typesOf(set)).map(([type]) => type)).toEqual(['issued', 'revoked']);
      });

      it('a consumption that waits for another one of the same code finds it consumed', async () => {
        const set = await issueSet(store);
        const consume = () => store.consume(newConsumeRequest(set, 0));
        const [, consumption] = await runInOrder(set, { first: consume, second: consume });
        expect(consumption).toEqual({ outcome: 'already_consumed', consumedAt: NOW });
      });

      it('a consumption that waits for that of another code counts after it', async () => {
        const set = await issueSet(store);
        const [, consumption] = await runInOrder(set, {
          first: () => store.consume(newConsumeRequest(set, 0, { replacement: newCode() })),
          second: () => store.consume(newConsumeRequest(set, 1)),
        });
        expect(consumption).toMatchObject({ outcome: 'consumed', remaining: 9, total: 11 });
        expect(await typesOf(set)).toEqual([
          ['issued', 10],
          ['consumed', 10],
          ['consumed', 9],
        ]);
      });
    },
    { isolation },
  );
}
