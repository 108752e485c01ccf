// Consuming a code. The order of the steps is the security argument: an attempt is taken before anything is checked,
// all paths do the same work, and the store's write decides.
import { randomBytes } from 'node:crypto';
import type { Config } from './options';
import type { CleanContext } from '../audit/context';
import { BackupCodeError } from '../errors';
import { auditEvent, type AuditEvent, type EventType, type Reason } from '../audit/events';
import { parseFormat, readCode, serializeFormat, showCode } from '../codes/formats';
import { generateCodes } from '../codes/generate';
import { GateBusy, inGate, MAX_WAIT_SECONDS, type GatePlace } from '../codes/hash-queue';
import { freshSalt, hasherFor } from '../codes/hashers/hasher';
import { stretch } from '../codes/stretch';
import { assess } from './risk';
import { checkOf, findMatch, keyStretched, recordCode, type CodeRecord } from '../codes/digests';
import { wellFormed } from '../stores/checked-store';
import type { LockedChannel, CurrentSet, StoredCode, Ticket } from '../stores/contract';
import type { Subject } from '../stores/subject';

/** What became of a code. */
export type Outcome =
  | {
      readonly ok: true;
      /** Codes left in the set. */
      readonly remaining: number;
      readonly total: number;
      /** As few as `lowAt` or fewer are left. */
      readonly low: boolean;
      readonly setId: string;
      readonly codeId: string;
      /** Milliseconds since 1970; `null`: never. */
      readonly expiresAt: number | null;
      /** With `replaceConsumed: true`: a new code, to be shown once. */
      readonly replacement?: string;
    }
  | {
      readonly ok: false;
      /** For the audit and for code. A person is told the same for all but a wait. */
      readonly reason: Reason;
      /** With `throttled` and `busy`. */
      readonly retryAfterSeconds?: number;
    };

/** Whose code, which, from where. */
export interface Attempt {
  /** `null`: a name that belongs to nobody. */
  readonly userId: string | null;
  /** The row that counts; not looked up before the code was read. */
  readonly locate: () => Promise<Subject>;
  readonly typed: unknown;
  readonly context: CleanContext;
}

/** What the comparison found. */
interface Comparison {
  readonly match: StoredCode | null;
  readonly replacement: { readonly code: string; readonly record: CodeRecord } | null;
}

type ComparedSet = CurrentSet & { readonly codes: readonly StoredCode[] };

export interface ConsumeParts {
  readonly config: Config;
  /** Stands in where there is no set, so that the same work is done. Its digests are random: nothing matches. */
  readonly dummy: ComparedSet;
  readonly tell: (events: readonly AuditEvent[]) => void;
}

/** Draws for a replacement, in case it is a code that the set has: a chance of one in thirty thousand at most. */
const MAX_TRIES = 5;

export async function consumeCode(
  { config, dummy, tell }: ConsumeParts,
  { userId, locate, typed, context }: Attempt,
): Promise<Outcome> {
  const { store, waits } = config;
  const { channel } = context;
  const event = (type: EventType, facts: Partial<AuditEvent> = {}): AuditEvent =>
    auditEvent(type, { at: config.now(), userId, context, ...facts });
  const record = async (written: AuditEvent, closes?: LockedChannel): Promise<void> => {
    const isClosed: unknown = await store.append([written], closes);
    tell(closes && isClosed === true ? [written, closes.event] : [written]);
  };

  // 1. Read. What cannot be a code costs nothing and is charged to nobody, whoever the user is.
  const reading = config.formats
    .map((format) => readCode(format, typed))
    .find((symbols) => symbols !== null);
  if (reading === undefined) {
    tell([event('rejected', { reason: 'malformed' })]);
    return { ok: false, reason: 'malformed' };
  }

  // 2. Take an attempt, before any check.
  const subject = await locate();
  const refusal = event('throttled', { refusals: 1 });
  const taken = wellFormed(
    'attempt',
    await store.takeAttempt({ subject, channel, now: refusal.at, waits, refusal }),
  );
  if (!taken.ok) {
    const { reason, nextAt, isFirst } = taken;
    if (isFirst) tell([{ ...refusal, reason }]);
    return reason === 'locked'
      ? { ok: false, reason }
      : {
          ok: false,
          reason,
          retryAfterSeconds: Math.max(1, Math.ceil((nextAt - refusal.at) / 1000)),
        };
  }
  const { ticket, current } = taken;

  // 3. Assess the risk. An attempt that is turned away was no guess: it is given back.
  const risk = await assess(config.assessRisk, { userId, attempt: ticket.attempt, context });
  if (risk !== 'allow') {
    await store.giveBack({ subject, ticket });
    const reason = risk === 'deny' ? 'denied' : 'step_up';
    await record(event(risk === 'deny' ? 'rejected' : 'step_up_required', { reason }));
    return { ok: false, reason };
  }

  // 4. Compare. A fault before the verdict gives the attempt back; from here on nothing does, right code or wrong,
  // or a caller who can make the audit fail would guess for nothing.
  let comparison: Comparison;
  let isCompared = false;
  try {
    const onVerdict = (): void => void (isCompared = true);
    const target = current === null ? dummy : wellFormed('set', current);
    comparison = await compare(config, {
      target,
      userId: current && userId !== null ? userId : '',
      typed,
      reading,
      channel,
      onVerdict,
    });
  } catch (error) {
    if (!isCompared) await giveBackIfPossible(config, subject, ticket);
    if (!(error instanceof GateBusy)) throw error;
    await record(event('rejected', { reason: 'busy' }));
    return { ok: false, reason: 'busy', retryAfterSeconds: MAX_WAIT_SECONDS };
  }

  const { match, replacement } = comparison;
  if (current === null) return reject(userId === null ? 'unknown_user' : 'none');
  if (match === null) return reject('mismatch');
  const { setId } = current;
  const { codeId } = match;
  if (match.consumedAt !== null) return reject('reused', { codeId, consumedAt: match.consumedAt });

  // 5. Consume: one transaction decides, also between those who got this far at once.
  const consumed = event('consumed', { setId, codeId });
  const events = replacement
    ? [consumed, event('renewed', { setId, codeId: replacement.record.codeId })]
    : [consumed];
  const milestones = [{ remaining: 0, event: event('exhausted', { setId }) }];
  // A set that began with as few never comes down to them. With a replacement as many are left as before: nothing is reached.
  if (config.lowAt > 0 && !replacement)
    milestones.push({ remaining: config.lowAt, event: event('low', { setId }) });
  const answer = await store.consume({
    subject,
    setId,
    codeId,
    channel,
    now: consumed.at,
    events,
    milestones,
    ...(replacement && { replacement: replacement.record }),
  });
  const consumption = wellFormed('consumption', answer);
  if (consumption.outcome === 'gone') return reject(consumption.reason, { codeId });
  if (consumption.outcome === 'already_consumed')
    return reject('reused', { codeId, consumedAt: consumption.consumedAt });

  // 6. Listeners run after the commit.
  const { remaining, total } = consumption;
  const reached = milestones
    .filter((milestone) => milestone.remaining === remaining)
    .map((milestone) => milestone.event);
  tell([...events, ...reached].map((written) => ({ ...written, remaining, total })));
  return {
    ok: true,
    remaining,
    total,
    low: remaining <= config.lowAt,
    setId,
    codeId,
    expiresAt: current.expiresAt,
    ...(replacement && { replacement: replacement.code }),
  };

  /** Records a failure, and locks the channel with the last attempt it had. */
  async function reject(
    reason: Reason,
    { codeId = null, consumedAt }: { codeId?: string | null; consumedAt?: number } = {},
  ): Promise<Outcome> {
    const setId = current?.setId ?? null;
    const rejected = event('rejected', { reason, setId, codeId });
    const consumedSecondsAgo =
      consumedAt === undefined ? null : Math.max(0, Math.round((rejected.at - consumedAt) / 1000));
    const isLast = ticket.attempt >= waits.length;
    await record(
      { ...rejected, consumedSecondsAgo },
      isLast ? { subject, ticket, now: rejected.at, event: event('locked', { setId }) } : undefined,
    );
    return { ok: false, reason };
  }
}

/** The one slow hash, and the digests of all codes. What is wrong with stored data shows before the hash, as an error. */
async function compare(
  config: Config,
  {
    target,
    userId,
    typed,
    reading,
    channel,
    onVerdict,
  }: {
    target: ComparedSet;
    userId: string;
    typed: unknown;
    reading: string;
    channel: CleanContext['channel'];
    onVerdict: () => void;
  },
): Promise<Comparison> {
  const { setId, salt, pepperId, check } = target;
  const format = parseFormat(target.format);
  const hasher = hasherFor(config.hashers, salt, format.bits);
  const binding = { userId, setId, salt };
  const pepperKey = config.pepper.keyOf({ pepperId, check, userId, setId });
  const keyed = async (symbols: string): Promise<Buffer> =>
    keyStretched(await stretch(hasher, symbols, salt), pepperKey, binding);

  return inGate(channel, config.gate, async (place: GatePlace) => {
    // The set's own reading, where it has one; another format's costs the same and matches nothing.
    const own = readCode(format, typed);
    const match = findMatch(await keyed(own ?? reading), target.codes);
    onVerdict();
    const accepted = own === null ? null : match;
    if (accepted === null || accepted.consumedAt !== null || !config.replaceConsumed)
      return { match: accepted, replacement: null };
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      await place.yield();
      const [symbols = ''] = generateCodes(format, 1);
      const fresh = await keyed(symbols);
      // None that the set has or had: a spent code would come back, or one code work twice.
      if (findMatch(fresh, target.codes) === null)
        return {
          match: accepted,
          replacement: { code: showCode(format, symbols), record: recordCode(fresh) },
        };
    }
    throw new BackupCodeError('invalid_result', 'A hasher gave the same hash for several codes.');
  });
}

/** As far as the store still answers; the fault that brought us here is the one that is thrown. */
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

/** What a user without a set is compared with: of the newest configuration, as large as a set is. */
export function dummySet({
  formats: [format],
  hashers: [hasher],
  pepper: { newest },
  count,
}: Config): ComparedSet {
  const [setId, keyed] = [randomBytes(16).toString('hex'), randomBytes(32)];
  return {
    setId,
    format: serializeFormat(format),
    salt: freshSalt(hasher),
    pepperId: newest.id,
    check: checkOf(newest.key, { userId: '', setId }),
    total: count,
    remaining: count,
    createdAt: 0,
    expiresAt: null,
    lastConsumedAt: null,
    codes: Array.from({ length: count }, () => ({ ...recordCode(keyed), consumedAt: null })),
  };
}
