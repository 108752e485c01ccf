// Counts over all users for `audit.report`, one partition after the other.
import type { Report, ReportRequest } from '../stores/audit-contract';
import { ReportBuilder } from '../stores/report-builder';
import { readStream } from './event-stream';
import { PARTITIONS } from './keys';
import type { RedisKeyspace } from './redis-options';
import { readUsersWithSets } from './users-with-sets';

/** How many events one script reads. */
const BATCH = 500;

export async function buildReport(
  keyspace: RedisKeyspace,
  request: ReportRequest,
): Promise<Report> {
  const report = new ReportBuilder(request);
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    await addSets(report, keyspace, { partition, lockAfter: request.lockAfter });
    await addEvents(report, keyspace, { partition, since: request.since });
  }
  return report.build();
}

async function addSets(
  report: ReportBuilder,
  keyspace: RedisKeyspace,
  { partition, lockAfter }: { readonly partition: number; readonly lockAfter: number },
): Promise<void> {
  for await (const users of readUsersWithSets(keyspace, { partition, maxScore: Infinity })) {
    for (const user of users) {
      const isLocked = user.lockedAt !== null || user.attempts >= lockAfter;
      report.addSet({ ...user, isLocked });
    }
  }
}

/** Reads the newest first, until a whole batch is older than the report. */
async function addEvents(
  report: ReportBuilder,
  keyspace: RedisKeyspace,
  { partition, since }: { readonly partition: number; readonly since: number },
): Promise<void> {
  let from = '';
  for (;;) {
    const { entries, last } = await readStream(keyspace, {
      partition,
      order: 'newest-first',
      from,
      count: BATCH,
      subject: null,
      types: null,
    });
    for (const { event } of entries) report.addEvent(event);
    if (entries.every(({ event }) => event.at < since)) return;
    from = last;
  }
}
