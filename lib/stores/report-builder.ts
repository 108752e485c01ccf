// Counts sets and events into a report, one after the other, for stores that cannot count for themselves. Keeps no
// event, and of users only the numbers of those who failed.
import type { AuditEvent, Reason } from '../audit/events';
import { MAX_UNUSUAL, type DayCounts, type Report, type ReportQuery } from './audit-contract';

/** Of a set that was neither replaced nor revoked. */
export interface SetFacts {
  readonly remaining: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastConsumedAt: number | null;
  readonly pepperId: string | null;
  /** As {@link hasherName} gives it. */
  readonly hasher: string;
  readonly isLocked: boolean;
}

interface Failures {
  failures: number;
  readonly others: Set<string>;
}

/** Neither is a guess. */
const HARMLESS: readonly (Reason | null)[] = ['busy', 'step_up'];

export class Tally {
  private readonly counts = {
    users: 0,
    remainingCodes: 0,
    low: 0,
    exhausted: 0,
    expired: 0,
    locked: 0,
    rotationDue: 0,
    neverUsed: 0,
  };
  private readonly setsByPepper = new Map<string, number>();
  private readonly setsByHasher = new Map<string, number>();
  private readonly days = new Map<
    string,
    { issued: number; consumed: number; failures: Partial<Record<Reason, number>> }
  >();
  private readonly byUser = new Map<string, Failures>();
  private readonly byAddress = new Map<string, Failures>();

  constructor(private readonly query: ReportQuery) {}

  addSet({
    remaining,
    createdAt,
    expiresAt,
    lastConsumedAt,
    pepperId,
    hasher,
    isLocked,
  }: SetFacts): void {
    const { now, lowAt, rotateBefore } = this.query;
    const { counts } = this;
    const isExpired = expiresAt !== null && now >= expiresAt;
    counts.users += 1;
    if (!isExpired && !isLocked) counts.remainingCodes += remaining;
    if (!isExpired && remaining > 0 && remaining <= lowAt) counts.low += 1;
    if (!isExpired && remaining === 0) counts.exhausted += 1;
    if (isExpired) counts.expired += 1;
    if (isLocked) counts.locked += 1;
    if (!isExpired && rotateBefore !== null && createdAt <= rotateBefore) counts.rotationDue += 1;
    if (lastConsumedAt === null) counts.neverUsed += 1;
    increase(this.setsByPepper, pepperId ?? 'none');
    increase(this.setsByHasher, hasher);
  }

  addEvent({ type, at, userId, reason, refusals, context: { ip } }: AuditEvent): void {
    if (at < this.query.since || at > this.query.now) return;
    const isIssue = type === 'issued' || type === 'activated' || type === 'adopted';
    const isFailure = type === 'rejected' || type === 'throttled' || type === 'step_up_required';
    if (!isIssue && !isFailure && type !== 'consumed') return;
    const times = refusals ?? 1;
    const day = new Date(at).toISOString().slice(0, 10);
    const counts = this.days.get(day) ?? { issued: 0, consumed: 0, failures: {} };
    this.days.set(day, counts);
    if (isIssue) counts.issued += 1;
    if (type === 'consumed') counts.consumed += 1;
    if (!isFailure || reason === null) return;
    counts.failures[reason] = (counts.failures[reason] ?? 0) + times;
    if (HARMLESS.includes(reason)) return;
    if (userId !== null) addFailures(this.byUser, userId, { times, other: ip });
    if (ip !== null) addFailures(this.byAddress, ip, { times, other: userId });
  }

  report(): Report {
    const { since, now, manyFailures } = this.query;
    const days = [...this.days]
      .map(([day, counts]): DayCounts => ({ day, ...counts }))
      .sort((a, b) => (a.day < b.day ? -1 : 1));
    return {
      since,
      until: now,
      ...this.counts,
      setsByPepper: Object.fromEntries(this.setsByPepper),
      setsByHasher: Object.fromEntries(this.setsByHasher),
      days,
      unusual: {
        users: most(this.byUser, manyFailures).map(([userId, failures, addresses]) => ({
          userId,
          failures,
          addresses,
        })),
        addresses: most(this.byAddress, manyFailures).map(([ip, failures, users]) => ({
          ip,
          failures,
          users,
        })),
      },
    };
  }
}

/** The parameters of a salt string, without the salt: `$2b$12`; `other` where an app's own hasher writes otherwise. */
export function hasherName(salt: string): string {
  return salt.slice(0, Math.max(0, salt.lastIndexOf('$'))) || 'other';
}

function increase(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function addFailures(
  counts: Map<string, Failures>,
  name: string,
  { times, other }: { times: number; other: string | null },
): void {
  const entry = counts.get(name) ?? { failures: 0, others: new Set<string>() };
  counts.set(name, entry);
  entry.failures += times;
  if (other !== null) entry.others.add(other);
}

/** Those with `least` failures or more, the most first; in the order of their names where that is the same. */
function most(
  counts: ReadonlyMap<string, Failures>,
  least: number,
): (readonly [string, number, number])[] {
  return [...counts]
    .filter(([, { failures }]) => failures >= least)
    .sort(([a, { failures: of }], [b, { failures: than }]) => than - of || (a < b ? -1 : 1))
    .slice(0, MAX_UNUSUAL)
    .map(([name, { failures, others }]) => [name, failures, others.size] as const);
}
