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
      it('no consumption that was answered is lost, and no code is accepted twice', async () => {
        const { backupCodes, db, failOver } = await open();
        const issued = await issueCodes(backupCodes, { users: USERS, each: CODES_OF_A_USER });

        let failedOver = Promise.resolve();
        const before = await sendAll(backupCodes, issued, {
          onAccepted: (count) => {
            if (count === ACCEPTED_BEFORE) failedOver = failOver();
          },
        });
        await failedOver;
        const after = await sendAll(backupCodes, issued);

        const accepted = before.filter(({ answer }) => answer === 'accepted');
        expect(accepted.length).toBeGreaterThanOrEqual(ACCEPTED_BEFORE);
        expect(before.filter(({ answer }) => answer === 'no_answer')).not.toEqual([]);
        for (const [n, { answer }] of before.entries()) {
          if (answer === 'accepted') expect(after[n]).toMatchObject({ answer: 'reused' });
          else expect(['accepted', 'reused']).toContain(after[n]!.answer);
        }
        const events = await countConsumed(db);
        expect(accepted.filter(({ codeId }) => events.get(codeId ?? '') !== 1)).toEqual([]);
        expect([...events.values()]).toEqual(issued.map(() => 1));
      });
    },
    { commit },
  );
}
