// Consumes a code. The order of the steps is the security argument: an attempt is taken before
// anything is checked, every path does the same work, and the store's write decides.
import type { CleanContext } from '../audit/context';
import { auditEvent, isSetFault, type EventFields, type Reason } from '../audit/events';
import type { Listeners } from '../audit/listeners';
import { readCode } from '../codes/formats';
import { HashQueueBusy, MAX_WAIT_SECONDS } from '../codes/hash-queue';
import { BackupCodeError } from '../errors';
import type {
  AttemptRequest,
  AttemptResult,
  ConsumeRequest,
  Consumption,
  Milestone,
  SetWithCodes,
  StoredCode,
  Ticket,
} from '../stores/contract';
import { networkOf } from '../stores/network';
import { countedEventId, dayOf, type RefusedSource } from '../stores/refusals';
import type { Subject } from '../stores/subject';
import { compare, type Comparison, type TypedCode } from './compare';
import type { Config } from './options';
import type { NotConsumed, Outcome } from './outcome';
import { assess } from './risk';

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
  readonly source: RefusedSource;
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
  const { waits } = config;

  // 1. Read. Input that cannot be a code costs nothing and is charged to no user.
  const readings = config.formats.map((format) => readCode(format, typed));
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

  // 2. Take an attempt, before any check. An unknown user name has no second factor.
  const subject = await findSubject();
  const channel = userId === null ? 'recovery' : context.channel;
  const source = { subject, channel, network: networkOf(context.ip) };
  const now = config.now();
  const refusal = auditEvent('throttled', { at: now, userId, refusals: 1, context });
  const taken = await takeOrRecordFault(service, {
    ...source,
    now,
    waits: waits[channel],
    refusal,
  });
  if (!taken.ok) {
    listeners.notify(taken.events);
    if (taken.reason === 'locked') return { ok: false, reason: 'locked' };
    const retryAfterSeconds = Math.max(1, Math.ceil((taken.nextAt - now) / 1000));
    return { ok: false, reason: 'throttled', retryAfterSeconds };
  }
  const { ticket, current } = taken;
  const attempt: GrantedAttempt = { service, userId, source, context, ticket, current };

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

/** A set that the store cannot read charges no attempt, and leaves an event. */
async function takeOrRecordFault(
  service: ConsumeService,
  request: AttemptRequest,
): Promise<AttemptResult> {
  try {
    return await service.config.store.takeAttempt(request);
  } catch (error) {
    const { userId, context } = request.refusal;
    await recordSetFault(service, { source: request, error, userId, context });
    throw error;
  }
}

/**
 * A fault before the comparison gives the attempt back. Once a code is compared and does not match,
 * nothing does: a caller who can make the audit fail would guess without limit.
 */
async function compareOrGiveBack(
  attempt: GrantedAttempt,
  code: TypedCode,
): Promise<Comparison | 'busy'> {
  const { service, userId, context, current } = attempt;
  const { config, dummy } = service;
  let isCompared = false;
  try {
    return await compare(config, {
      ...code,
      set: current ?? dummy,
      userId: current === null ? '' : (userId ?? ''),
      channel: attempt.source.channel,
      onVerdict: () => {
        isCompared = true;
      },
    });
  } catch (error) {
    if (!isCompared) await giveBackIfPossible(attempt);
    if (error instanceof HashQueueBusy) return 'busy';
    await recordSetFault(service, { source: attempt.source, error, userId, context });
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
  const { service, userId, source, context } = attempt;
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
  const result = await consumeOrGiveBack(attempt, {
    subject: source.subject,
    setId,
    codeId,
    channel: source.channel,
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
  const consumed = { remaining, total, low: remaining <= config.lowAt, setId, codeId, expiresAt };
  return replacement
    ? { ok: true, ...consumed, replacement: replacement.code }
    : { ok: true, ...consumed };
}

/**
 * A fault of the store after a match charges no attempt: the caller has a valid code, so that
 * nothing is guessed. If the code was consumed and only the answer was lost, the ticket is from an
 * earlier generation, and nothing is given back.
 */
async function consumeOrGiveBack(
  attempt: GrantedAttempt,
  request: ConsumeRequest,
): Promise<Consumption> {
  try {
    return await attempt.service.config.store.consume(request);
  } catch (error) {
    await giveBackIfPossible(attempt);
    throw error;
  }
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
  reason: NotConsumed['reason'],
  code: { readonly codeId: string | null; readonly consumedAt?: number | null } = { codeId: null },
): Promise<Outcome> {
  const { service, userId, source, context, ticket, current } = attempt;
  const now = service.config.now();
  const common = { at: now, userId, setId: current?.setId ?? null, context };
  const isReused = reason === 'reused' && typeof code.consumedAt === 'number';
  const rejected = auditEvent('rejected', {
    ...common,
    reason,
    codeId: code.codeId,
    consumedSecondsAgo: isReused ? secondsBetween(code.consumedAt, now) : null,
  });
  const isLast =
    source.channel === 'second_factor' &&
    ticket.attempt >= service.config.waits.second_factor.length;
  const lock = isLast
    ? { subject: source.subject, ticket, now, event: auditEvent('locked', common) }
    : undefined;
  service.listeners.notify(await service.config.store.append([rejected], lock));
  return { ok: false, reason };
}

async function turnAway(attempt: GrantedAttempt, risk: 'deny' | 'step_up'): Promise<Outcome> {
  const { service, source, ticket } = attempt;
  await service.config.store.giveBack({ subject: source.subject, ticket });
  const reason = risk === 'deny' ? 'denied' : 'step_up';
  await countRefusal(service, { ...attempt, reason });
  return { ok: false, reason };
}

async function turnAwayBusy(attempt: GrantedAttempt): Promise<Outcome> {
  await countRefusal(attempt.service, { ...attempt, reason: 'busy' });
  return { ok: false, reason: 'busy', retryAfterSeconds: MAX_WAIT_SECONDS };
}

interface UnchargedRefusal {
  readonly source: RefusedSource;
  readonly userId: string | null;
  readonly context: CleanContext;
  readonly reason: Reason;
}

/**
 * Records a refusal that charged no attempt, and can therefore be repeated without end: in one
 * event for each day.
 */
async function countRefusal(
  { config, listeners }: ConsumeService,
  { source, userId, context, reason }: UnchargedRefusal,
): Promise<void> {
  const at = config.now();
  const type = reason === 'step_up' ? 'step_up_required' : 'rejected';
  const event = {
    ...auditEvent(type, { at, userId, reason, refusals: 1, context }),
    id: countedEventId(source, { reason, period: dayOf(at) }),
  };
  listeners.notify(await config.store.count({ subject: source.subject, event }));
}

/** The caller throws the fault, whether or not its event can be written. */
async function recordSetFault(
  service: ConsumeService,
  { error, ...refusal }: Omit<UnchargedRefusal, 'reason'> & { readonly error: unknown },
): Promise<void> {
  if (!(error instanceof BackupCodeError) || !isSetFault(error.code)) return;
  try {
    await countRefusal(service, { ...refusal, reason: error.code });
  } catch {
    // The store is the likely cause.
  }
}

/**
 * Gives the attempt back if the store still answers. The caller throws the fault that came first.
 */
async function giveBackIfPossible({ service, source, ticket }: GrantedAttempt): Promise<void> {
  try {
    await service.config.store.giveBack({ subject: source.subject, ticket });
  } catch {
    // The attempt stays charged.
  }
}

/** Clocks of two processes differ: never negative. */
function secondsBetween(earlier: number, later: number): number {
  return Math.max(0, Math.round((later - earlier) / 1000));
}
