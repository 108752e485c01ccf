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
    await addSets(report, keyspace, { partition, request });
    await addEvents(report, keyspace, { partition, request });
  }
  return report.build();
}

interface ReportedPartition {
  readonly partition: number;
  readonly request: ReportRequest;
}

async function addSets(
  report: ReportBuilder,
  keyspace: RedisKeyspace,
  { partition, request: { namespace, lockAfter } }: ReportedPartition,
): Promise<void> {
  const listed = { partition, maxScore: Infinity, namespace };
  for await (const users of readUsersWithSets(keyspace, listed)) {
    for (const user of users) {
      const isLocked = user.lockedAt !== null || user.attempts >= lockAfter;
      report.addSet({ ...user, isLocked });
    }
  }
}

/**
 * Reads the newest first, until all events of a batch are older than the report, and there are
 * some.
 */
async function addEvents(
  report: ReportBuilder,
  keyspace: RedisKeyspace,
  { partition, request: { namespace, since } }: ReportedPartition,
): Promise<void> {
  let from = '';
  for (;;) {
    const { entries, last, isAtEnd } = await readStream(keyspace, {
      partition,
      order: 'newest-first',
      from,
      count: BATCH,
      namespace,
      subject: null,
      types: null,
    });
    for (const { event } of entries) report.addEvent(event);
    const areOld = entries.length > 0 && entries.every(({ event }) => event.at < since);
    if (isAtEnd || areOld) return;
    from = last;
  }
}
