// What an asynchronous standby loses when it takes over. Replication is stopped first, so that the
// loss is certain.
import { describeOnPair } from './failover-app';
import { countConsumed, issueCodes, sendAll } from './many-consumptions';

describeOnPair('a failover with asynchronous replication', (open) => {
  it('codes that were consumed after the last replicated change can be used again', async () => {
    const { backupCodes, db, pair, failOver } = await open();
    const issued = await issueCodes(backupCodes, { users: 4, each: 5 });
    const [replicated, lost] = [issued.slice(0, 10), issued.slice(10)];

    const consumed = await sendAll(backupCodes, replicated);
    await pair.catchUp();
    await pair.stopReplication();
    consumed.push(...(await sendAll(backupCodes, lost)));
    expect(consumed.map(({ answer }) => answer)).toEqual(issued.map(() => 'accepted'));
    await failOver();

    const codeIds = await countConsumed(db);
    expect([...codeIds.keys()].sort()).toEqual(
      consumed
        .slice(0, replicated.length)
        .map(({ codeId }) => codeId)
        .sort(),
    );
    const again = await sendAll(backupCodes, issued);
    expect(again.map(({ answer }) => answer)).toEqual([
      ...replicated.map(() => 'reused'),
      ...lost.map(() => 'accepted'),
    ]);
  });
});
