// A PostgreSQL primary that is killed while many users log in, and the standby that takes over.
import { describeOnPair } from './failover-app';
import { countConsumed, issueCodes, sendAll } from './many-consumptions';

const USERS = 30;
/** The hash queue takes no more of one user at once. */
const CODES_OF_A_USER = 5;
/** The primary is killed when so many codes were accepted. */
const ACCEPTED_BEFORE = 40;

for (const commit of ['on', 'remote_apply'] as const) {
  describeOnPair(
    `a failover with synchronous_commit = ${commit}`,
    (open) => {
      it('no answered consumption is lost, and no code is accepted in two logins', async () => {
        const { backupCodes, db, failOver } = await open();
        const issued = await issueCodes(backupCodes, { users: USERS, each: CODES_OF_A_USER });

        let failedOver = Promise.resolve();
        const before = await sendAll(backupCodes, issued, {
          login: 'first',
          onAccepted: (count) => {
            if (count === ACCEPTED_BEFORE) failedOver = failOver();
          },
        });
        await failedOver;
        const isAccepted = before.map(({ codeId }) => codeId !== null);
        expect(isAccepted.filter(Boolean).length).toBeGreaterThanOrEqual(ACCEPTED_BEFORE);
        expect(isAccepted).toContain(false);

        // Each owner sends the code again, in the login that is still pending.
        const again = await sendAll(backupCodes, issued, { login: 'first' });
        expect(again.filter(({ codeId }) => codeId === null)).toEqual([]);
        const forgotten = again.filter(({ answer }, n) => isAccepted[n] && answer !== 'repeated');
        expect(forgotten).toEqual([]);

        const inOtherLogins = await sendAll(backupCodes, issued, { login: 'second' });
        expect(new Set(inOtherLogins.map(({ answer }) => answer))).toEqual(new Set(['reused']));
        const events = await countConsumed(db);
        expect(again.map(({ codeId }) => events.get(codeId ?? ''))).toEqual(issued.map(() => 1));
        expect(events.size).toBe(issued.length);
      });
    },
    { commit },
  );
}
