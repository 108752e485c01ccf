// What `MemoryStore` does with one exported event: it consumes a code, ends a set or locks the
// second factor, and never does the opposite.
import type { AuditEvent } from '../audit/events';
import { endSet, type User } from './memory-user';
import type { ReplayedChange, ReplayEffect } from './replay-contract';

interface AppliedChange {
  readonly effects: readonly ReplayEffect[];
  /** Whether the set of the event was current once and is not stored. */
  readonly isLost: boolean;
}

interface EventChange {
  readonly event: AuditEvent;
  readonly change: ReplayedChange;
}

export function replayChange(user: User, { event, change }: EventChange): AppliedChange {
  const { at } = event;
  if (change.type === 'second_factor_locked') {
    return { effects: lockSecondFactor(user, at) ? ['locked'] : [], isLost: false };
  }
  if (user.current?.set.setId !== change.setId) {
    if (user.endedSetIds.has(change.setId)) return { effects: [], isLost: false };
    user.hadSet = true;
    return { effects: endOlderSet(user, at) ? ['replaced'] : [], isLost: true };
  }
  if (change.type === 'set_revoked') {
    dropOlderStagedSet(user, at);
    user.revokedAt = Math.max(user.revokedAt, at);
    endSet(user);
    return { effects: ['revoked'], isLost: false };
  }
  const isConsumed = change.type === 'code_consumed' && consumeCode(user, change.codeId, event);
  return { effects: isConsumed ? ['consumed'] : [], isLost: false };
}

/** @returns whether the current set ended */
function endOlderSet(user: User, at: number): boolean {
  dropOlderStagedSet(user, at);
  user.revokedAt = Math.max(user.revokedAt, at);
  if (!user.current || user.current.set.createdAt > at) return false;
  endSet(user);
  return true;
}

function dropOlderStagedSet(user: User, at: number): void {
  if (user.staged && user.staged.header.createdAt <= at) user.staged = null;
}

/** @returns false if the code was consumed before, or is not stored */
function consumeCode(user: User, codeId: string, { id, at }: AuditEvent): boolean {
  if (!user.current) return false;
  const { set, codes } = user.current;
  const index = codes.findIndex((code) => code.codeId === codeId && code.consumedAt === null);
  const code = codes[index];
  if (!code) return false;
  user.current = {
    set: {
      ...set,
      remaining: set.remaining - 1,
      lastConsumedAt: Math.max(set.lastConsumedAt ?? 0, at),
    },
    codes: codes.with(index, { ...code, consumedAt: at, consumptionId: id }),
  };
  return true;
}

function lockSecondFactor(user: User, at: number): boolean {
  const { current, secondFactor } = user;
  if (!current || current.set.createdAt > at || secondFactor.lockedAt !== null) return false;
  secondFactor.lockedAt = at;
  return true;
}
