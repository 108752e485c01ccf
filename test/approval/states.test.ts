// Any steps by anybody in any order, against a model of the states: what happens, and what never does.
import fc from 'fast-check';
import type { ApprovalState } from '../../lib/approval';
import { openOffice, PROPOSAL } from '../helpers/office';
import { WRONG } from '../helpers/service';

const PEOPLE = ['ada', 'bob', 'carol', 'target'] as const;
type Person = (typeof PEOPLE)[number];
interface Step {
  readonly what: 'request' | 'approve' | 'deny' | 'cancel' | 'execute' | 'wait';
  readonly who: Person;
  readonly isRight: boolean;
}

const WINDOW_MS = 900_000;
const WAIT_MS = 400_000;
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
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
  who: fc.constantFrom(...PEOPLE),
  isRight: fc.constantFrom(true, true, true, false),
});

/** What the world should look like, written anew and without a store. */
class Model {
  state: ApprovalState | null = null;
  by: Person | null = null;
  second: Person | null = null;
  until = 0;
  now = 0;
  runs = 0;

  /** Whether it succeeds. `canPay`: the code is right and not throttled. */
  take({ what, who }: Step, canPay: boolean): boolean {
    if (
      this.state !== null &&
      ['requested', 'approved'].includes(this.state) &&
      this.now >= this.until
    )
      this.state = 'expired';
    const isPending = this.state === 'requested' || this.state === 'approved';
    switch (what) {
      case 'wait':
        this.now += WAIT_MS;
        return true;
      case 'request':
        if (who === 'target' || isPending || !canPay) return false;
        [this.state, this.by, this.second, this.until] = [
          'requested',
          who,
          null,
          this.now + WINDOW_MS,
        ];
        return true;
      case 'approve':
        if (this.state !== 'requested' || who === 'target' || who === this.by || !canPay)
          return false;
        [this.state, this.second] = ['approved', who];
        return true;
      case 'deny':
        if (!isPending) return false;
        this.state = 'denied';
        return true;
      case 'cancel':
        if (!isPending || who !== this.by) return false;
        this.state = 'cancelled';
        return true;
      case 'execute':
        if (this.state !== 'approved' || (who !== this.by && who !== this.second)) return false;
        this.state = 'executed';
        this.runs += 1;
        return true;
    }
  }
}

it('any sequence of steps goes as the model does: nothing runs without two, in time, and more than once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 30, size: 'max' }),
      async (steps) => {
        const [office, model] = [openOffice(), new Model()];
        let current = { id: '0'.repeat(32), digest: '' };
        for (const taken of steps) {
          const { what, who, isRight } = taken;
          if (what === 'wait') {
            office.clock.advance(WAIT_MS);
            model.take(taken, true);
            continue;
          }
          // A new set each time: how codes are throttled is told elsewhere.
          const {
            codes: [right],
          } = await office.backupCodes.issue(who);
          const code = isRight ? right : WRONG;
          const outcome =
            what === 'request'
              ? await office.approval.request(who, { ...PROPOSAL, target: 'target', code })
              : await office.approval[what](who, { ...current, code });
          expect([what, who, outcome.ok]).toEqual([what, who, model.take(taken, isRight)]);
          if (outcome.ok) current = outcome.approval;
          if (outcome.ok)
            expect(outcome.approval).toMatchObject({
              state: model.state,
              requestedBy: model.by,
              approvedBy: model.second,
            });
          expect(office.done).toHaveLength(model.runs);
        }
        // Each run has its two in the trail, and they are two.
        const trail = office.told.filter(({ type }) =>
          ['approval_requested', 'approval_granted', 'approval_executed'].includes(type),
        );
        for (const { approval } of office.told.filter(({ type }) => type === 'approval_executed')) {
          const people = trail
            .filter(
              (event) => event.approval?.id === approval?.id && event.type !== 'approval_executed',
            )
            .map(({ userId }) => userId);
          expect(new Set(people).size).toBe(2);
          expect(people).not.toContain('target');
        }
      },
    ),
    { numRuns: 60 },
  );
});
