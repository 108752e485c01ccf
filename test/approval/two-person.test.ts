// What two people may do together, and nobody alone: by requirement (NIST SP 800-53, AC-3(2)).
import { inspect } from 'node:util';
import {
  TwoPersonApproval,
  type ApprovalOutcome,
  type TwoPersonApprovalOptions,
} from '../../lib/approval';
import { failure } from '../helpers/errors';
import { approved, ok, openOffice, PROPOSAL, requested, type Office } from '../helpers/office';
import { WRONG } from '../helpers/service';

const refused = (reason: string): unknown => ({ ok: false, reason });
const typesOf = ({ told }: Office): string[] => told.map(({ type }) => type);
const WINDOW_MS = 900_000;

let office: Office;
beforeEach(() => {
  office = openOffice();
});

describe('an action', () => {
  it('runs once two people have each consumed a code of their own for it', async () => {
    const { id, digest } = await approved(office);
    expect(office.done).toEqual([]);
    expect(ok(await office.approval.execute('ada', { id, digest }))).toMatchObject({
      result: 'open',
      approval: { state: 'executed', requestedBy: 'ada', approvedBy: 'bob' },
    });
    expect(office.done).toEqual([PROPOSAL]);
    expect([await office.consumed('ada'), await office.consumed('bob')]).toEqual([1, 1]);
  });

  it('may be run by the second as well, and by nobody else', async () => {
    const { id, digest } = await approved(office);
    expect(await office.approval.execute('eve', { id, digest })).toEqual(refused('not_entitled'));
    expect(ok(await office.approval.execute('bob', { id, digest })).result).toBe('open');
  });

  it('runs once, however often it is asked for', async () => {
    const { id, digest } = await approved(office);
    ok(await office.approval.execute('ada', { id, digest }));
    expect(await office.approval.execute('bob', { id, digest })).toEqual(refused('not_open'));
    expect(office.done).toHaveLength(1);
  });

  it('does not run before the second has approved it', async () => {
    const { id, digest } = await requested(office);
    expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('not_open'));
    expect(office.done).toEqual([]);
  });

  it('called directly, without the two, throws', async () => {
    expect(() => office.approval.assertApproved(PROPOSAL, 'open-vault')).toThrow(
      failure('not_approved'),
    );
    const { id, digest } = await approved(office);
    ok(await office.approval.execute('ada', { id, digest }));
    // What was approved is over once it was run.
    expect(() =>
      office.approval.assertApproved(office.done[0] as typeof PROPOSAL, 'open-vault'),
    ).toThrow(failure('not_approved'));
  });

  it('approved for one thing does nothing else', async () => {
    const approval: TwoPersonApproval = office.another({
      actions: { 'close-vault': (given) => approval.assertApproved(given, 'open-vault') },
    });
    const { id, digest } = ok(
      await approval.request('ada', {
        action: 'close-vault',
        target: 'vault-7',
        code: await office.code('ada'),
      }),
    ).approval;
    ok(await approval.approve('bob', { id, digest, code: await office.code('bob') }));
    await expect(approval.execute('ada', { id, digest })).rejects.toEqual(failure('not_approved'));
  });

  it('that fails is failed, never run again, and what it threw is told', async () => {
    const { id, digest } = await approved(office, { action: 'break' });
    await expect(office.approval.execute('ada', { id, digest })).rejects.toThrow('it is stuck');
    expect(await office.approval.show(id)).toMatchObject({ state: 'failed' });
    expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('not_open'));
    expect(typesOf(office).slice(-3)).toEqual([
      'approval_executing',
      'approval_failed',
      'approval_refused',
    ]);
  });
});

describe('two different people', () => {
  it('the one who asked cannot approve, by any session', async () => {
    const { id, digest } = await requested(office);
    expect(
      await office.approval.approve('ada', {
        id,
        digest,
        code: await office.code('ada'),
        sessionId: 'another',
      }),
    ).toEqual(refused('same_person'));
    expect(await office.consumed('ada')).toBe(1);
  });

  it('nor by another account of the same person', async () => {
    office = openOffice({ personOf: (userId) => userId.split('+')[0]! });
    const { id, digest } = await requested(office);
    expect(
      await office.approval.approve('ada+admin', {
        id,
        digest,
        code: await office.code('ada+admin'),
      }),
    ).toEqual(refused('same_person'));
    expect(await office.consumed('ada+admin')).toBe(0);
  });

  it('nor can another person in the session that asked', async () => {
    const { id, digest } = ok(
      await office.approval.request('ada', {
        ...PROPOSAL,
        code: await office.code('ada'),
        sessionId: 's-1',
      }),
    ).approval;
    expect(
      await office.approval.approve('bob', {
        id,
        digest,
        code: await office.code('bob'),
        sessionId: 's-1',
      }),
    ).toEqual(refused('same_person'));
    expect(await office.consumed('bob')).toBe(0);
    ok(
      await office.approval.approve('bob', {
        id,
        digest,
        code: await office.code('bob'),
        sessionId: 's-2',
      }),
    );
  });

  it('neither is the target, by whatever account', async () => {
    office = openOffice({ personOf: (userId) => userId.split('+')[0]! });
    for (const target of ['ada', 'ada+admin']) {
      expect(
        await office.approval.request('ada', {
          ...PROPOSAL,
          target,
          code: await office.code('ada'),
        }),
      ).toEqual(refused('is_target'));
    }
    const { id, digest } = await requested(office, { target: 'bob+admin' });
    expect(
      await office.approval.approve('bob', { id, digest, code: await office.code('bob') }),
    ).toEqual(refused('is_target'));
    expect([await office.consumed('ada'), await office.consumed('bob')]).toEqual([1, 0]);
  });

  it.each([undefined, '', 7, null])(
    'are not told apart by a personOf that returns %p: an error',
    async (person) => {
      const { id, digest } = await requested(office);
      const unsure = office.another({ personOf: () => person as string });
      await expect(
        unsure.approve('bob', { id, digest, code: await office.code('bob') }),
      ).rejects.toEqual(failure('invalid_result'));
      expect(await office.consumed('bob')).toBe(0);
    },
  );
});

describe('entitlement', () => {
  it.each([
    ['the one who asks', 'ada', 'requester'],
    ['the second', 'bob', 'approver'],
  ])('is asked of %s, with what is to be done', async (_who, userId, role) => {
    const asked: unknown[] = [];
    office = openOffice({ isEntitled: (id, about) => asked.push([id, about]) > 0 });
    await approved(office);
    expect(asked).toContainEqual([userId, { ...PROPOSAL, role }]);
  });

  it.each([false, undefined, 1, 'yes', {}])(
    'is nothing but true: %p is a no, and spends no code',
    async (answer) => {
      office = openOffice({ isEntitled: () => answer as boolean });
      expect(
        await office.approval.request('ada', { ...PROPOSAL, code: await office.code('ada') }),
      ).toEqual(refused('not_entitled'));
      expect(await office.consumed('ada')).toBe(0);
    },
  );

  it.each([
    ['ada', 'approve'],
    ['bob', 'approve'],
    ['ada', 'execute'],
    ['bob', 'execute'],
  ] as const)('lost by %s in between counts for nothing when they %s', async (loser, step) => {
    const entitled = new Set(['ada', 'bob']);
    office = openOffice({ isEntitled: (userId) => entitled.has(userId) });
    const { id, digest } = await (step === 'approve' ? requested : approved)(office);
    entitled.delete(loser);
    const outcome: ApprovalOutcome =
      step === 'approve'
        ? await office.approval.approve('bob', { id, digest, code: await office.code('bob') })
        : await office.approval.execute('ada', { id, digest });
    expect(outcome).toEqual(refused('not_entitled'));
    expect([office.done, await office.consumed('bob')]).toEqual([[], step === 'approve' ? 0 : 1]);
  });

  it('that cannot be asked is an error, and nothing happens', async () => {
    const unsure = office.another({
      isEntitled: () => Promise.reject(new Error('the directory is down')),
    });
    await expect(
      unsure.request('ada', { ...PROPOSAL, code: await office.code('ada') }),
    ).rejects.toThrow('the directory is down');
    expect(await office.consumed('ada')).toBe(0);
  });
});

describe('what is approved', () => {
  it('is shown before: the action, its target and parameters, who asks and until when', async () => {
    const { id } = await requested(office);
    expect(await office.approval.show(id)).toEqual({
      id,
      state: 'requested',
      ...PROPOSAL,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      requestedBy: 'ada',
      requestedAt: office.clock.now(),
      expiresAt: office.clock.now() + WINDOW_MS,
      approvedBy: null,
      approvedAt: null,
    });
  });

  it.each([
    { action: 'close-vault' },
    { target: 'vault-8' },
    { parameters: { reason: 'audit', amount: 4 } },
    { parameters: {} },
  ])('is not %j: its digest is another', async (other) => {
    const { digest } = await requested(office, { target: 'vault-1' });
    const { id, digest: shown } = await requested(office, { ...PROPOSAL, ...other });
    expect(
      await office.approval.approve('bob', { id, digest, code: await office.code('bob') }),
    ).toEqual(refused('changed'));
    expect(await office.consumed('bob')).toBe(0);
    ok(await office.approval.approve('bob', { id, digest: shown, code: await office.code('bob') }));
  });

  it.each(['approve', 'execute'] as const)(
    'and was changed in the store is void when they %s',
    async (step) => {
      const stored = await (step === 'approve' ? requested : approved)(office);
      for (const change of [
        { action: 'close-vault' },
        { target: 'vault-8' },
        { parameters: '{"amount":4000}' },
      ]) {
        const tampered = openOffice(
          {},
          { backup: office.backupCodes['config'].store, approvals: tampering(office, change) },
        );
        const { id, digest } = stored;
        const outcome: ApprovalOutcome =
          step === 'approve'
            ? await tampered.approval.approve('bob', { id, digest, code: await office.code('bob') })
            : await tampered.approval.execute('ada', { id, digest });
        expect(outcome).toEqual(refused('changed'));
        expect(tampered.done).toEqual([]);
      }
      expect(await office.consumed('bob')).toBe(step === 'approve' ? 0 : 1);
    },
  );

  it('is the same however its parameters are ordered', async () => {
    const first = await requested(office, { parameters: { a: 1, b: [{ c: 2, d: 3 }] } });
    const second = await requested(office, {
      target: PROPOSAL.target,
      parameters: { b: [{ d: 3, c: 2 }], a: 1 },
    }).catch(() => null);
    expect(second).toBeNull();
    await office.approval.cancel('ada', { id: first.id });
    expect((await requested(office, { parameters: { b: [{ d: 3, c: 2 }], a: 1 } })).digest).toBe(
      first.digest,
    );
  });

  it.each<[string, object]>([
    ['an unknown action', { action: 'toString' }],
    ['no target', { target: '' }],
    ['a target that is no text', { target: 7 }],
    ['an endless target', { target: 'x'.repeat(256) }],
    ['parameters that are no JSON', { parameters: { at: new Date() } }],
    ['endless parameters', { parameters: 'x'.repeat(10_000) }],
    ['a misspelt field', { params: {} }],
    ['an empty session', { sessionId: '' }],
  ])('cannot be %s: an error, and no code is spent', async (_what, wrong) => {
    await expect(
      office.approval.request('ada', { ...PROPOSAL, ...wrong, code: await office.code('ada') }),
    ).rejects.toEqual(failure('invalid_option'));
    expect(await office.consumed('ada')).toBe(0);
  });
});

describe('the window', () => {
  it.each([
    ['the last millisecond', WINDOW_MS - 1, true],
    ['its end', WINDOW_MS, false],
    ['a millisecond later', WINDOW_MS + 1, false],
  ])('approval at %s: %#', async (_when, after, isInTime) => {
    const { id, digest } = await requested(office);
    const code = await office.code('bob');
    office.clock.advance(after);
    expect(await office.approval.approve('bob', { id, digest, code })).toEqual(
      isInTime ? expect.objectContaining({ ok: true }) : refused('late'),
    );
    expect(await office.consumed('bob')).toBe(isInTime ? 1 : 0);
  });

  it.each([
    [WINDOW_MS - 1, 1],
    [WINDOW_MS, 0],
  ])('execution %i ms after the request runs %i times', async (after, times) => {
    const { id, digest } = await approved(office);
    office.clock.advance(after);
    const outcome = await office.approval.execute('ada', { id, digest });
    expect([outcome.ok, office.done]).toHaveLength(2);
    expect(office.done).toHaveLength(times);
    if (times === 0) expect(outcome).toEqual(refused('late'));
  });

  it('that ends while the code is checked lets nothing happen', async () => {
    const { id, digest } = await requested(office);
    const code = await office.code('bob');
    const consume: typeof office.backupCodes.consume = async (...given) => {
      office.clock.advance(WINDOW_MS);
      return office.backupCodes.consume(...given);
    };
    const slow = office.another({
      backupCodes: {
        consume,
        recordApproval: (...given) => office.backupCodes.recordApproval(...given),
      },
    });
    expect(await slow.approve('bob', { id, digest, code })).toEqual(refused('late'));
    expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('late'));
    expect(office.done).toEqual([]);
  });

  it.each([59, 86_401, 1.5, '900', null])('is not %p seconds', (windowSeconds) => {
    expect(() => office.another({ windowSeconds: windowSeconds as number })).toThrow(
      failure('invalid_option'),
    );
  });

  it('is told once when it is over', async () => {
    const { id } = await requested(office);
    office.clock.advance(WINDOW_MS);
    expect([await office.approval.show(id), await office.approval.show(id)]).toMatchObject([
      { state: 'expired' },
      { state: 'expired' },
    ]);
    expect(typesOf(office)).toEqual(['approval_requested', 'approval_expired']);
  });
});

describe('no', () => {
  it('is final, before the approval and after it', async () => {
    for (const step of [requested, approved]) {
      const { id, digest } = await step(office);
      ok(await office.approval.deny('carol', { id }));
      expect(
        await office.approval.approve('bob', { id, digest, code: await office.code('bob') }),
      ).toEqual(refused('not_open'));
      expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('not_open'));
      expect(await office.approval.show(id)).toMatchObject({ state: 'denied' });
    }
    expect(office.done).toEqual([]);
  });

  it('is said by those alone who might have approved', async () => {
    office = openOffice({ isEntitled: (userId) => userId !== 'eve' });
    const { id } = await requested(office);
    expect(await office.approval.deny('eve', { id })).toEqual(refused('not_entitled'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'requested' });
  });

  it('takes no code, but a cancellation takes the one who asked', async () => {
    const { id } = await requested(office);
    expect(await office.approval.cancel('bob', { id })).toEqual(refused('not_entitled'));
    ok(await office.approval.cancel('ada', { id }));
    expect(await office.approval.cancel('ada', { id })).toEqual(refused('not_open'));
    expect(await office.consumed('ada')).toBe(1);
  });

  it('that comes while the second gives a code wins', async () => {
    const { id, digest } = await requested(office);
    const code = await office.code('bob');
    const consume: typeof office.backupCodes.consume = async (...given) => {
      ok(await office.approval.deny('carol', { id }));
      return office.backupCodes.consume(...given);
    };
    const racing = office.another({
      backupCodes: {
        consume,
        recordApproval: (...given) => office.backupCodes.recordApproval(...given),
      },
    });
    expect(await racing.approve('bob', { id, digest, code })).toEqual(refused('not_open'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'denied' });
  });
});

describe('a code', () => {
  it.each<[string, unknown, string]>([
    ['wrong', WRONG, 'mismatch'],
    ['no code', { $ne: null }, 'malformed'],
    ['missing', undefined, 'malformed'],
  ])('that is %s opens no request, and leaves the target free', async (_what, code, reason) => {
    await office.code('ada');
    expect(await office.approval.request('ada', { ...PROPOSAL, code })).toEqual(refused(reason));
    expect(typesOf(office)).toEqual([]);
    await requested(office);
  });

  it('of another person is none', async () => {
    const { id, digest } = await requested(office);
    await office.code('bob');
    expect(
      await office.approval.approve('bob', { id, digest, code: await office.code('ada') }),
    ).toEqual(refused('mismatch'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'requested', approvedBy: null });
    ok(await office.approval.approve('bob', { id, digest, code: await office.code('bob') }));
  });

  it('is counted and throttled like any other', async () => {
    await office.code('ada');
    const outcomes = [];
    for (let times = 1; times <= 7; times += 1)
      outcomes.push(await office.approval.request('ada', { ...PROPOSAL, code: WRONG }));
    expect(outcomes.at(-1)).toEqual({ ok: false, reason: 'throttled', retryAfterSeconds: 60 });
    expect(office.hasher.count).toBe(10 + 5);
  });
});

describe('a request', () => {
  it('is the only open one of its target', async () => {
    await requested(office);
    expect(
      await office.approval.request('bob', {
        ...PROPOSAL,
        action: 'close-vault',
        code: await office.code('bob'),
      }),
    ).toEqual(refused('open_request'));
    expect(await office.consumed('bob')).toBe(0);
    await requested(office, { target: 'vault-8' });
  });

  it.each(['deny', 'cancel', 'execute', 'expire'] as const)(
    'leaves its target to the next after: %s',
    async (end) => {
      const { id, digest } = await approved(office);
      if (end === 'expire') office.clock.advance(WINDOW_MS);
      else ok(await office.approval[end]('ada', { id, digest }));
      await requested(office);
    },
  );

  it.each(['0'.repeat(32), '', 'nonsense', '../../etc/passwd', 7, null, undefined, { $ne: null }])(
    'that is not there (%p) is neither shown nor decided',
    async (id) => {
      const given = { id: id as string, digest: '0'.repeat(64), code: await office.code('bob') };
      expect(await office.approval.show(given.id)).toBeNull();
      for (const step of ['approve', 'deny', 'cancel', 'execute'] as const)
        expect(await office.approval[step]('bob', given)).toEqual(refused('unknown_request'));
      expect(await office.consumed('bob')).toBe(0);
    },
  );

  it('is not changed by being looked at', async () => {
    const { id } = await requested(office);
    const before = office.told.length;
    for (let times = 0; times < 3; times += 1)
      expect(await office.approval.show(id)).toMatchObject({ state: 'requested' });
    expect(office.told).toHaveLength(before);
  });
});

describe('the audit trail', () => {
  it('tells each step: who, whose code, what and whom it concerns', async () => {
    const { id, digest } = await approved(office);
    await office.approval.execute('bob', { id, digest }, { ip: '192.0.2.7' });
    const approval = { id, action: 'open-vault', target: 'vault-7', reason: null };
    expect(office.told).toMatchObject([
      {
        type: 'approval_requested',
        userId: 'ada',
        approval,
        setId: expect.any(String),
        codeId: expect.any(String),
      },
      {
        type: 'approval_granted',
        userId: 'bob',
        approval,
        setId: expect.any(String),
        codeId: expect.any(String),
      },
      {
        type: 'approval_executing',
        userId: 'bob',
        approval,
        setId: null,
        context: { ip: '192.0.2.7' },
      },
      { type: 'approval_executed', userId: 'bob', approval },
    ]);
    expect(
      (await office.backupCodes.audit.events({ types: ['approval_granted'] })).events,
    ).toMatchObject([{ userId: 'bob', approval }]);
  });

  it('tells a refusal, and why', async () => {
    const { id, digest } = await requested(office);
    await office.approval.approve('ada', { id, digest, code: WRONG }, { ip: '192.0.2.9' });
    expect(office.told.at(-1)).toMatchObject({
      type: 'approval_refused',
      userId: 'ada',
      approval: { id, action: 'open-vault', reason: 'same_person' },
      context: { ip: '192.0.2.9' },
    });
  });

  it.each(['request', 'approve', 'execute'] as const)(
    'that cannot be written lets nothing happen: %s',
    async (step) => {
      const before =
        step === 'request'
          ? { id: '', digest: '' }
          : await (step === 'approve' ? requested : approved)(office);
      const [ada, bob] = [await office.code('ada'), await office.code('bob')];
      const dumb = office.another({
        backupCodes: {
          consume: (...given) => office.backupCodes.consume(...given),
          recordApproval: () => Promise.reject(new Error('the trail is full')),
        },
      });
      const attempts = {
        request: () => dumb.request('ada', { ...PROPOSAL, code: ada }),
        approve: () => dumb.approve('bob', { ...before, code: bob }),
        execute: () => dumb.execute('ada', before),
      };
      await expect(attempts[step]()).rejects.toThrow('the trail is full');
      expect(office.done).toEqual([]);
      if (step === 'approve')
        expect(await office.approval.show(before.id)).toMatchObject({ state: 'requested' });
      if (step === 'execute')
        expect(await office.approval.show(before.id)).toMatchObject({ state: 'failed' });
      if (step === 'request') await requested(office);
    },
  );
});

describe('the options', () => {
  it.each<[string, Partial<Record<keyof TwoPersonApprovalOptions, unknown>>]>([
    ['no store', { store: undefined }],
    ['half a store', { store: { create: () => true } }],
    ['no service', { backupCodes: {} }],
    ['no actions', { actions: undefined }],
    ['an action that is no function', { actions: { a: 1 } }],
    ['no entitlement', { isEntitled: undefined }],
    ['personOf that is no function', { personOf: 1 }],
    ['a misspelt one', { windowSecond: 900 } as object],
  ])('are refused with %s', (_what, wrong) => {
    expect(() => office.another(wrong as object)).toThrow(failure('invalid_option'));
  });

  it('are printed by nobody', () => {
    expect([inspect(office.approval), JSON.stringify(office.approval)]).toEqual([
      'TwoPersonApproval {}',
      '"TwoPersonApproval {}"',
    ]);
  });
});

/** The office's requests, as somebody sees them who has changed them in the database. */
function tampering({ approval }: Office, change: object): TwoPersonApprovalOptions['store'] {
  const { store } = approval['options'];
  return {
    create: (record) => store.create(record),
    update: (id, next) =>
      store
        .update(id, (record) => next({ ...record, ...change }))
        .then((found) => found && { ...found, record: { ...found.record, ...change } }),
  };
}
