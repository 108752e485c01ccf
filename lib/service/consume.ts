// Consumes a code. The order of the steps is the security argument: an attempt is taken before
// anything is checked, every path does the same work, and the store's write decides.
import type { CleanContext } from '../audit/context';
import { auditEvent, type AuditEvent, type EventFields, type Reason } from '../audit/events';
import type { Listeners } from '../audit/listeners';
import { readCode } from '../codes/formats';
import { assertReadOn, isReadOn } from '../codes/guessing';
import { HashQueueBusy, MAX_WAIT_SECONDS } from '../codes/hash-queue';
import type {
  LockedChannel,
  Milestone,
  SetWithCodes,
  StoredCode,
  Ticket,
} from '../stores/contract';
import type { Subject } from '../stores/subject';
import { compare, type Comparison, type TypedCode } from './compare';
import type { Config } from './options';
import type { Outcome } from './outcome';
import { assess } from './risk';
import { isLow } from './set-status';

/** One try to consume a code. */
export interface CodeAttempt {
  /** `null` for an unknown user name. */
  readonly userId: string | null;
  /** Whose attempts are counted. Not looked up before the code was read. */
  readonly findSubject: () => Promise<Subject>;
  readonly typed: unknown;
  readonly context: CleanContext;
}

/** What {@link consumeCode} works with. */
export interface ConsumeService {
  readonly config: Config;
  /** Compared with if there is no set, so that the same work is done. */
  readonly dummy: SetWithCodes;
  readonly listeners: Listeners;
}

/** An attempt that was granted, on its way through the steps. */
interface GrantedAttempt {
  readonly service: ConsumeService;
  readonly userId: string | null;
  readonly subject: Subject;
  readonly context: CleanContext;
  readonly ticket: Ticket;
  readonly current: SetWithCodes | null;
}

/** @throws {BackupCodeError} as `BackupCodes.consume` says, and whatever the store throws */
export async function consumeCode(
  service: ConsumeService,
  { userId, findSubject, typed, context }: CodeAttempt,
): Promise<Outcome> {
  const { config, listeners } = service;
  const { store, waits } = config;
  const { channel } = context;

  // 1. Read. Input that cannot be a code costs nothing and is charged to no user.
  assertReadOn(channel, config.formats);
  const readings = config.formats.map((format) =>
    isReadOn(channel, format) ? readCode(format, typed) : null,
  );
  if (readings.every((reading) => reading === null)) {
    const event = auditEvent('rejected', {
      at: config.now(),
      userId,
      reason: 'malformed',
      context,
    });
    listeners.notify([event]);
    return { ok: false, reason: 'malformed' };
  }

  // 2. Take an attempt, before any check.
  const subject = await findSubject();
  const now = config.now();
  const refusal = auditEvent('throttled', { at: now, userId, refusals: 1, context });
  const taken = await store.takeAttempt({ subject, channel, now, waits, refusal });
  if (!taken.ok) {
    listeners.notify(taken.events);
    if (taken.reason === 'locked') return { ok: false, reason: 'locked' };
    const retryAfterSeconds = Math.max(1, Math.ceil((taken.nextAt - now) / 1000));
    return { ok: false, reason: 'throttled', retryAfterSeconds };
  }
  const { ticket, current } = taken;
  const attempt: GrantedAttempt = { service, userId, subject, context, ticket, current };

  // 3. Assess the risk. An attempt that is turned away was not a guess: it is given back.
  if (config.assessRisk !== undefined) {
    const risk = await assess(config.assessRisk, { userId, attempt: ticket.attempt, context });
    if (risk !== 'allow') return turnAway(attempt, risk);
  }

  // 4. Compare.
  const comparison = await compareOrGiveBack(attempt, { typed, readings });
  if (comparison === 'busy') return turnAwayBusy(attempt);
  const { match } = comparison;
  if (current === null) return reject(attempt, userId === null ? 'unknown_user' : 'none');
  if (match === null) return reject(attempt, 'mismatch');
  if (match.consumedAt !== null) return reject(attempt, 'reused', match);

  // 5. Consume, and 6. notify.
  return consumeMatch(attempt, { current, match, comparison });
}

/**
 * A fault before the comparison gives the attempt back. Once the code is compared nothing does,
 * whether it is valid or not: a caller who can make the audit fail would guess without limit.
 */
async function compareOrGiveBack(
  { service, userId, subject, context, ticket, current }: GrantedAttempt,
  code: TypedCode,
): Promise<Comparison | 'busy'> {
  const { config, dummy } = service;
  let isCompared = false;
  try {
    return await compare(config, {
      ...code,
      set: current ?? dummy,
      userId: current === null ? '' : (userId ?? ''),
      subjectKey: subject.key,
      channel: context.channel,
      onVerdict: () => {
        isCompared = true;
      },
    });
  } catch (error) {
    if (!isCompared) await giveBackIfPossible(config, subject, ticket);
    if (error instanceof HashQueueBusy) return 'busy';
    throw error;
  }
}

interface Match {
  readonly current: SetWithCodes;
  readonly match: StoredCode;
  readonly comparison: Comparison;
}

/** One transaction decides, also between callers that got this far at the same time. */
async function consumeMatch(
  attempt: GrantedAttempt,
  { current, match, comparison }: Match,
): Promise<Outcome> {
  const { service, userId, subject, context } = attempt;
  const { config, listeners } = service;
  const { setId, expiresAt } = current;
  const { codeId } = match;
  const { replacement } = comparison;
  const now = config.now();
  const common = { at: now, userId, setId, context };
  const events = [auditEvent('consumed', { ...common, codeId })];
  if (replacement) {
    events.push(auditEvent('renewed', { ...common, codeId: replacement.record.codeId }));
  }
  const result = await config.store.consume({
    subject,
    setId,
    codeId,
    channel: context.channel,
    now,
    events,
    milestones: milestonesOf(config, common, replacement !== null),
    ...(replacement && { replacement: replacement.record }),
  });
  if (result.outcome === 'gone') return reject(attempt, result.reason, { codeId });
  if (result.outcome === 'already_consumed') {
    return reject(attempt, 'reused', { codeId, consumedAt: result.consumedAt });
  }
  listeners.notify(result.events);
  const { remaining, total } = result;
  const low = isLow(config, { remaining, total });
  const consumed = { remaining, total, low, setId, codeId, expiresAt };
  return replacement
    ? { ok: true, ...consumed, replacement: replacement.code }
    : { ok: true, ...consumed };
}

/** With a replacement as many codes are left as before, so `low` is never reached by it. */
function milestonesOf(
  { lowAt }: Config,
  fields: EventFields,
  isReplaced: boolean,
): readonly Milestone[] {
  const milestones = [{ remaining: 0, event: auditEvent('exhausted', fields) }];
  if (lowAt > 0 && !isReplaced) {
    milestones.push({ remaining: lowAt, event: auditEvent('low', fields) });
  }
  return milestones;
}

/** Records a failure, and locks the channel after its last attempt. */
async function reject(
  attempt: GrantedAttempt,
  reason: Reason,
  code: { readonly codeId: string | null; readonly consumedAt?: number | null } = { codeId: null },
): Promise<Outcome> {
  const { service, userId, subject, context, ticket, current } = attempt;
  const now = service.config.now();
  const common = { at: now, userId, setId: current?.setId ?? null, context };
  const isReused = reason === 'reused' && typeof code.consumedAt === 'number';
  const rejected = auditEvent('rejected', {
    ...common,
    reason,
    codeId: code.codeId,
    consumedSecondsAgo: isReused ? secondsBetween(code.consumedAt, now) : null,
  });
  const isLast = ticket.attempt >= service.config.waits.length;
  const lock = isLast ? { subject, ticket, now, event: auditEvent('locked', common) } : undefined;
  await record(service, rejected, lock);
  return { ok: false, reason };
}

async function turnAway(
  { service, userId, subject, context, ticket }: GrantedAttempt,
  risk: 'deny' | 'step_up',
): Promise<Outcome> {
  await service.config.store.giveBack({ subject, ticket });
  const reason = risk === 'deny' ? 'denied' : 'step_up';
  const type = risk === 'deny' ? 'rejected' : 'step_up_required';
  await record(service, auditEvent(type, { at: service.config.now(), userId, reason, context }));
  return { ok: false, reason };
}

async function turnAwayBusy({ service, userId, context }: GrantedAttempt): Promise<Outcome> {
  const at = service.config.now();
  await record(service, auditEvent('rejected', { at, userId, reason: 'busy', context }));
  return { ok: false, reason: 'busy', retryAfterSeconds: MAX_WAIT_SECONDS };
}

async function record(
  { config, listeners }: ConsumeService,
  event: AuditEvent,
  lock?: LockedChannel,
): Promise<void> {
  listeners.notify(await config.store.append([event], lock));
}

/**
 * Gives the attempt back if the store still answers. The caller throws the fault that came first.
 */
async function giveBackIfPossible(
  { store }: Config,
  subject: Subject,
  ticket: Ticket,
): Promise<void> {
  try {
    await store.giveBack({ subject, ticket });
  } catch {
    // The attempt stays charged.
  }
}

/** Clocks of two processes differ: never negative. */
function secondsBetween(earlier: number, later: number): number {
  return Math.max(0, Math.round((later - earlier) / 1000));
}
