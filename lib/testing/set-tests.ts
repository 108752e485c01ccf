// Of the store's contract: sets are written whole, replaced in one instant, staged, revoked and consumed.
import assert from 'node:assert/strict';
import { userSubject } from '../stores/subject';
import {
  consumption,
  HOUR_MS,
  newCode,
  newEvent,
  newSet,
  newUser,
  NOW,
  taken,
  userWithSet,
} from './samples';
import type { BackupCodeStore, ConsumeRequest } from '../stores/contract';
import type { Contract } from './store-contract';

export function setTests({ test, readEvents }: Contract): void {
  test('know nothing of a user whom nobody recorded', async (store) => {
    assert.equal(await store.find(newUser()), null);
  });

  test('are found as they were written', async (store) => {
    const { subject, header } = await userWithSet(store);
    const found = await store.find(subject);
    assert.deepEqual(found?.current, { ...header, remaining: header.total, lastConsumedAt: null });
  });

  test('that never expire, and have no pepper, are found as they were written', async (store) => {
    const set = newSet(newUser(), { expiresAt: null });
    const header = { ...set.header, pepperId: null };
    await store.replace({ ...set, header, now: NOW });
    assert.deepEqual((await store.find(set.subject))?.current, {
      ...header,
      remaining: 10,
      lastConsumedAt: null,
    });
  });

  test('come with all their codes to an attempt', async (store) => {
    const { subject, codes } = await userWithSet(store);
    const { current } = await taken(store, subject);
    const byId = (a: { codeId: string }, b: { codeId: string }): number =>
      a.codeId < b.codeId ? -1 : 1;
    assert.deepEqual(
      [...(current?.codes ?? [])].sort(byId),
      codes.map((code) => ({ ...code, consumedAt: null })).sort(byId),
    );
  });

  test('of ids that differ in case, accent, padding or a NUL belong to different users', async (store) => {
    // One beginning for all: only what follows tells them apart.
    const beginning = newUser().userId.slice(0, 20);
    const ids = [
      'ada',
      'ADA',
      'Ada',
      '\u00e0da',
      'ada ',
      ' ada',
      'ada\0',
      'ada\t',
      '\u{1f511}'.repeat(60),
    ].map((id) => `${beginning}-${id}`);
    const sets = ids.map((id) => newSet(userSubject(id)));
    for (const set of sets) await store.replace({ ...set, now: NOW });
    for (const { subject, header } of sets)
      assert.equal((await store.find(subject))?.current?.setId, header.setId);
  });

  test('that are replaced are dead at once, and the new one works', async (store) => {
    const old = await userWithSet(store);
    const fresh = newSet(old.subject);
    assert.deepEqual(await store.replace({ ...fresh, now: NOW }), [fresh.event]);
    assert.deepEqual(await store.consume(consumption(old, 0)), { outcome: 'gone', reason: 'none' });
    await consumes(store, consumption(fresh, 0), { remaining: 9, total: 10 });
  });

  test('are written only first, where only the first is asked for', async (store) => {
    const subject = newUser();
    const first = newSet(subject);
    assert.deepEqual(await store.replace({ ...first, now: NOW, only: 'first' }), [first.event]);
    assert.deepEqual(await store.replace({ ...newSet(subject), now: NOW, only: 'first' }), []);
    await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
    assert.deepEqual(await store.replace({ ...newSet(subject), now: NOW, only: 'first' }), []);
    assert.deepEqual(
      (await readEvents(subject.userId)).map(({ type }) => type),
      ['issued', 'revoked'],
    );
  });

  test('that are staged do not work, and the current one goes on', async (store) => {
    const old = await userWithSet(store);
    const staged = newSet(old.subject, { type: 'staged' });
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    assert.deepEqual(await store.consume(consumption(staged, 0)), {
      outcome: 'gone',
      reason: 'none',
    });
    await consumes(store, consumption(old, 0), { remaining: 9, total: 10 });
  });

  test('that are staged for a user without a set give none before they are activated', async (store) => {
    const staged = newSet(newUser());
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    assert.equal((await store.find(staged.subject))?.current ?? null, null);
    assert.equal((await taken(store, staged.subject)).current, null);
  });

  test('are activated by their id, once, and replace the old one', async (store) => {
    const old = await userWithSet(store);
    const staged = newSet(old.subject, { count: 8, type: 'staged' });
    const {
      subject,
      header: { setId },
    } = staged;
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    const activate = { subject, setId, now: NOW + HOUR_MS - 1 };
    const event = newEvent('activated', subject, { setId });
    assert.deepEqual(await store.activate({ ...activate, setId: old.header.setId, event }), []);
    assert.deepEqual(await store.activate({ ...activate, event }), [
      { ...event, remaining: 8, total: 8 },
    ]);
    assert.deepEqual(await store.activate({ ...activate, event }), []);
    assert.deepEqual(await store.consume(consumption(old, 0)), { outcome: 'gone', reason: 'none' });
    await consumes(store, consumption(staged, 0), { remaining: 7, total: 8 });
    const [, , activated] = await readEvents(subject.userId);
    assert.deepEqual(
      [activated?.type, activated?.setId, activated?.remaining, activated?.total],
      ['activated', setId, 8, 8],
    );
  });

  test('that are staged end with their time, to the millisecond', async (store) => {
    const staged = newSet(newUser());
    const {
      subject,
      header: { setId },
    } = staged;
    await store.stage({ ...staged, until: NOW + HOUR_MS });
    assert.deepEqual(
      await store.activate({
        subject,
        setId,
        now: NOW + HOUR_MS,
        event: newEvent('activated', subject),
      }),
      [],
    );
  });

  for (const [what, end] of [
    ['a later staged one', 'stage'],
    ['a set issued meanwhile', 'replace'],
    ['a revocation', 'revoke'],
  ] as const) {
    test(`that are staged are dropped by ${what}`, async (store) => {
      const { subject } = await userWithSet(store);
      const staged = newSet(subject);
      await store.stage({ ...staged, until: NOW + HOUR_MS });
      if (end === 'stage') await store.stage({ ...newSet(subject), until: NOW + HOUR_MS });
      else if (end === 'replace') await store.replace({ ...newSet(subject), now: NOW });
      else await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
      assert.deepEqual(
        await store.activate({
          subject,
          setId: staged.header.setId,
          now: NOW,
          event: newEvent('activated', subject),
        }),
        [],
      );
    });
  }

  test('that are revoked are dead at once', async (store) => {
    const set = await userWithSet(store);
    const { subject, header } = set;
    const event = newEvent('revoked', subject);
    assert.deepEqual(await store.revoke({ subject, now: NOW, event }), [
      { ...event, setId: header.setId },
    ]);
    assert.deepEqual(await store.revoke({ subject, now: NOW, event }), []);
    assert.equal((await store.find(subject))?.current ?? null, null);
    assert.equal((await taken(store, subject)).current, null);
    assert.deepEqual(await store.consume(consumption(set, 0)), { outcome: 'gone', reason: 'none' });
    const events = await readEvents(subject.userId);
    assert.deepEqual(
      events.map(({ type, setId }) => [type, setId]),
      [
        ['issued', header.setId],
        ['revoked', header.setId],
      ],
    );
  });

  test('of a user who never had one cannot be revoked', async (store) => {
    const subject = newUser();
    assert.deepEqual(
      await store.revoke({ subject, now: NOW, event: newEvent('revoked', subject) }),
      [],
    );
    assert.deepEqual(await readEvents(subject.userId), []);
  });

  test('expire to the millisecond', async (store) => {
    const set = await userWithSet(store, { expiresAt: NOW + HOUR_MS });
    assert.deepEqual(await store.consume(consumption(set, 0, { now: NOW + HOUR_MS })), {
      outcome: 'gone',
      reason: 'expired',
    });
    assert.deepEqual(await store.consume(consumption(set, 0, { now: NOW + HOUR_MS + 1 })), {
      outcome: 'gone',
      reason: 'expired',
    });
    await consumes(store, consumption(set, 0, { now: NOW + HOUR_MS - 1 }), {
      remaining: 9,
      total: 10,
    });
  });

  test('give each code once, and count down exactly', async (store) => {
    const set = await userWithSet(store, { count: 3 });
    for (const index of [0, 1, 2]) {
      await consumes(store, consumption(set, index, { now: NOW + index }), {
        remaining: 2 - index,
        total: 3,
      });
      assert.deepEqual(await store.consume(consumption(set, index)), {
        outcome: 'already_consumed',
        consumedAt: NOW + index,
      });
    }
    const current = (await store.find(set.subject))?.current;
    assert.deepEqual([current?.remaining, current?.lastConsumedAt], [0, NOW + 2]);
    assert.deepEqual(
      (await readEvents(set.subject.userId)).map(({ type, codeId, remaining }) => [
        type,
        codeId,
        remaining,
      ]),
      [
        ['issued', null, 3],
        ...set.codes.map(({ codeId }, index) => ['consumed', codeId, 2 - index]),
      ],
    );
  });

  test("do not give a code of another user's, or under another set's id", async (store) => {
    const [ada, bob] = [await userWithSet(store), await userWithSet(store)];
    const foreign = { ...consumption(ada, 0), codeId: bob.codes[0]?.codeId ?? '' };
    assert.deepEqual(await store.consume(foreign), { outcome: 'gone', reason: 'none' });
    assert.deepEqual(
      [
        (await store.find(ada.subject))?.current?.remaining,
        (await store.find(bob.subject))?.current?.remaining,
      ],
      [10, 10],
    );
    assert.equal((await store.consume(consumption(bob, 0))).outcome, 'consumed');
  });

  test('write a milestone with the code that reaches it, and only then', async (store) => {
    const set = await userWithSet(store, { count: 3 });
    for (const index of [0, 1, 2]) {
      const milestones = [
        { remaining: 1, event: newEvent('low', set.subject) },
        { remaining: 0, event: newEvent('exhausted', set.subject) },
      ];
      await store.consume(consumption(set, index, { milestones }));
    }
    assert.deepEqual(
      (await readEvents(set.subject.userId)).map(({ type, remaining }) => [type, remaining]),
      [
        ['issued', 3],
        ['consumed', 2],
        ['consumed', 1],
        ['low', 1],
        ['consumed', 0],
        ['exhausted', 0],
      ],
    );
  });

  test('take a replacement with the code it is for, and keep their number', async (store) => {
    const set = await userWithSet(store, { count: 2 });
    const replacement = newCode();
    await consumes(store, consumption(set, 0, { replacement }), { remaining: 2, total: 3 });
    await consumes(store, consumption({ ...set, codes: [replacement] }, 0), {
      remaining: 1,
      total: 3,
    });
    const { current } = await taken(store, set.subject);
    assert.deepEqual([current?.codes.length, current?.total], [3, 3]);
  });

  test('take no replacement for a code that was not consumed', async (store) => {
    const set = await userWithSet(store, { count: 2 });
    await store.consume(consumption(set, 0));
    await store.consume(consumption(set, 0, { replacement: newCode() }));
    const { current } = await taken(store, set.subject);
    assert.deepEqual([current?.codes.length, current?.total, current?.remaining], [2, 2, 1]);
  });

  test('are counted under one key for names that belong to nobody', async (store) => {
    const [key, again] = [await store.nameKey(), await store.nameKey()];
    assert.equal(key.length, 32);
    assert.deepEqual(Buffer.from(key), Buffer.from(again));
  });
}

/** Consumes a code, and checks the result and the events that are returned with it. */
async function consumes(
  store: BackupCodeStore,
  request: ConsumeRequest,
  left: { readonly remaining: number; readonly total: number },
): Promise<void> {
  assert.deepEqual(await store.consume(request), {
    outcome: 'consumed',
    ...left,
    events: request.events.map((event) => ({ ...event, ...left })),
  });
}
