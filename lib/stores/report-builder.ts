// Builds a report from sets and events that are added one by one, for stores that cannot count in
// the database. Keeps counts only.
import type { AuditEvent, EventReason } from '../audit/events';
import { MAX_UNUSUAL, type DayCounts, type Report, type ReportRequest } from './audit-contract';

/** A current set, as the report counts it. */
export interface ReportedSet {
  readonly remaining: number;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastConsumedAt: number | null;
  readonly pepperId: string | null;
  /** As {@link hasherName} returns it. */
  readonly hasher: string;
  readonly isLocked: boolean;
}

interface MutableDay {
  issued: number;
  consumed: number;
  readonly failures: Map<EventReason, number>;
}

/** The failures of one user, or from one address. */
interface FailureCount {
  readonly name: string;
  failures: number;
  /** Addresses of a user, users of an address. */
  readonly counterparts: Set<string>;
}

/** Refusals that are not guesses. */
const NOT_GUESSES: readonly (EventReason | null)[] = ['busy', 'step_up'];

const ISSUES = new Set(['issued', 'activated', 'adopted']);
const FAILURES = new Set(['rejected', 'throttled', 'step_up_required']);

export class ReportBuilder {
  readonly #request: ReportRequest;
  readonly #counts = {
    users: 0,
    remainingCodes: 0,
    low: 0,
    exhausted: 0,
    expired: 0,
    locked: 0,
    rotationDue: 0,
    neverUsed: 0,
  };
  readonly #setsByPepper = new Map<string, number>();
  readonly #setsByHasher = new Map<string, number>();
  readonly #days = new Map<string, MutableDay>();
  readonly #byUser = new Map<string, FailureCount>();
  readonly #byAddress = new Map<string, FailureCount>();

  constructor(request: ReportRequest) {
    this.#request = request;
  }

  addSet(set: ReportedSet): void {
    const { now, lowAt, rotateBefore } = this.#request;
    const { remaining, createdAt, expiresAt, isLocked } = set;
    const counts = this.#counts;
    const isExpired = expiresAt !== null && now >= expiresAt;
    const isRotationDue = rotateBefore !== null && createdAt <= rotateBefore;
    counts.users += 1;
    if (!isExpired && !isLocked) counts.remainingCodes += remaining;
    if (!isExpired && remaining > 0 && remaining <= lowAt) counts.low += 1;
    if (!isExpired && remaining === 0) counts.exhausted += 1;
    if (isExpired) counts.expired += 1;
    if (isLocked) counts.locked += 1;
    if (!isExpired && isRotationDue) counts.rotationDue += 1;
    if (set.lastConsumedAt === null) counts.neverUsed += 1;
    increment(this.#setsByPepper, set.pepperId ?? 'none');
    increment(this.#setsByHasher, set.hasher);
  }

  addEvent({ type, at, userId, reason, refusals, context }: AuditEvent): void {
    if (at < this.#request.since || at > this.#request.now) return;
    if (ISSUES.has(type)) this.#day(at).issued += 1;
    if (type === 'consumed') this.#day(at).consumed += 1;
    if (!FAILURES.has(type)) return;
    const { failures } = this.#day(at);
    if (reason === null) return;
    const times = refusals ?? 1;
    failures.set(reason, (failures.get(reason) ?? 0) + times);
    if (NOT_GUESSES.includes(reason)) return;
    const { ip } = context;
    if (userId !== null) addFailures(this.#byUser, { name: userId, counterpart: ip, times });
    if (ip !== null) addFailures(this.#byAddress, { name: ip, counterpart: userId, times });
  }

  build(): Report {
    const { since, now, manyFailures } = this.#request;
    const users = mostFailures(this.#byUser, manyFailures);
    const addresses = mostFailures(this.#byAddress, manyFailures);
    return {
      since,
      until: now,
      ...this.#counts,
      setsByPepper: Object.fromEntries(this.#setsByPepper),
      setsByHasher: Object.fromEntries(this.#setsByHasher),
      days: [...this.#days]
        .map(([day, { issued, consumed, failures }]): DayCounts => ({
          day,
          issued,
          consumed,
          failures: Object.fromEntries(failures),
        }))
        .sort((a, b) => (a.day < b.day ? -1 : 1)),
      unusual: {
        users: users.map(({ name, failures, counterparts }) => ({
          userId: name,
          failures,
          addresses: counterparts.size,
        })),
        addresses: addresses.map(({ name, failures, counterparts }) => ({
          ip: name,
          failures,
          users: counterparts.size,
        })),
      },
    };
  }

  #day(at: number): MutableDay {
    const day = new Date(at).toISOString().slice(0, 10);
    const existing = this.#days.get(day);
    if (existing) return existing;
    const counts: MutableDay = { issued: 0, consumed: 0, failures: new Map() };
    this.#days.set(day, counts);
    return counts;
  }
}

/** The parameters of a salt string without the salt, such as `$2b$12`; `other` if it has none. */
export function hasherName(salt: string): string {
  return salt.slice(0, Math.max(0, salt.lastIndexOf('$'))) || 'other';
}

function increment(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

interface NewFailures {
  readonly name: string;
  readonly counterpart: string | null;
  readonly times: number;
}

function addFailures(
  counts: Map<string, FailureCount>,
  { name, counterpart, times }: NewFailures,
): void {
  const count = counts.get(name) ?? { name, failures: 0, counterparts: new Set<string>() };
  counts.set(name, count);
  count.failures += times;
  if (counterpart !== null) count.counterparts.add(counterpart);
}

/** The most failures first; equal ones in the order of their names. */
function mostFailures(counts: ReadonlyMap<string, FailureCount>, least: number): FailureCount[] {
  return [...counts.values()]
    .filter(({ failures }) => failures >= least)
    .sort((a, b) => b.failures - a.failures || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_UNUSUAL);
}
