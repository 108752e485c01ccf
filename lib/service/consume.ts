// Consumes a code. The order of the steps is the security argument: an attempt is taken before
// anything is checked, every path does the same work, and the store's write decides.
import type { CleanContext } from '../audit/context';
import type { Format } from '../codes/formats';
import { readCode } from '../codes/read-code';
import { assertAllowedOn, isAllowedOn } from '../codes/guessing';
import { HashQueueBusy } from '../codes/hash-queue';
import { BackupCodeError } from '../errors';
import type {
  AttemptRequest,
  AttemptResult,
  Consumption,
  SetWithCodes,
  StoredCode,
} from '../stores/requests';
import { networkOf } from '../stores/network';
import type { AttemptSource } from '../stores/refusals';
import type { Subject } from '../stores/subject';
import { compare, type Comparison, type TypedCode } from './compare';
import { consumeRequest, isConsumedFor } from './consumption';
import type { Outcome } from './outcome';
import {
  giveBackIfPossible,
  recordSetFault,
  reject,
  refuseForRisk,
  refuseAsBusy,
  type ConsumeService,
  type GrantedAttempt,
} from './refuse';
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
  /** The pending login that the code is for; `null` if the caller did not name it. */
  readonly loginId: string | null;
}

/** @throws {BackupCodeError} as `BackupCodes.consume` says, and whatever the store throws */
export async function consumeCode(
  service: ConsumeService,
  { userId, findSubject, typed, context, loginId }: CodeAttempt,
): Promise<Outcome> {
  const { config, listeners } = service;
  const { waits } = config;

  // 1. Read. Input that cannot be a code costs nothing and is charged to no user. An unknown user
  // name has no second factor: what is read is what a known one may type on recovery.
  assertAllowedOn(context.channel, config.formats);
  const channel = userId === null ? 'recovery' : context.channel;
  const readable = config.formats.filter((format) => isAllowedOn(channel, format));
  // An app without a format for recovery calls this for no known user on that channel.
  const isRead = (format: Format): boolean => readable.length === 0 || readable.includes(format);
  const readings = config.formats.map((format) =>
    isRead(format) ? readCode(format, typed) : null,
  );
  if (readings.every((reading) => reading === null)) {
    const event = config.newEvent('rejected', {
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
  const source = { subject, channel, network: networkOf(context.ip) };
  const now = config.now();
  const refusal = config.newEvent('throttled', { at: now, userId, refusals: 1, context });
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
  const attempt: GrantedAttempt = { service, userId, source, context, loginId, ticket, current };

  // 3. Assess the risk. An attempt that is turned away was not a guess: it is given back.
  if (config.assessRisk !== undefined) {
    const risk = await assess(config.assessRisk, { userId, attempt: ticket.attempt, context });
    if (risk !== 'allow') return refuseForRisk(attempt, risk);
  }

  // 4. Compare.
  const comparison = await compareOrGiveBack(attempt, { typed, readings });
  if (comparison === 'busy') return refuseAsBusy(attempt);
  const { match } = comparison;
  if (current === null) return reject(attempt, userId === null ? 'unknown_user' : 'none');
  if (match === null) return reject(attempt, 'mismatch');
  const { setId } = current;
  if (match.consumedAt !== null && !isConsumedFor({ loginId, setId, code: match })) {
    return reject(attempt, 'reused', match);
  }

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
 * A fault before the comparison, or after a match, gives the attempt back. After a mismatch the
 * attempt stays charged: otherwise a caller who can make the audit fail could guess without limit.
 */
async function compareOrGiveBack(
  attempt: GrantedAttempt,
  code: TypedCode,
): Promise<Comparison | 'busy'> {
  const { service, userId, context, current } = attempt;
  const { config, dummy } = service;
  let isRefused = false;
  try {
    return await compare(config, {
      ...code,
      set: current === null ? dummy : current,
      userId: current === null ? '' : (userId ?? ''),
      subjectKey: queueKeyOf(attempt.source),
      channel: attempt.source.channel,
      onRefusal: () => {
        isRefused = true;
      },
    });
  } catch (error) {
    if (!isRefused) await giveBackIfPossible(attempt);
    if (error instanceof HashQueueBusy) return 'busy';
    await recordSetFault(service, { source: attempt.source, error, userId, context });
    throw error;
  }
}

/** On recovery the share of a user is for each network: a stranger's calls are not the owner's. */
function queueKeyOf({ subject, channel, network }: AttemptSource): string {
  return channel === 'recovery' ? `${subject.key} ${network}` : subject.key;
}

interface Match {
  readonly current: SetWithCodes;
  readonly match: StoredCode;
  readonly comparison: Comparison;
}

/** One transaction decides, also between callers that got this far at the same time. */
async function consumeMatch(attempt: GrantedAttempt, matched: Match): Promise<Outcome> {
  const { config, listeners } = attempt.service;
  const { setId, expiresAt } = matched.current;
  const { codeId } = matched.match;
  const { result, now } = await consumeOrGiveBack(attempt, matched);
  if (result.outcome === 'gone') return reject(attempt, result.reason, { codeId });
  if (result.outcome === 'already_consumed') {
    return reject(attempt, 'reused', { codeId, consumedAt: result.consumedAt });
  }
  const { remaining, total, events, repeated } = result;
  // An attempt with a code that this login has consumed is no guess.
  if (repeated) await giveBackIfPossible(attempt);
  // The events of an earlier call were delivered by it. If the answer to this call was lost and
  // read back, they are its own.
  if (!repeated || events[0]?.at === now) listeners.notify(events);
  const low = isLow(config, { remaining, total });
  const consumed = { remaining, total, low, repeated, setId, codeId, expiresAt };
  const { replacement } = matched.comparison;
  // A repeated consumption added the replacement of the first call, which only that one has.
  const isAdded = events.some((event) => event.codeId === replacement?.record.codeId);
  return replacement && (!repeated || isAdded)
    ? { ok: true, ...consumed, replacement: replacement.code }
    : { ok: true, ...consumed };
}

interface TimedConsumption {
  readonly result: Consumption;
  /** The time of the request. */
  readonly now: number;
}

/**
 * A fault after a match charges no attempt: the caller has a valid code, so that nothing is
 * guessed. If the code was consumed and only the answer was lost, the ticket is from an earlier
 * generation, and nothing is given back.
 */
async function consumeOrGiveBack(
  attempt: GrantedAttempt,
  { current, match, comparison }: Match,
): Promise<TimedConsumption> {
  const { service, source } = attempt;
  try {
    const request = consumeRequest(service.config, {
      ...attempt,
      ...source,
      setId: current.setId,
      code: match,
      replacement: comparison.replacement,
    });
    return { result: await service.config.store.consume(request), now: request.now };
  } catch (error) {
    const givenBack = giveBackIfPossible(attempt);
    // A store that did not answer may not answer this either. The caller has waited long enough.
    if (!isStoreTimeout(error)) await givenBack;
    throw error;
  }
}

function isStoreTimeout(error: unknown): boolean {
  return error instanceof BackupCodeError && error.code === 'store_timeout';
}
