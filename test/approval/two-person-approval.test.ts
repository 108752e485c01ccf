// Actions that need two people (NIST SP 800-53 Rev. 5, AC-3(2)). One person alone cannot complete
// one.
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import {
  TwoPersonApproval,
  type ApprovalOutcome,
  type ApprovalStore,
  type TwoPersonApprovalOptions,
} from '../../lib/approval';
import { failure } from '../helpers/errors';
import {
  accepted,
  makeApprovedRequest,
  makeRequest,
  openOffice,
  PROPOSAL,
  resultOf,
  type Office,
  type OfficeStores,
} from '../helpers/office';
import { WRONG } from '../helpers/service';

const refused = (reason: string): unknown => ({ ok: false, reason });
const typesOf = ({ events }: Office): string[] => events.map(({ type }) => type);
const WINDOW_MS = 900_000;

let office: Office;
beforeEach(() => {
  office = openOffice();
});

describe('an action', () => {
  it('an action runs after two people each consumed a code of their own for it', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    expect(office.executed).toEqual([]);
    expect(accepted(await office.approval.execute('ada', { id, digest }))).toMatchObject({
      result: 'open',
      approval: { state: 'executed', requestedBy: 'ada', approvedBy: 'bob' },
    });
    expect(office.executed).toEqual([PROPOSAL]);
    expect([await office.consumedCount('ada'), await office.consumedCount('bob')]).toEqual([1, 1]);
  });

  it('an action can be executed by the approver too, and by no other user', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    expect(await office.approval.execute('eve', { id, digest })).toEqual(refused('not_entitled'));
    expect(resultOf(await office.approval.execute('bob', { id, digest }))).toBe('open');
  });

  it('an action runs once, even if it is executed again', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    accepted(await office.approval.execute('ada', { id, digest }));
    expect(await office.approval.execute('bob', { id, digest })).toEqual(refused('not_open'));
    expect(office.executed).toHaveLength(1);
  });

  it('an action does not run before the second person approved it', async () => {
    const { id, digest } = await makeRequest(office);
    expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('not_open'));
    expect(office.executed).toEqual([]);
  });

  it('an action throws if it is called directly, without execute', async () => {
    expect(() => office.approval.assertApproved(PROPOSAL, 'open-vault')).toThrow(
      failure('not_approved'),
    );
    const { id, digest } = await makeApprovedRequest(office);
    accepted(await office.approval.execute('ada', { id, digest }));
    // The approval ends with the execution.
    expect(() =>
      office.approval.assertApproved(office.executed[0] as typeof PROPOSAL, 'open-vault'),
    ).toThrow(failure('not_approved'));
  });

  it('an action throws if the approval was for another action', async () => {
    const approval: TwoPersonApproval = office.anotherInstance({
      actions: { 'close-vault': (given) => approval.assertApproved(given, 'open-vault') },
    });
    const { id, digest } = accepted(
      await approval.request('ada', {
        action: 'close-vault',
        target: 'vault-7',
        code: await office.unusedCode('ada'),
      }),
    ).approval;
    accepted(await approval.approve('bob', { id, digest, code: await office.unusedCode('bob') }));
    await expect(approval.execute('ada', { id, digest })).rejects.toEqual(failure('not_approved'));
  });

  it('an action that throws has failed, never runs again, and throws to the caller', async () => {
    const { id, digest } = await makeApprovedRequest(office, { action: 'break' });
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

describe('a process that does not have the action', () => {
  it.each(['open-vault', 'constructor'])(
    'a process that does not have the approved action %s refuses to execute it, and another process can execute it',
    async (action) => {
      const actions = { [action]: () => 'done' };
      const complete = office.anotherInstance({ actions });
      const older = office.anotherInstance({ actions: { 'close-vault': () => 'closed' } });
      const code = await office.unusedCode('ada');
      const { id, digest } = accepted(
        await complete.request('ada', { ...PROPOSAL, action, code }),
      ).approval;
      accepted(await complete.approve('bob', { id, digest, code: await office.unusedCode('bob') }));

      expect(await older.execute('ada', { id, digest })).toEqual(refused('unknown_action'));
      expect(await older.show(id)).toMatchObject({ state: 'approved' });
      expect(office.events.at(-1)).toMatchObject({
        type: 'approval_refused',
        userId: 'ada',
        details: { approval_id: id, action, reason: 'unknown_action' },
      });
      expect(resultOf(await complete.execute('ada', { id, digest }))).toBe('done');
      expect(typesOf(office).filter((type) => type === 'approval_executing')).toHaveLength(1);
    },
  );

  it('a user who may not execute an action does not learn whether the process has it', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    const older = office.anotherInstance({ actions: { 'close-vault': () => 'closed' } });
    expect(await older.execute('eve', { id, digest })).toEqual(refused('not_entitled'));
  });
});

describe('two different people', () => {
  it('the requester cannot approve, not even from another session', async () => {
    const { id, digest } = await makeRequest(office);
    expect(
      await office.approval.approve('ada', {
        id,
        digest,
        code: await office.unusedCode('ada'),
        sessionId: 'another',
      }),
    ).toEqual(refused('same_person'));
    expect(await office.consumedCount('ada')).toBe(1);
  });

  it('the requester cannot approve with another account of the same person', async () => {
    office = openOffice({ personOf: (userId) => userId.split('+')[0]! });
    const { id, digest } = await makeRequest(office);
    expect(
      await office.approval.approve('ada+admin', {
        id,
        digest,
        code: await office.unusedCode('ada+admin'),
      }),
    ).toEqual(refused('same_person'));
    expect(await office.consumedCount('ada+admin')).toBe(0);
  });

  it('another user cannot approve from the session that made the request', async () => {
    const { id, digest } = accepted(
      await office.approval.request('ada', {
        ...PROPOSAL,
        code: await office.unusedCode('ada'),
        sessionId: 's-1',
      }),
    ).approval;
    expect(
      await office.approval.approve('bob', {
        id,
        digest,
        code: await office.unusedCode('bob'),
        sessionId: 's-1',
      }),
    ).toEqual(refused('same_person'));
    expect(await office.consumedCount('bob')).toBe(0);
    accepted(
      await office.approval.approve('bob', {
        id,
        digest,
        code: await office.unusedCode('bob'),
        sessionId: 's-2',
      }),
    );
  });

  it('the target can neither request nor approve, with any account', async () => {
    office = openOffice({ personOf: (userId) => userId.split('+')[0]! });
    for (const target of ['ada', 'ada+admin']) {
      expect(
        await office.approval.request('ada', {
          ...PROPOSAL,
          target,
          code: await office.unusedCode('ada'),
        }),
      ).toEqual(refused('is_target'));
    }
    const { id, digest } = await makeRequest(office, { target: 'bob+admin' });
    expect(
      await office.approval.approve('bob', { id, digest, code: await office.unusedCode('bob') }),
    ).toEqual(refused('is_target'));
    expect([await office.consumedCount('ada'), await office.consumedCount('bob')]).toEqual([1, 0]);
  });

  it.each([undefined, '', 7, null])(
    'a personOf that returns %p is an error, and no code is consumed',
    async (person) => {
      const { id, digest } = await makeRequest(office);
      const unsure = office.anotherInstance({ personOf: () => person as string });
      await expect(
        unsure.approve('bob', { id, digest, code: await office.unusedCode('bob') }),
      ).rejects.toEqual(failure('invalid_result'));
      expect(await office.consumedCount('bob')).toBe(0);
    },
  );
});

describe('entitlement', () => {
  it.each([
    ['requester', 'ada'],
    ['approver', 'bob'],
  ])('isEntitled is asked about the %s, with the proposed action', async (role, userId) => {
    const asked: unknown[] = [];
    office = openOffice({ isEntitled: (id, about) => asked.push([id, about]) > 0 });
    await makeApprovedRequest(office);
    expect(asked).toContainEqual([userId, { ...PROPOSAL, role }]);
  });

  it.each([false, undefined, 1, 'yes', {}])(
    'isEntitled must return true: %p is a refusal, and no code is consumed',
    async (answer) => {
      office = openOffice({ isEntitled: () => answer as boolean });
      expect(
        await office.approval.request('ada', { ...PROPOSAL, code: await office.unusedCode('ada') }),
      ).toEqual(refused('not_entitled'));
      expect(await office.consumedCount('ada')).toBe(0);
    },
  );

  it.each([
    ['ada', 'approve'],
    ['bob', 'approve'],
    ['ada', 'execute'],
    ['bob', 'execute'],
  ] as const)('a right that %s lost before the step %s does not count', async (loser, step) => {
    const entitled = new Set(['ada', 'bob']);
    office = openOffice({ isEntitled: (userId) => entitled.has(userId) });
    const { id, digest } = await (step === 'approve' ? makeRequest : makeApprovedRequest)(office);
    entitled.delete(loser);
    const outcome: ApprovalOutcome =
      step === 'approve'
        ? await office.approval.approve('bob', {
            id,
            digest,
            code: await office.unusedCode('bob'),
          })
        : await office.approval.execute('ada', { id, digest });
    expect(outcome).toEqual(refused('not_entitled'));
    expect([office.executed, await office.consumedCount('bob')]).toEqual([
      [],
      step === 'approve' ? 0 : 1,
    ]);
  });

  it('an isEntitled that rejects is an error, and no code is consumed', async () => {
    const unsure = office.anotherInstance({
      isEntitled: () => Promise.reject(new Error('the directory is down')),
    });
    await expect(
      unsure.request('ada', { ...PROPOSAL, code: await office.unusedCode('ada') }),
    ).rejects.toThrow('the directory is down');
    expect(await office.consumedCount('ada')).toBe(0);
  });
});

describe('a proposal', () => {
  it('a proposal is shown with action, target, parameters, requester and times', async () => {
    const { id } = await makeRequest(office);
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
  ])('a request cannot be approved with a digest that differs in %j', async (other) => {
    const { digest } = await makeRequest(office, { target: 'vault-1' });
    const { id, digest: shown } = await makeRequest(office, { ...PROPOSAL, ...other });
    expect(
      await office.approval.approve('bob', { id, digest, code: await office.unusedCode('bob') }),
    ).toEqual(refused('changed'));
    expect(await office.consumedCount('bob')).toBe(0);
    accepted(
      await office.approval.approve('bob', {
        id,
        digest: shown,
        code: await office.unusedCode('bob'),
      }),
    );
  });

  it.each(['approve', 'execute'] as const)(
    'a proposal that was changed in the store is refused at the step %s',
    async (step) => {
      const stored = await (step === 'approve' ? makeRequest : makeApprovedRequest)(office);
      for (const change of [
        { action: 'close-vault' },
        { target: 'vault-8' },
        { parameters: '{"amount":4000}' },
      ]) {
        const tampered = openOffice(
          {},
          { ...office.stores, approvals: tamperedStore(office.stores, change) },
        );
        const { id, digest } = stored;
        const outcome: ApprovalOutcome =
          step === 'approve'
            ? await tampered.approval.approve('bob', {
                id,
                digest,
                code: await office.unusedCode('bob'),
              })
            : await tampered.approval.execute('ada', { id, digest });
        expect(outcome).toEqual(refused('changed'));
        expect(tampered.executed).toEqual([]);
      }
      expect(await office.consumedCount('bob')).toBe(step === 'approve' ? 0 : 1);
    },
  );

  it('a proposal has one digest for every order of its parameters', async () => {
    const first = await makeRequest(office, { parameters: { a: 1, b: [{ c: 2, d: 3 }] } });
    const second = await makeRequest(office, {
      target: PROPOSAL.target,
      parameters: { b: [{ d: 3, c: 2 }], a: 1 },
    }).catch(() => null);
    expect(second).toBeNull();
    await office.approval.cancel('ada', { id: first.id });
    expect((await makeRequest(office, { parameters: { b: [{ d: 3, c: 2 }], a: 1 } })).digest).toBe(
      first.digest,
    );
  });

  it.each<[string, object]>([
    ['an unknown action', { action: 'toString' }],
    ['an empty target', { target: '' }],
    ['a target that is not a string', { target: 7 }],
    ['a target that is too long', { target: 'x'.repeat(256) }],
    ['parameters that are not JSON', { parameters: { at: new Date() } }],
    ['parameters that are too long', { parameters: 'x'.repeat(10_000) }],
    ['a misspelt field', { params: {} }],
    ['an empty session id', { sessionId: '' }],
  ])('a request with %s is an error, and no code is consumed', async (_what, wrong) => {
    await expect(
      office.approval.request('ada', {
        ...PROPOSAL,
        ...wrong,
        code: await office.unusedCode('ada'),
      }),
    ).rejects.toEqual(failure('invalid_option'));
    expect(await office.consumedCount('ada')).toBe(0);
  });
});

describe('the window', () => {
  it.each([
    ['in the last millisecond of the window is accepted', WINDOW_MS - 1, true],
    ['at the end of the window is refused', WINDOW_MS, false],
    ['a millisecond after the window is refused', WINDOW_MS + 1, false],
  ])('an approval %s', async (_what, after, isInTime) => {
    const { id, digest } = await makeRequest(office);
    const code = await office.unusedCode('bob');
    office.clock.advance(after);
    expect(await office.approval.approve('bob', { id, digest, code })).toEqual(
      isInTime ? expect.objectContaining({ ok: true }) : refused('late'),
    );
    expect(await office.consumedCount('bob')).toBe(isInTime ? 1 : 0);
  });

  it.each([
    [WINDOW_MS - 1, 1],
    [WINDOW_MS, 0],
  ])('an execution %i ms after the request runs the action %i times', async (after, times) => {
    const { id, digest } = await makeApprovedRequest(office);
    office.clock.advance(after);
    const outcome = await office.approval.execute('ada', { id, digest });
    expect([outcome.ok, office.executed]).toHaveLength(2);
    expect(office.executed).toHaveLength(times);
    if (times === 0) expect(outcome).toEqual(refused('late'));
  });

  it('a step does not take effect if the window ends while the code is checked', async () => {
    const { id, digest } = await makeRequest(office);
    const code = await office.unusedCode('bob');
    const consume: typeof office.backupCodes.consume = async (...given) => {
      office.clock.advance(WINDOW_MS);
      return office.backupCodes.consume(...given);
    };
    const slow = office.anotherInstance({
      backupCodes: {
        consume,
        audit: office.backupCodes.audit,
      },
    });
    expect(await slow.approve('bob', { id, digest, code })).toEqual(refused('late'));
    expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('late'));
    expect(office.executed).toEqual([]);
  });

  it('an approval that comes too late is recorded as refused, with its code, and not as granted', async () => {
    const { id, digest } = await makeRequest(office);
    const code = await office.unusedCode('bob');
    const consume: typeof office.backupCodes.consume = async (...given) => {
      office.clock.advance(WINDOW_MS);
      return office.backupCodes.consume(...given);
    };
    const { audit } = office.backupCodes;
    const slow = office.anotherInstance({ backupCodes: { consume, audit } });
    await slow.approve('bob', { id, digest, code });
    expect(typesOf(office)).toEqual(['approval_requested', 'approval_expired', 'approval_refused']);
    expect(office.events.at(-1)).toMatchObject({
      userId: 'bob',
      codeId: expect.any(String),
      details: { reason: 'late' },
    });
  });

  it('a step does not take effect if the window ends while it is recorded', async () => {
    const { id, digest } = await makeRequest(office);
    const code = await office.unusedCode('bob');
    const { audit } = office.backupCodes;
    const slow = office.anotherInstance({
      backupCodes: {
        consume: (...given) => office.backupCodes.consume(...given),
        audit: {
          record: async (...given) => {
            await audit.record(...given);
            office.clock.advance(WINDOW_MS);
          },
        },
      },
    });
    expect(await slow.approve('bob', { id, digest, code })).toEqual(refused('late'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'expired', approvedBy: null });
  });

  it.each([59, 86_401, 1.5, '900', null])(
    'the window cannot be %p seconds long',
    (windowSeconds) => {
      expect(() => office.anotherInstance({ windowSeconds: windowSeconds as number })).toThrow(
        failure('invalid_option'),
      );
    },
  );

  it('the end of the window is recorded once, and the request is shown as expired', async () => {
    const { id } = await makeRequest(office);
    office.clock.advance(WINDOW_MS);
    expect([await office.approval.show(id), await office.approval.show(id)]).toMatchObject([
      { state: 'expired' },
      { state: 'expired' },
    ]);
    expect(typesOf(office)).toEqual(['approval_requested', 'approval_expired']);
  });
});

describe('a denial or cancellation', () => {
  it('a denial is final, before and after the approval', async () => {
    for (const step of [makeRequest, makeApprovedRequest]) {
      const { id, digest } = await step(office);
      accepted(await office.approval.deny('carol', { id }));
      expect(
        await office.approval.approve('bob', { id, digest, code: await office.unusedCode('bob') }),
      ).toEqual(refused('not_open'));
      expect(await office.approval.execute('ada', { id, digest })).toEqual(refused('not_open'));
      expect(await office.approval.show(id)).toMatchObject({ state: 'denied' });
    }
    expect(office.executed).toEqual([]);
  });

  it('a user who is not entitled to approve cannot deny', async () => {
    office = openOffice({ isEntitled: (userId) => userId !== 'eve' });
    const { id } = await makeRequest(office);
    expect(await office.approval.deny('eve', { id })).toEqual(refused('not_entitled'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'requested' });
  });

  it('a cancellation takes no code, and only the requester can cancel', async () => {
    const { id } = await makeRequest(office);
    expect(await office.approval.cancel('bob', { id })).toEqual(refused('not_entitled'));
    accepted(await office.approval.cancel('ada', { id }));
    expect(await office.approval.cancel('ada', { id })).toEqual(refused('not_open'));
    expect(await office.consumedCount('ada')).toBe(1);
  });

  it('a denial wins over an approval whose code is being checked', async () => {
    const { id, digest } = await makeRequest(office);
    const code = await office.unusedCode('bob');
    const consume: typeof office.backupCodes.consume = async (...given) => {
      accepted(await office.approval.deny('carol', { id }));
      return office.backupCodes.consume(...given);
    };
    const racing = office.anotherInstance({
      backupCodes: {
        consume,
        audit: office.backupCodes.audit,
      },
    });
    expect(await racing.approve('bob', { id, digest, code })).toEqual(refused('not_open'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'denied' });
  });
});

describe('a code', () => {
  it.each<[string, unknown, string]>([
    ['invalid', WRONG, 'mismatch'],
    ['an object', { $ne: null }, 'malformed'],
    ['missing', undefined, 'malformed'],
  ])(
    'a code that is %s makes no request, and leaves the target free',
    async (_what, code, reason) => {
      await office.unusedCode('ada');
      expect(await office.approval.request('ada', { ...PROPOSAL, code })).toEqual(refused(reason));
      expect(typesOf(office)).toEqual([]);
      await makeRequest(office);
    },
  );

  it('a code of another user is not accepted', async () => {
    const { id, digest } = await makeRequest(office);
    await office.unusedCode('bob');
    expect(
      await office.approval.approve('bob', { id, digest, code: await office.unusedCode('ada') }),
    ).toEqual(refused('mismatch'));
    expect(await office.approval.show(id)).toMatchObject({ state: 'requested', approvedBy: null });
    accepted(
      await office.approval.approve('bob', { id, digest, code: await office.unusedCode('bob') }),
    );
  });

  it('a code counts as an attempt and is throttled as in every login', async () => {
    await office.unusedCode('ada');
    const outcomes = [];
    for (let times = 1; times <= 7; times += 1)
      outcomes.push(await office.approval.request('ada', { ...PROPOSAL, code: WRONG }));
    expect(outcomes.at(-1)).toEqual({ ok: false, reason: 'throttled', retryAfterSeconds: 60 });
    expect(office.hasher.count).toBe(10 + 5);
  });
});

describe('a request', () => {
  it('a request is the only open request of its target', async () => {
    await makeRequest(office);
    expect(
      await office.approval.request('bob', {
        ...PROPOSAL,
        action: 'close-vault',
        code: await office.unusedCode('bob'),
      }),
    ).toEqual(refused('open_request'));
    expect(await office.consumedCount('bob')).toBe(0);
    await makeRequest(office, { target: 'vault-8' });
  });

  it.each(['deny', 'cancel', 'execute', 'expire'] as const)(
    'a request leaves its target free after the step %s',
    async (end) => {
      const { id, digest } = await makeApprovedRequest(office);
      if (end === 'expire') office.clock.advance(WINDOW_MS);
      else accepted(await office.approval[end]('ada', { id, digest }));
      await makeRequest(office);
    },
  );

  it.each(['0'.repeat(32), '', 'nonsense', '../../etc/passwd', 7, null, undefined, { $ne: null }])(
    'a request that does not exist (%p) is neither shown nor decided',
    async (id) => {
      const given = {
        id: id as string,
        digest: '0'.repeat(64),
        code: await office.unusedCode('bob'),
      };
      expect(await office.approval.show(given.id)).toBeNull();
      for (const step of ['approve', 'deny', 'cancel', 'execute'] as const)
        expect(await office.approval[step]('bob', given)).toEqual(refused('unknown_request'));
      expect(await office.consumedCount('bob')).toBe(0);
    },
  );

  it('a request is not changed by show', async () => {
    const { id } = await makeRequest(office);
    const before = office.events.length;
    for (let times = 0; times < 3; times += 1)
      expect(await office.approval.show(id)).toMatchObject({ state: 'requested' });
    expect(office.events).toHaveLength(before);
  });
});

describe('the audit trail', () => {
  it('the audit trail records each step with user, code, action and target', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    await office.approval.execute('bob', { id, digest }, { ip: '192.0.2.7' });
    const details = {
      approval_id: id,
      action: 'open-vault',
      target: 'vault-7',
      digest,
      parameters_digest: sha256('{"amount":3,"reason":"audit"}'),
      reason: null,
    };
    expect(office.events).toMatchObject([
      {
        type: 'approval_requested',
        userId: 'ada',
        details,
        setId: expect.any(String),
        codeId: expect.any(String),
      },
      {
        type: 'approval_granted',
        userId: 'bob',
        details,
        setId: expect.any(String),
        codeId: expect.any(String),
      },
      {
        type: 'approval_executing',
        userId: 'bob',
        details,
        setId: null,
        context: { ip: '192.0.2.7' },
      },
      { type: 'approval_executed', userId: 'bob', details },
    ]);
    const { events } = await office.backupCodes.audit.events({ types: ['approval_granted'] });
    expect(events).toMatchObject([{ userId: 'bob', details }]);
  });

  it('the audit trail shows that the parameters in the store are not the ones that were approved', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    const change = { parameters: '{"amount":4000}' };
    const approvals = tamperedStore(office.stores, change);
    const tampered = office.anotherInstance({ store: approvals });
    expect(await tampered.execute('ada', { id, digest })).toEqual(refused('changed'));
    expect(
      office.events.map(({ type, details }) => [type, details?.['parameters_digest']]),
    ).toEqual([
      ['approval_requested', sha256('{"amount":3,"reason":"audit"}')],
      ['approval_granted', sha256('{"amount":3,"reason":"audit"}')],
      ['approval_refused', sha256(change.parameters)],
    ]);
  });

  it('the audit trail records a refusal with its reason', async () => {
    const { id, digest } = await makeRequest(office);
    await office.approval.approve('ada', { id, digest, code: WRONG }, { ip: '192.0.2.9' });
    expect(office.events.at(-1)).toMatchObject({
      type: 'approval_refused',
      userId: 'ada',
      details: { approval_id: id, action: 'open-vault', reason: 'same_person' },
      context: { ip: '192.0.2.9' },
    });
  });

  it.each(['request', 'approve', 'execute'] as const)(
    'if the audit trail cannot be written, the step %s does not take effect',
    async (step) => {
      const before =
        step === 'request'
          ? { id: '', digest: '' }
          : await (step === 'approve' ? makeRequest : makeApprovedRequest)(office);
      const ada = await office.unusedCode('ada');
      const bob = await office.unusedCode('bob');
      const mute = office.anotherInstance({
        backupCodes: {
          consume: (...given) => office.backupCodes.consume(...given),
          audit: { record: () => Promise.reject(new Error('the trail is full')) },
        },
      });
      const attempts = {
        request: () => mute.request('ada', { ...PROPOSAL, code: ada }),
        approve: () => mute.approve('bob', { ...before, code: bob }),
        execute: () => mute.execute('ada', before),
      };
      await expect(attempts[step]()).rejects.toThrow('the trail is full');
      expect(office.executed).toEqual([]);
      if (step === 'approve')
        expect(await office.approval.show(before.id)).toMatchObject({ state: 'requested' });
      if (step === 'execute')
        expect(await office.approval.show(before.id)).toMatchObject({ state: 'approved' });
      if (step === 'request') await makeRequest(office);
    },
  );
});

describe('an action whose start cannot be recorded', () => {
  it('an action whose start cannot be recorded is not run, is not recorded as failed, and can be executed later', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    const { audit } = office.backupCodes;
    const fault = new Error('the trail is full');
    const mute = office.anotherInstance({
      backupCodes: {
        consume: (...given) => office.backupCodes.consume(...given),
        audit: {
          record: (type, ...given) =>
            type === 'approval_executing' ? Promise.reject(fault) : audit.record(type, ...given),
        },
      },
    });
    await expect(mute.execute('ada', { id, digest })).rejects.toBe(fault);
    expect(typesOf(office)).toEqual(['approval_requested', 'approval_granted']);
    expect(office.executed).toEqual([]);
    expect(resultOf(await office.approval.execute('ada', { id, digest }))).toBe('open');
  });

  it('an action whose start cannot be recorded expires with its window', async () => {
    const { id, digest } = await makeApprovedRequest(office);
    const late = office.anotherInstance({
      backupCodes: {
        consume: (...given) => office.backupCodes.consume(...given),
        audit: {
          record: () => {
            office.clock.advance(WINDOW_MS);
            return Promise.reject(new Error('the trail is full'));
          },
        },
      },
    });
    await expect(late.execute('ada', { id, digest })).rejects.toThrow('the trail is full');
    expect(await office.approval.show(id)).toMatchObject({ state: 'expired' });
    expect(office.executed).toEqual([]);
  });
});

describe('the options', () => {
  it.each<[string, Partial<Record<keyof TwoPersonApprovalOptions, unknown>>]>([
    ['a missing store', { store: undefined }],
    ['a store without update', { store: { create: () => true } }],
    ['an object that is not a BackupCodes', { backupCodes: {} }],
    ['a BackupCodes without an audit trail', { backupCodes: { consume: () => null } }],
    ['missing actions', { actions: undefined }],
    ['an action that is not a function', { actions: { a: 1 } }],
    ['a missing isEntitled', { isEntitled: undefined }],
    ['a personOf that is not a function', { personOf: 1 }],
    ['a misspelt option', { windowSecond: 900 } as object],
  ])('options with %s are refused', (_what, wrong) => {
    expect(() => office.anotherInstance(wrong as object)).toThrow(failure('invalid_option'));
  });

  it('inspect and JSON.stringify do not print the options, not even hidden ones', () => {
    expect([
      inspect(office.approval, { showHidden: true, depth: null }),
      JSON.stringify(office.approval),
    ]).toEqual(['TwoPersonApproval {}', '{}']);
  });
});

function sha256(value: string): string {
  return createHash('sha256').update(value).digest('hex');
}

/** The requests of these stores, as they are after an attacker changed them in the database. */
function tamperedStore({ approvals: store }: OfficeStores, change: object): ApprovalStore {
  return {
    create: (record) => store.create(record),
    update: (id, next) =>
      store
        .update(id, (record) => next({ ...record, ...change }))
        .then((found) => found && { ...found, record: { ...found.record, ...change } }),
  };
}
