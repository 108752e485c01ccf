// The contract of an approval store, and of two-person approval over it under concurrency. The same
// tests run on every store.
import { randomBytes } from 'node:crypto';
import type { ApprovalRecord, ApprovalStore } from '../../lib/approval';
import { KEPT_MS } from '../../lib/approval/approval-store';
import { START } from './clock';
import {
  accepted,
  makeApprovedRequest,
  makeRequest,
  openOffice,
  PROPOSAL,
  type OfficeStores,
} from './office';
import { atOnce } from './service';

const TIMES = 50;
const WINDOW_MS = 900_000;

/** Opens empty stores. `another` are stores on the same data, as on another machine. */
export type OpenStores = () => Promise<OfficeStores & { another: OfficeStores }>;

export function newRecord(changes: Partial<ApprovalRecord> = {}): ApprovalRecord {
  return {
    id: randomBytes(16).toString('hex'),
    state: 'requested',
    action: 'open "vault"',
    target: `target-${randomBytes(8).toString('hex')}`,
    parameters: '{"a":"\\u0000\u{1f511}"}',
    digest: 'd'.repeat(64),
    requestedBy: 'ada',
    requestedIn: 'e'.repeat(64),
    requestedAt: START,
    expiresAt: START + WINDOW_MS,
    approvedBy: null,
    approvedAt: null,
    ...changes,
  };
}

export function approvalTests(open: OpenStores): void {
  describe('the contract of an approval store', () => {
    let store: ApprovalStore;
    let another: ApprovalStore;
    beforeEach(async () => {
      const opened = await open();
      store = opened.approvals;
      another = opened.another.approvals;
    });
    const read = async (id: string): Promise<ApprovalRecord | undefined> =>
      (await another.update(id, () => null))?.record;

    it('a stored record is read back unchanged', async () => {
      for (const record of [
        newRecord(),
        newRecord({ requestedIn: null }),
        newRecord({ approvedBy: 'b\0b "\u{1f511}\\', approvedAt: START + 1, state: 'approved' }),
        newRecord({ target: 'x'.repeat(255), action: 'Ä', parameters: `"${'y'.repeat(9998)}"` }),
      ]) {
        expect(await store.create(record)).toBe(true);
        expect(await read(record.id)).toEqual(record);
      }
    });

    it('an update of a record that does not exist returns null', async () => {
      expect(await store.update('0'.repeat(32), (record) => record)).toBeNull();
    });

    it('a change replaces the whole record, and null leaves it unchanged', async () => {
      const record = newRecord();
      await store.create(record);
      const changed = {
        ...record,
        state: 'approved',
        approvedBy: 'bob',
        approvedAt: START + 5,
      } as const;
      expect(await store.update(record.id, () => changed)).toEqual({
        record: changed,
        isChanged: true,
      });
      expect(await store.update(record.id, () => null)).toEqual({
        record: changed,
        isChanged: false,
      });
      expect(await read(record.id)).toEqual(changed);
    });

    it('a target has one open record, and targets are compared exactly', async () => {
      const { target } = newRecord();
      expect(await store.create(newRecord({ target }))).toBe(true);
      expect(await another.create(newRecord({ target }))).toBe(false);
      for (const other of [target.toUpperCase(), `${target} `, target.replace('a', 'à')])
        expect(await store.create(newRecord({ target: other }))).toBe(true);
    });

    it.each(['executed', 'failed', 'denied', 'cancelled', 'expired'] as const)(
      'a record in the final state %s leaves its target free',
      async (state) => {
        const record = newRecord();
        await store.create(record);
        await store.update(record.id, (found) => ({ ...found, state }));
        expect(await another.create(newRecord({ target: record.target }))).toBe(true);
      },
    );

    it.each(['requesting', 'requested', 'approving', 'approved', 'executing'] as const)(
      'a record in the open state %s leaves its target free at expiresAt, to the millisecond',
      async (state) => {
        const record = newRecord({ state });
        await store.create(record);
        expect(
          await another.create(
            newRecord({ target: record.target, requestedAt: record.expiresAt - 1 }),
          ),
        ).toBe(false);
        expect(
          await another.create(
            newRecord({
              target: record.target,
              requestedAt: record.expiresAt,
              expiresAt: record.expiresAt + WINDOW_MS,
            }),
          ),
        ).toBe(true);
      },
    );

    it('a change of an expired record does not free the target of a newer record', async () => {
      const old = newRecord();
      const next = newRecord({
        target: old.target,
        requestedAt: old.expiresAt,
        expiresAt: old.expiresAt + WINDOW_MS,
      });
      expect([await store.create(old), await store.create(next)]).toEqual([true, true]);
      await store.update(old.id, (record) => ({ ...record, state: 'expired' }));
      expect(
        await another.create({
          ...newRecord(),
          target: old.target,
          requestedAt: next.requestedAt,
          expiresAt: next.expiresAt,
        }),
      ).toBe(false);
    });

    it('a record is kept for thirty days after expiresAt', async () => {
      const record = newRecord();
      await store.create(record);
      await store.create(
        newRecord({
          requestedAt: record.expiresAt + KEPT_MS - 1,
          expiresAt: record.expiresAt + KEPT_MS,
        }),
      );
      expect(await read(record.id)).toEqual(record);
    });

    it(`of ${TIMES} concurrent records for one target, one is created`, async () => {
      const { target } = newRecord();
      const created = await atOnce(TIMES, (n) =>
        (n % 2 ? store : another).create(newRecord({ target })),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
    });

    it(`of ${TIMES} concurrent changes from one state, one is made`, async () => {
      const record = newRecord();
      await store.create(record);
      const results = await atOnce(TIMES, (n) =>
        (n % 2 ? store : another).update(record.id, (found) =>
          found.state === 'requested'
            ? { ...found, state: 'approving', approvedBy: `person-${n}` }
            : null,
        ),
      );
      const winners = results.filter((result) => result?.isChanged);
      expect(winners).toHaveLength(1);
      expect(await read(record.id)).toEqual(winners[0]?.record);
    });

    it('no concurrent change is lost', async () => {
      const record = newRecord({ parameters: '0' });
      await store.create(record);
      await atOnce(20, (n) =>
        (n % 2 ? store : another).update(record.id, (found) => ({
          ...found,
          parameters: String(Number(found.parameters) + 1),
        })),
      );
      expect(await read(record.id)).toEqual({ ...record, parameters: '20' });
    });
  });

  describe('two-person approval over the store', () => {
    it(`${TIMES} concurrent executions on two machines run the action once`, async () => {
      const stores = await open();
      const office = openOffice({}, stores);
      const otherMachine = office.anotherInstance({ store: stores.another.approvals });
      const { id, digest } = await makeApprovedRequest(office);
      const outcomes = await atOnce(TIMES, (n) =>
        (n % 2 ? office.approval : otherMachine).execute(n % 3 ? 'ada' : 'bob', { id, digest }),
      );
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
      expect(
        outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'not_open'),
      ).toHaveLength(TIMES - 1);
      expect(office.executed).toEqual([PROPOSAL]);
      expect(office.events.filter(({ type }) => type === 'approval_executed')).toHaveLength(1);
    });

    it('of many concurrent requests for one target, one consumes a code', async () => {
      const office = openOffice({}, await open());
      const people = Array.from({ length: 8 }, (_, n) => `person-${n}`);
      const codes = await Promise.all(people.map((person) => office.unusedCode(person)));
      const outcomes = await Promise.all(
        people.map((person, n) => office.approval.request(person, { ...PROPOSAL, code: codes[n] })),
      );
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
      expect(
        (await Promise.all(people.map((person) => office.consumedCount(person)))).reduce(
          (sum, count) => sum + count,
        ),
      ).toBe(1);
    });

    it('of many concurrent approvers, one consumes a code and is the approver', async () => {
      const stores = await open();
      const office = openOffice({}, stores);
      const otherMachine = office.anotherInstance({ store: stores.another.approvals });
      const { id, digest } = await makeRequest(office);
      const people = Array.from({ length: 8 }, (_, n) => `person-${n}`);
      const codes = await Promise.all(people.map((person) => office.unusedCode(person)));
      const outcomes = await Promise.all(
        people.map((person, n) =>
          (n % 2 ? office.approval : otherMachine).approve(person, { id, digest, code: codes[n] }),
        ),
      );
      const winners = people.filter((_, n) => outcomes[n]?.ok);
      expect(winners).toHaveLength(1);
      expect(await office.approval.show(id)).toMatchObject({
        state: 'approved',
        approvedBy: winners[0],
      });
      expect(
        (await Promise.all(people.map((person) => office.consumedCount(person)))).reduce(
          (sum, count) => sum + count,
        ),
      ).toBe(1);
    });

    it('a denial and an execution at the same time never both succeed', async () => {
      for (let round = 0; round < 10; round += 1) {
        const stores = await open();
        const office = openOffice({}, stores);
        const otherMachine = office.anotherInstance({ store: stores.another.approvals });
        const { id, digest } = await makeApprovedRequest(office);
        const [executed, denied] = await Promise.all([
          office.approval.execute('ada', { id, digest }),
          otherMachine.deny('carol', { id }),
        ]);
        expect([executed.ok, denied.ok].filter(Boolean)).toHaveLength(1);
        expect(office.executed).toHaveLength(executed.ok ? 1 : 0);
        expect(await office.approval.show(id)).toMatchObject({
          state: executed.ok ? 'executed' : 'denied',
        });
      }
    });

    it('each step is in the audit trail, with its target', async () => {
      const office = openOffice({}, await open());
      const { id, digest } = await makeApprovedRequest(office, { target: 'a "target"\n\0' });
      accepted(await office.approval.execute('bob', { id, digest }));
      // audit.record replaces control characters. The request itself keeps the target exactly.
      expect(office.events.map(({ type, details }) => [type, details?.['target']])).toEqual(
        ['requested', 'granted', 'executing', 'executed'].map((step) => [
          `approval_${step}`,
          'a "target"',
        ]),
      );
      expect(await office.approval.show(id)).toMatchObject({ target: 'a "target"\n\0' });
    });
  });
}
