// Breaks of two-person approval.
import type { Break } from './break';

const two = 'test/approval/two-person-approval.test.ts';
const states = 'test/approval/states.test.ts';
const canonical = 'test/approval/canonical-json.test.ts';
const stores = 'test/helpers/approval-tests.ts';
const file = 'lib/approval/two-person-approval.ts';
const steps = 'lib/approval/approval-steps.ts';
const runner = 'lib/approval/action-runner.ts';
const rules = 'lib/approval/refusal-rules.ts';
const proposal = 'lib/approval/proposal.ts';

export const twoPeopleBreaks: readonly Break[] = [
  {
    id: 'D-01',
    what: 'the requester may approve',
    file: rules,
    find: "if (await isSamePerson(policy, [userId, record.requestedBy])) return 'same_person';",
    replace: '',
    noticedBy: [
      `${two} › the requester cannot approve, not even from another session`,
      `${two} › the requester cannot approve with another account of the same person`,
      `${states} › in any order of steps an action runs at most once, in time, after two people`,
    ],
  },
  {
    id: 'D-01',
    what: 'another user may approve from the session that made the request',
    file,
    find: 'session !== null && session === record.requestedIn',
    replace: 'session === undefined',
    noticedBy: [`${two} › another user cannot approve from the session that made the request`],
  },
  {
    id: 'D-01',
    what: 'the target may request or approve with another account',
    file: rules,
    find: 'return one === other || (await personOf(policy, one)) === (await personOf(policy, other));',
    replace: 'return Promise.resolve(one === other);',
    noticedBy: [`${two} › the target can neither request nor approve, with any account`],
  },
  {
    id: 'D-02',
    what: 'a right that was lost before the execution still counts',
    file,
    find: `??
      (await checkExecutor(policy, { userId: caller.userId, record }));`,
    replace: '?? null;',
    noticedBy: [
      `${two} › a right that … lost before the step … does not count`,
      `${two} › an action can be executed by the approver too, and by no other user`,
    ],
  },
  {
    id: 'D-02',
    what: 'any truthy result is an entitlement',
    file: rules,
    find: 'return result === true;',
    replace: 'return Boolean(result);',
    noticedBy: [`${two} › isEntitled must return true: … is a refusal, and no code is consumed`],
  },
  {
    id: 'D-04',
    what: 'what was shown may differ from what is approved',
    file: rules,
    find: "return digest === record.digest && matchesDigest(record) ? null : 'changed';",
    replace: "return matchesDigest(record) ? null : 'changed';",
    noticedBy: [`${two} › a request cannot be approved with a digest that differs in …`],
  },
  {
    id: 'D-04',
    what: 'what was changed in the store is executed',
    file: rules,
    find: '&& matchesDigest(record)',
    replace: '',
    noticedBy: [`${two} › a proposal that was changed in the store is refused at the step …`],
  },
  {
    id: 'D-04',
    what: 'the digest does not cover the parameters',
    file: proposal,
    find: 'digest: sha256(canonicalJson({ action, target, parameters })),',
    replace: 'digest: sha256(canonicalJson({ action, target })),',
    noticedBy: [`${two} › a request cannot be approved with a digest that differs in …`],
  },
  {
    id: 'D-04',
    what: 'the digest depends on the order of members',
    file: 'lib/approval/canonical-json.ts',
    find: `Object.keys(value)
      .sort()`,
    replace: 'Object.keys(value)',
    noticedBy: [
      `${canonical} › canonical JSON gives one string for every order of members`,
      `${two} › a proposal has one digest for every order of its parameters`,
    ],
  },
  {
    id: 'D-05',
    what: 'the parameters are not shown',
    file: proposal,
    find: '...proposedAction(record),\n    digest',
    replace: '...proposedAction(record), parameters: {}, digest',
    noticedBy: [
      `${two} › a proposal is shown with action, target, parameters, requester and times`,
    ],
  },
  {
    id: 'D-06',
    what: 'a request has one millisecond more',
    file: steps,
    find: 'now >= record.expiresAt',
    replace: 'now > record.expiresAt',
    noticedBy: [
      `${two} › the end of the window is recorded once, and the request is shown as expired`,
    ],
  },
  {
    id: 'D-06',
    what: 'a step ignores the window',
    file: steps,
    find: 'from.includes(record.state) && now < record.expiresAt',
    replace: 'from.includes(record.state) && now < Infinity',
    noticedBy: [`${two} › a step does not take effect if the window ends while it is recorded`],
  },
  {
    id: 'D-06',
    what: 'a step that comes too late is answered as taken',
    file: steps,
    find: 'if (this.#config.now() >= record.expiresAt) return await this.#refuseEnded(ended);',
    replace:
      'if (this.#config.now() >= record.expiresAt) return { ok: true, approval: toApproval(record) };',
    noticedBy: [
      `${two} › a step does not take effect if the window ends while the code is checked`,
    ],
  },
  {
    id: 'D-07',
    what: 'an approved action can be executed again',
    file,
    find: `const executing = await this.#steps.move(id, {
      from: ['approved'],
      change: { state: 'executing' },
    });`,
    replace: 'const executing: typeof record | null = record;',
    noticedBy: [
      `${stores} › … concurrent executions on two machines run the action once`,
      `${two} › an action runs once, even if it is executed again`,
    ],
  },
  {
    id: 'D-07',
    what: 'an action that failed can be executed again',
    file: steps,
    find: 'const settled = { ...executing, state };',
    replace:
      "const settled = { ...executing, state: state === 'failed' ? 'approved' : state } as const;",
    noticedBy: [
      `${two} › an action that throws has failed, never runs again, and throws to the caller`,
    ],
  },
  {
    id: 'D-07',
    what: 'two concurrent changes are both made, on SQL',
    file: 'lib/sql/sql-approval-store.ts',
    find: 'AND revision = ${revision}',
    replace: 'AND revision >= ${revision}',
    noticedBy: [
      `${stores} › of … concurrent changes from one state, one is made`,
      `${stores} › no concurrent change is lost`,
    ],
  },
  {
    id: 'D-08',
    what: 'a denied request can be approved',
    file: rules,
    find: "if (record.state !== state) return 'not_open';",
    replace: '',
    noticedBy: [`${two} › a denial is final, before and after the approval`],
  },
  {
    id: 'D-08',
    what: 'any user may cancel',
    file,
    find: 'record === null || record.requestedBy === caller.userId',
    replace: 'caller.userId !== undefined',
    noticedBy: [`${two} › a cancellation takes no code, and only the requester can cancel`],
  },
  {
    id: 'D-08',
    what: 'any user may deny',
    file,
    find: 'record === null || (await isEntitledToApprove(policy, { userId: caller.userId, record }))',
    replace: 'caller.userId !== undefined',
    noticedBy: [`${two} › a user who is not entitled to approve cannot deny`],
  },
  {
    id: 'D-10',
    what: 'an approval takes effect before it is in the audit trail',
    file: steps,
    find: `      await this.recordEvent(eventType, { caller, record, code: consumed });
      const moved = await this.move(record.id, { from, change });`,
    replace: `      const moved = await this.move(record.id, { from, change });
      await this.recordEvent(eventType, { caller, record, code: consumed });`,
    noticedBy: [`${two} › if the audit trail cannot be written, the step … does not take effect`],
  },
  {
    id: 'D-10',
    what: 'a refusal is not in the audit trail',
    file: steps,
    find: "await this.recordEvent('approval_refused', { ...step, reason });",
    replace: 'await Promise.resolve(step);',
    noticedBy: [`${two} › the audit trail records a refusal with its reason`],
  },
  {
    id: 'D-11',
    what: 'the audit trail does not name the target',
    file: 'lib/approval/approval-events.ts',
    find: `    target,
    digest,`,
    replace: `    target: target && null,
    digest,`,
    noticedBy: [
      `${two} › the audit trail records each step with user, code, action and target`,
      `${stores} › each step is in the audit trail, with its target`,
    ],
  },
  {
    id: 'D-10',
    what: 'the audit trail does not hold the digest of what was approved',
    file: 'lib/approval/approval-events.ts',
    find: `    digest,
    parameters_digest`,
    replace: `    digest: digest && null,
    parameters_digest`,
    noticedBy: [`${two} › the audit trail records each step with user, code, action and target`],
  },
  {
    id: 'D-10',
    what: 'the audit trail does not hold the digest of the parameters',
    file: 'lib/approval/approval-events.ts',
    find: 'const parametersDigest = record && sha256(record.parameters);',
    replace: 'const parametersDigest = record && sha256(record.digest);',
    noticedBy: [
      `${two} › the audit trail records each step with user, code, action and target`,
      `${two} › the audit trail shows that the parameters in the store are not the ones that were approved`,
    ],
  },
  {
    id: 'D-10',
    what: 'an approval that comes too late is recorded as granted',
    file: steps,
    find: 'if (this.#config.now() >= record.expiresAt) return await this.#refuseEnded(ended);',
    replace: '',
    noticedBy: [
      `${two} › an approval that comes too late is recorded as refused, with its code, and not as granted`,
    ],
  },
  {
    id: 'D-10',
    what: 'an action that was not started is recorded as failed',
    file: runner,
    find: `    await this.#steps.start(step);
    let result: unknown;
    try {
`,
    replace: `    let result: unknown;
    try {
      await this.#steps.start(step);
`,
    noticedBy: [
      `${two} › an action whose start cannot be recorded is not run, is not recorded as failed, and can be executed later`,
    ],
  },
  {
    id: 'D-10',
    what: 'an action whose start is not recorded can never be executed',
    file: steps,
    find: "record.state === 'executing' ? { ...record, state: 'approved' } : null,",
    replace: "record.state === 'approved' ? { ...record, state: 'approved' } : null,",
    noticedBy: [
      `${two} › an action whose start cannot be recorded is not run, is not recorded as failed, and can be executed later`,
      `${two} › an action whose start cannot be recorded expires with its window`,
    ],
  },
  {
    id: 'D-07',
    what: 'a process that does not have an action uses up the approval',
    file,
    find: "if (action === undefined) return this.#steps.refuse({ caller, record }, 'unknown_action');",
    replace: '',
    noticedBy: [
      `${two} › a process that does not have the approved action … refuses to execute it, and another process can execute it`,
    ],
  },
  {
    id: 'D-12',
    what: 'an action runs for a caller who knows what to pass',
    file: runner,
    find: 'if (this.#running.has(approved) && approved.action === action) return;',
    replace: 'if (approved.action === action) return;',
    noticedBy: [`${two} › an action throws if it is called directly, without execute`],
  },
  {
    id: 'D-12',
    what: 'an approval of one action runs another',
    file: runner,
    find: 'if (this.#running.has(approved) && approved.action === action) return;',
    replace: 'if (this.#running.has(approved)) return;',
    noticedBy: [`${two} › an action throws if the approval was for another action`],
  },
  {
    id: 'D-13',
    what: 'a target has any number of open requests',
    file: 'lib/approval/memory-approval-store.ts',
    find: 'if (!hasOpen) this.#records.set(record.id, record);\n    return Promise.resolve(!hasOpen);',
    replace:
      'this.#records.set(record.id, record);\n    return Promise.resolve(hasOpen || !hasOpen);',
    noticedBy: [
      `${two} › a request is the only open request of its target`,
      `${stores} › a target has one open record, and targets are compared exactly`,
    ],
  },
  {
    id: 'D-13',
    what: 'two concurrent requests for one target are both stored, on SQL',
    file: 'lib/sql/table-definitions.ts',
    find: '`open_target_key ${ascii(dialect, 64)} UNIQUE`',
    replace: '`open_target_key ${ascii(dialect, 64)}`',
    noticedBy: [`${stores} › of … concurrent records for one target, one is created`],
  },
  {
    id: 'D-14',
    what: 'a request is approved when it is made',
    file,
    find: "change: { state: 'requested' },",
    replace: "change: { state: 'approved', approvedBy: caller.userId },",
    noticedBy: [
      `${two} › an action does not run before the second person approved it`,
      `${states} › in any order of steps an action runs at most once, in time, after two people`,
    ],
  },
  {
    id: 'D-14',
    what: 'the approver needs no code',
    file: steps,
    find: 'if (!consumed.ok) {\n',
    replace: "if (!consumed.ok && eventType !== 'approval_granted') {\n",
    noticedBy: [`${two} › a code of another user is not accepted`],
  },
  {
    id: 'D-15',
    what: 'looking at a request starts its approval',
    file,
    find: `const record = await this.#steps.read(id);
    return record === null ? null : toApproval(record);`,
    replace: `const change = { state: 'approving' } as const;
    const moved = await this.#steps.move(id, { from: ['requested'], change });
    const record = moved ?? (await this.#steps.read(id));
    return record === null ? null : toApproval(record);`,
    noticedBy: [`${two} › a request is not changed by show`],
  },
];
