// Random steps by random users, compared with a model of the states.
import fc from 'fast-check';
import type { AuditEvent } from '../../lib';
import type { ApprovalState } from '../../lib/approval';
import { openOffice, PROPOSAL } from '../helpers/office';
import { WRONG } from '../helpers/service';

const USERS = ['ada', 'bob', 'carol', 'target'] as const;
type User = (typeof USERS)[number];
interface Step {
  readonly kind: 'request' | 'approve' | 'deny' | 'cancel' | 'execute' | 'wait';
  readonly user: User;
  readonly isValidCode: boolean;
}

const WINDOW_MS = 900_000;
const WAIT_MS = 400_000;
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    'request',
    'request',
    'approve',
    'approve',
    'approve',
    'execute',
    'execute',
    'deny',
    'cancel',
    'wait',
  ),
  user: fc.constantFrom(...USERS),
  isValidCode: fc.constantFrom(true, true, true, false),
});

/** The expected state, written independently of the library and without a store. */
class Model {
  state: ApprovalState | null = null;
  requester: User | null = null;
  approver: User | null = null;
  expiresAt = 0;
  now = 0;
  runs = 0;

  /** Takes a step and returns whether it must succeed. */
  take({ kind, user, isValidCode }: Step): boolean {
    if (
      this.state !== null &&
      ['requested', 'approved'].includes(this.state) &&
      this.now >= this.expiresAt
    )
      this.state = 'expired';
    const isPending = this.state === 'requested' || this.state === 'approved';
    switch (kind) {
      case 'wait':
        this.now += WAIT_MS;
        return true;
      case 'request':
        if (user === 'target' || isPending || !isValidCode) return false;
        this.state = 'requested';
        this.requester = user;
        this.approver = null;
        this.expiresAt = this.now + WINDOW_MS;
        return true;
      case 'approve':
        if (this.state !== 'requested' || !isValidCode) return false;
        if (user === 'target' || user === this.requester) return false;
        this.state = 'approved';
        this.approver = user;
        return true;
      case 'deny':
        if (!isPending) return false;
        this.state = 'denied';
        return true;
      case 'cancel':
        if (!isPending || user !== this.requester) return false;
        this.state = 'cancelled';
        return true;
      case 'execute':
        if (this.state !== 'approved') return false;
        if (user !== this.requester && user !== this.approver) return false;
        this.state = 'executed';
        this.runs += 1;
        return true;
    }
  }
}

it('in any order of steps an action runs at most once, in time, after two people', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30, size: 'max' }),
      async (steps) => {
        const office = openOffice();
        const model = new Model();
        let current = { id: '0'.repeat(32), digest: '' };
        for (const taken of steps) {
          const { kind, user, isValidCode } = taken;
          if (kind === 'wait') {
            office.clock.advance(WAIT_MS);
            model.take(taken);
            continue;
          }
          // A new set for each step, so that no code is throttled.
          const { codes } = await office.backupCodes.issue(user);
          const code = isValidCode ? codes[0] : WRONG;
          const outcome =
            kind === 'request'
              ? await office.approval.request(user, { ...PROPOSAL, target: 'target', code })
              : await office.approval[kind](user, { ...current, code });
          expect([kind, user, outcome.ok]).toEqual([kind, user, model.take(taken)]);
          if (outcome.ok) {
            current = outcome.approval;
            expect(outcome.approval).toMatchObject({
              state: model.state,
              requestedBy: model.requester,
              approvedBy: model.approver,
            });
          }
          expect(office.executed).toHaveLength(model.runs);
        }
        expectTwoPeopleForEachExecution(office.events);
      },
    ),
    { numRuns: 60 },
  );
});

/** Each execution has a request and an approval in the audit trail, by two users. */
function expectTwoPeopleForEachExecution(events: readonly AuditEvent[]): void {
  const executions = events.filter(({ type }) => type === 'approval_executed');
  for (const { details: executed } of executions) {
    const users = events
      .filter(({ type }) => type === 'approval_requested' || type === 'approval_granted')
      .filter(({ details }) => details?.['approval_id'] === executed?.['approval_id'])
      .map(({ userId }) => userId);
    expect(new Set(users).size).toBe(2);
    expect(users).not.toContain('target');
  }
}
