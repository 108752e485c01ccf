// Audit events for the mapping tests: any event that the type allows, and the ones a service
// writes.
import fc from 'fast-check';
import {
  BackupCodes,
  formats,
  MemoryStore,
  type AuditEvent,
  type AuditEventType,
  type Channel,
  type EventReason,
} from '../../lib';
import { MemoryApprovalStore, TwoPersonApproval, type ApprovalReason } from '../../lib/approval';
import { cleanContext } from '../../lib/audit/context';
import { auditEvent } from '../../lib/audit/events';
import { DAY_MS, fakeClock, type FakeClock } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { WRONG, WRONG_ON_BOTH } from '../helpers/service';

/** A record, so that the compiler reports a reason that is missing here. */
const reasons: Record<EventReason, true> = {
  malformed: true,
  mismatch: true,
  reused: true,
  expired: true,
  none: true,
  unknown_user: true,
  throttled: true,
  locked: true,
  denied: true,
  step_up: true,
  busy: true,
  unknown_pepper: true,
  wrong_pepper: true,
  unreadable_hash: true,
  unreadable_set: true,
};
const REASONS = Object.keys(reasons) as EventReason[];
const CHANNELS: readonly Channel[] = ['second_factor', 'recovery'];

/** Every field except type, reason and channel. */
const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
const count = fc.option(fc.nat());
const anyRest = fc.record({
  at: fc.integer({ min: 0, max: Date.UTC(9999, 0) }),
  userId: fc.option(
    fc.oneof(
      text,
      fc.constantFrom('ada', 'ada\r\n{"event":"forged"}', 'a,maxretries', '\u2028\u0085\u202e'),
    ),
  ),
  namespace: fc.option(fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/)),
  setId: fc.option(fc.uuid()),
  codeId: fc.option(fc.uuid()),
  remaining: count,
  total: count,
  consumedSecondsAgo: count,
  refusals: count,
  details: fc.option(
    fc.oneof(
      fc.record({
        approval_id: fc.option(fc.uuid()),
        action: fc.option(text),
        target: fc.option(fc.oneof(text, fc.constant('vault\r\n{"forged"}'))),
        reason: fc.option(fc.constantFrom<ApprovalReason>('late', 'same_person', 'is_target')),
      }),
      fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null))),
    ),
  ),
  context: fc.record({
    ip: fc.option(
      fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('fe80::1%eth0', 'unknown', 'unix:'), text),
    ),
    userAgent: fc.option(text),
    requestId: fc.option(text),
    actor: fc.option(text),
  }),
});

/**
 * Types that no vocabulary knows: an app's own, and what a later version or another store may
 * write.
 */
export const anyUnknownType: fc.Arbitrary<string> = fc.oneof(
  fc.stringMatching(/^app_[a-z0-9_]{1,28}$/),
  fc.constantFrom('app_phone_changed', 'approval_', 'toString', '__proto__', ''),
  text,
);

/** Events of this type, with every reason on every channel. */
export function anyEvents(type: AuditEventType): fc.Arbitrary<AuditEvent[]> {
  return anyRest.map(({ context, ...rest }) =>
    [null, ...REASONS].flatMap((reason) =>
      CHANNELS.map((channel) =>
        auditEvent(type, {
          ...rest,
          reason,
          context: cleanContext({ ...dropNulls(context), channel }),
        }),
      ),
    ),
  );
}

function dropNulls(fields: Record<string, string | null>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

export interface ServiceOutput {
  /** The audit trail, and the events that only listeners receive. */
  readonly events: readonly AuditEvent[];
  /** Every code that existed. */
  readonly codes: readonly string[];
}

export const CONTEXT = { ip: '192.0.2.7', userAgent: 'Firefox/140.0', requestId: 'r-1' } as const;

/** Runs a service through everything that can happen: it writes an event of each type. */
export async function runEveryOperation(userId: string): Promise<ServiceOutput> {
  const [store, clock, hasher] = [new MemoryStore(), fakeClock(), countingHasher()];
  const format = [formats.standard, formats.recovery];
  const shared = { store, hasher, now: clock.now, count: 5, format };
  const usual = new BackupCodes({ ...shared, attempts: { free: 3, lockAfter: 5 } });
  const received: AuditEvent[] = [];
  usual.on('rejected', (event) => {
    if (event.reason === 'malformed') received.push(event);
  });

  const printed = ['BBBB-BBBB', 'CCCC-CCCC'];
  await usual.adopt(userId, printed, { format: formats.standard, context: CONTEXT });
  const { codes } = await usual.issue(userId, CONTEXT);
  for (const code of codes) {
    const outcome = await usual.consume(userId, code, CONTEXT);
    if (outcome.ok && outcome.remaining === 0) {
      await usual.recordUnfinishedLogin(userId, outcome, CONTEXT);
      await usual.resumeLogin(userId, outcome, { ...CONTEXT, loginId: 'a pending login' });
    }
  }
  clock.advance(60_000);
  await usual.consume(userId, codes[0], CONTEXT);
  await usual.consume(userId, '123456', CONTEXT);
  await usual.rejectUnknownUser('nobody', WRONG_ON_BOTH, { ...CONTEXT, channel: 'recovery' });

  const staged = await usual.stage(userId, CONTEXT);
  await usual.activate(userId, staged.setId, CONTEXT);
  for (let attempt = 1; attempt <= 7; attempt += 1) {
    await usual.consume(userId, WRONG_ON_BOTH, CONTEXT);
    if (attempt >= 4) clock.advance(DAY_MS);
  }
  await usual.unlock(userId, 'second_factor', { ...CONTEXT, actor: 'admin-7' });
  const cautious = new BackupCodes({
    ...shared,
    assessRisk: ({ context }) => (context.userAgent === CONTEXT.userAgent ? 'step_up' : 'deny'),
  });
  await cautious.consume(userId, staged.codes[0], CONTEXT);
  await cautious.consume(userId, staged.codes[0], { ...CONTEXT, userAgent: 'curl' });
  const generous = new BackupCodes({ ...shared, replaceConsumed: true });
  const outcome = await generous.consume(userId, staged.codes[0], CONTEXT);
  const replacement = 'replacement' in outcome ? outcome.replacement : undefined;
  if (replacement === undefined) throw new Error('There was no replacement.');

  const others = await runEveryApproval(usual, userId, clock);
  await usual.revoke(userId, { ...CONTEXT, actor: 'admin-7' });
  const last = await usual.issue(userId, { ...CONTEXT, actor: 'admin-7' });
  for (const days of [340, 30]) {
    clock.advance(days * DAY_MS);
    await usual.audit.recordReminders();
  }
  const lost = auditEvent('rejected', {
    at: clock.now(),
    userId,
    reason: 'mismatch',
    context: cleanContext(CONTEXT),
  });
  await usual.audit.replay([lost], { actor: 'admin-7' });
  const ofBank = new BackupCodes({ ...shared, namespace: 'bank' });
  const { codes: forgotten } = await ofBank.issue(userId, CONTEXT);
  await ofBank.forget(userId, { audit: 'erase', actor: 'admin-7' });
  return {
    events: [...store.auditTrail, ...received],
    codes: [
      ...printed,
      ...codes,
      ...staged.codes,
      replacement,
      ...others,
      ...last.codes,
      ...forgotten,
    ],
  };
}

/** Requests with every possible end. Returns the codes. */
async function runEveryApproval(
  backupCodes: BackupCodes,
  userId: string,
  clock: FakeClock,
): Promise<readonly string[]> {
  const approval = new TwoPersonApproval({
    store: new MemoryApprovalStore(),
    backupCodes,
    now: clock.now,
    isEntitled: () => true,
    actions: { open: () => undefined, break: () => Promise.reject(new Error('stuck')) },
  });
  const { codes: first } = await backupCodes.issue(userId, CONTEXT);
  const { codes: second } = await backupCodes.issue('second', CONTEXT);
  const all = [...first, ...second];
  const ask = async (action: string): Promise<{ id: string; digest: string }> => {
    const outcome = await approval.request(
      userId,
      { action, target: 'vault', code: first.pop() },
      CONTEXT,
    );
    if (!outcome.ok) throw new Error(`It was refused: ${outcome.reason}`);
    return outcome.approval;
  };
  for (const action of ['open', 'break']) {
    const { id, digest } = await ask(action);
    await approval.approve('second', { id, digest, code: second.pop() }, CONTEXT);
    await approval.execute('second', { id, digest }, CONTEXT).catch(() => undefined);
  }
  const denied = await ask('open');
  await approval.approve(userId, { ...denied, code: WRONG }, CONTEXT);
  await approval.deny('second', denied, CONTEXT);
  await approval.cancel(userId, await ask('open'), CONTEXT);
  const late = await ask('open');
  clock.advance(DAY_MS);
  await approval.show(late.id);
  return all;
}
