// What an asynchronous standby loses when it takes over. Replication is stopped first, so that the
// loss is certain.
import type { AuditEvent, BackupCodes } from '../../../lib';
import { describeOnPair } from './failover-app';
import { countConsumed, issueCodes, sendAll } from './many-consumptions';

describeOnPair('a failover with asynchronous replication', (open) => {
  it('codes consumed after the last replicated change work again, until the events are replayed', async () => {
    const { backupCodes, db, pair, failOver } = await open();
    const issued = await issueCodes(backupCodes, { users: 4, each: 5 });
    const replicated = issued.slice(0, 10);
    const usedAgain = issued.slice(10, 15);
    const replayed = issued.slice(15);

    const first = await sendAll(backupCodes, replicated);
    await pair.catchUp();
    await pair.stopReplication();
    first.push(...(await sendAll(backupCodes, [...usedAgain, ...replayed])));
    expect(first.map(({ answer }) => answer)).toEqual(issued.map(() => 'accepted'));
    const exported = await exportEvents(backupCodes);
    await failOver();

    // The standby has only what was replicated.
    const codeIds = first.map(({ codeId }) => codeId ?? '');
    const kept = await countConsumed(db);
    expect([...kept.keys()].sort()).toEqual(codeIds.slice(0, 10).sort());
    expect(await answersOf(backupCodes, replicated)).toEqual(new Set(['reused']));
    expect(await answersOf(backupCodes, usedAgain)).toEqual(new Set(['accepted']));

    await backupCodes.audit.replay(exported);
    expect(await answersOf(backupCodes, issued)).toEqual(new Set(['reused']));
    // The trail shows which codes were accepted twice.
    const events = await countConsumed(db);
    expect(codeIds.map((codeId) => events.get(codeId))).toEqual([
      ...replicated.map(() => 1),
      ...usedAgain.map(() => 2),
      ...replayed.map(() => 1),
    ]);
  });
});

async function answersOf(
  backupCodes: BackupCodes,
  codes: Parameters<typeof sendAll>[1],
): Promise<Set<string>> {
  const sent = await sendAll(backupCodes, codes);
  return new Set(sent.map(({ answer }) => answer));
}

/** As an app stores its events elsewhere: in pages, as JSON. */
async function exportEvents(backupCodes: BackupCodes): Promise<AuditEvent[]> {
  const lines: string[] = [];
  let after: string | null = null;
  for (;;) {
    const page = await backupCodes.audit.events({ after });
    if (page.events.length === 0) return lines.map((line) => JSON.parse(line) as AuditEvent);
    lines.push(...page.events.map((event) => JSON.stringify(event)));
    after = page.cursor;
  }
}
