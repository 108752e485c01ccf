// Refuses a code: records why, and gives the attempt back if it was not a guess.
import type { CleanContext } from '../audit/context';
import { isSetFault, type EventReason, type Reason } from '../audit/events';
import type { Listeners } from '../audit/listeners';
import { MAX_WAIT_SECONDS } from '../codes/hash-queue';
import { BackupCodeError } from '../errors';
import type { SetWithCodes, Ticket } from '../stores/requests';
import { countedEventId, dayOf, type AttemptSource } from '../stores/refusals';
import type { Config } from './config';
import type { Outcome } from './outcome';

/** What {@link consumeCode} works with. */
export interface ConsumeService {
  readonly config: Config;
  /** Compared with if there is no set, so that the same work is done. */
  readonly dummy: SetWithCodes;
  readonly listeners: Listeners;
}

/** An attempt that was granted, on its way through the steps. */
export interface GrantedAttempt {
  readonly service: ConsumeService;
  readonly userId: string | null;
  readonly source: AttemptSource;
  readonly context: CleanContext;
  readonly loginId: string | null;
  readonly ticket: Ticket;
  readonly current: SetWithCodes | null;
}

/** Records a failure, and locks the channel after its last attempt. */
export async function reject(
  attempt: GrantedAttempt,
  reason: Reason,
  code: { readonly codeId: string | null; readonly consumedAt?: number | null } = { codeId: null },
): Promise<Outcome> {
  const { service, userId, source, context, ticket, current } = attempt;
  const now = service.config.now();
  const common = { at: now, userId, setId: current?.setId ?? null, context };
  const isReused = reason === 'reused' && typeof code.consumedAt === 'number';
  const rejected = service.config.newEvent('rejected', {
    ...common,
    reason,
    codeId: code.codeId,
    consumedSecondsAgo: isReused ? secondsBetween(code.consumedAt, now) : null,
  });
  const isLast =
    source.channel === 'second_factor' &&
    ticket.attempt >= service.config.waits.second_factor.length;
  const lock = isLast
    ? { subject: source.subject, ticket, now, event: service.config.newEvent('locked', common) }
    : undefined;
  service.listeners.notify(await service.config.store.append([rejected], lock));
  return { ok: false, reason };
}

export async function refuseForRisk(
  attempt: GrantedAttempt,
  risk: 'deny' | 'step_up',
): Promise<Outcome> {
  const { service, source, ticket } = attempt;
  await service.config.store.giveBack({ subject: source.subject, ticket });
  const reason = risk === 'deny' ? 'denied' : 'step_up';
  await countRefusal(service, { ...attempt, reason });
  return { ok: false, reason };
}

export async function refuseAsBusy(attempt: GrantedAttempt): Promise<Outcome> {
  await countRefusal(attempt.service, { ...attempt, reason: 'busy' });
  return { ok: false, reason: 'busy', retryAfterSeconds: MAX_WAIT_SECONDS };
}

interface UnchargedRefusal {
  readonly source: AttemptSource;
  readonly userId: string | null;
  readonly context: CleanContext;
  readonly reason: EventReason;
}

/**
 * Records a refusal that charged no attempt, and can therefore be repeated without end: in one
 * event for each day and network, so that the address of an attacker is not hidden by the owner's.
 */
async function countRefusal(
  { config, listeners }: ConsumeService,
  { source, userId, context, reason }: UnchargedRefusal,
): Promise<void> {
  const at = config.now();
  const type = reason === 'step_up' ? 'step_up_required' : 'rejected';
  const event = {
    ...config.newEvent(type, { at, userId, reason, refusals: 1, context }),
    id: countedEventId(source, { reason, period: `${dayOf(at)} ${source.network}` }),
  };
  listeners.notify(await config.store.count({ subject: source.subject, event }));
}

/** The caller throws the fault, whether or not its event can be written. */
export async function recordSetFault(
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
export async function giveBackIfPossible({
  service,
  source,
  ticket,
}: GrantedAttempt): Promise<void> {
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
