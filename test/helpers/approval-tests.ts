// What a store of approvals promises, and what two people may rely on over it when many act at once. The same tests on every store.
import { randomBytes } from 'node:crypto';
import type { ApprovalRecord, ApprovalStore } from '../../lib/approval';
import { KEPT_MS } from '../../lib/approval/store';
import { START } from './clock';
import { approved, ok, openOffice, PROPOSAL, requested, type Stores } from './office';
import { atOnce } from './service';

const TIMES = 50;
const WINDOW_MS = 900_000;

/** Stores that hold nothing yet; `another` are others on the same data, as on another machine. */
export type OpenStores = () => Promise<Stores & { another: Stores }>;

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
  describe('the contract', () => {
    let store: ApprovalStore;
    let another: ApprovalStore;
    beforeEach(async () => {
      const opened = await open();
      [store, another] = [opened.approvals, opened.another.approvals];
    });
    const read = async (id: string): Promise<ApprovalRecord | undefined> =>
      (await another.update(id, () => null))?.record;

    it('a record comes back as it was given', async () => {
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

    it('there is null where there is none', async () => {
      expect(await store.update('0'.repeat(32), (record) => record)).toBeNull();
    });

    it('a change replaces it whole, and none leaves it', async () => {
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

    it('a target has one open record, whatever differs in case, accent or space', async () => {
      const { target } = newRecord();
      expect(await store.create(newRecord({ target }))).toBe(true);
      expect(await another.create(newRecord({ target }))).toBe(false);
      for (const other of [target.toUpperCase(), `${target} `, target.replace('a', 'à')])
        expect(await store.create(newRecord({ target: other }))).toBe(true);
    });

    it.each(['executed', 'failed', 'denied', 'cancelled', 'expired'] as const)(
      'a record that is %s leaves its target to the next',
      async (state) => {
        const record = newRecord();
        await store.create(record);
        await store.update(record.id, (found) => ({ ...found, state }));
        expect(await another.create(newRecord({ target: record.target }))).toBe(true);
      },
    );

    it.each(['requesting', 'requested', 'approving', 'approved', 'executing'] as const)(
      'one that is %s leaves it at its end, to the millisecond',
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

    it('one that is over does not free the target for a third, whatever becomes of it', async () => {
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

    it('it is kept for thirty days after its end, to be told of', async () => {
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

    it(`of ${TIMES} for one target at once one is created`, async () => {
      const { target } = newRecord();
      const created = await atOnce(TIMES, (n) =>
        (n % 2 ? store : another).create(newRecord({ target })),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
    });

    it(`of ${TIMES} changes from one state at once one is made`, async () => {
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

    it('no change is lost among others at once', async () => {
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

  describe('two people', () => {
    it(`${TIMES} executions at once, on two machines, run the action once`, async () => {
      const stores = await open();
      const office = openOffice({}, stores);
      const there = office.another({ store: stores.another.approvals });
      const { id, digest } = await approved(office);
      const outcomes = await atOnce(TIMES, (n) =>
        (n % 2 ? office.approval : there).execute(n % 3 ? 'ada' : 'bob', { id, digest }),
      );
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
      expect(
        outcomes.filter((outcome) => !outcome.ok && outcome.reason === 'not_open'),
      ).toHaveLength(TIMES - 1);
      expect(office.done).toEqual([PROPOSAL]);
      expect(office.told.filter(({ type }) => type === 'approval_executed')).toHaveLength(1);
    });

    it('of many who ask for one target at once one spends a code', async () => {
      const office = openOffice({}, await open());
      const people = Array.from({ length: 8 }, (_, n) => `person-${n}`);
      const codes = await Promise.all(people.map((person) => office.code(person)));
      const outcomes = await Promise.all(
        people.map((person, n) => office.approval.request(person, { ...PROPOSAL, code: codes[n] })),
      );
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
      expect(
        (await Promise.all(people.map((person) => office.consumed(person)))).reduce(
          (sum, count) => sum + count,
        ),
      ).toBe(1);
    });

    it('of many who approve at once one spends a code, and is the second', async () => {
      const stores = await open();
      const office = openOffice({}, stores);
      const there = office.another({ store: stores.another.approvals });
      const { id, digest } = await requested(office);
      const people = Array.from({ length: 8 }, (_, n) => `person-${n}`);
      const codes = await Promise.all(people.map((person) => office.code(person)));
      const outcomes = await Promise.all(
        people.map((person, n) =>
          (n % 2 ? office.approval : there).approve(person, { id, digest, code: codes[n] }),
        ),
      );
      const winners = people.filter((_, n) => outcomes[n]?.ok);
      expect(winners).toHaveLength(1);
      expect(await office.approval.show(id)).toMatchObject({
        state: 'approved',
        approvedBy: winners[0],
      });
      expect(
        (await Promise.all(people.map((person) => office.consumed(person)))).reduce(
          (sum, count) => sum + count,
        ),
      ).toBe(1);
    });

    it('a denial beside an execution: one of the two, never both', async () => {
      for (let round = 0; round < 10; round += 1) {
        const stores = await open();
        const office = openOffice({}, stores);
        const there = office.another({ store: stores.another.approvals });
        const { id, digest } = await approved(office);
        const [executed, denied] = await Promise.all([
          office.approval.execute('ada', { id, digest }),
          there.deny('carol', { id }),
        ]);
        expect([executed.ok, denied.ok].filter(Boolean)).toHaveLength(1);
        expect(office.done).toHaveLength(executed.ok ? 1 : 0);
        expect(await office.approval.show(id)).toMatchObject({
          state: executed.ok ? 'executed' : 'denied',
        });
      }
    });

    it('each step is in the trail, with what it is about', async () => {
      const office = openOffice({}, await open());
      const { id, digest } = await approved(office, { target: 'a "target"\n\0' });
      ok(await office.approval.execute('bob', { id, digest }));
      expect(office.told.map(({ type, approval }) => [type, approval?.target])).toEqual(
        ['requested', 'granted', 'executing', 'executed'].map((step) => [
          `approval_${step}`,
          'a "target"\n\0',
        ]),
      );
    });
  });
}
