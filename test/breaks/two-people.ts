// Breaks of: actions that take two people.
import type { Break } from './break';

const two = 'test/approval/two-person.test.ts';
const states = 'test/approval/states.test.ts';
const canonical = 'test/approval/canonical-json.test.ts';
const stores = 'test/helpers/approval-tests.ts';
const file = 'lib/approval/two-person.ts';
const rules = 'lib/approval/rules.ts';

export const twoPeopleBreaks: readonly Break[] = [
  {
    id: 'D-01',
    what: 'the one who asked may approve',
    file: rules,
    find: "if (await isSame(people, [userId, record.requestedBy])) return 'same_person';",
    replace: '',
    noticedBy: [
      `${two} › two different people › the one who asked cannot approve, by any session`,
      `${two} › two different people › nor by another account of the same person`,
      `${states} › any sequence of steps goes as the model does: nothing runs without two, in time, and more than once`,
    ],
  },
  {
    id: 'D-01',
    what: 'the session that asked may approve, as somebody else',
    file,
    find: 'session !== null && session === record.requestedIn',
    replace: 'session === undefined',
    noticedBy: [`${two} › two different people › nor can another person in the session that asked`],
  },
  {
    id: 'D-01',
    what: 'the target may ask or approve, by another account',
    file: rules,
    find: 'return one === other || (await personOf(people, one)) === (await personOf(people, other));',
    replace: 'return Promise.resolve(one === other);',
    noticedBy: [`${two} › two different people › neither is the target, by whatever account`],
  },
  {
    id: 'D-02',
    what: 'a right that was lost before the execution still counts',
    file,
    find: `??
      (await whyNotExecute(this.options, { userId: who.userId, record }));`,
    replace: '?? null;',
    noticedBy: [
      `${two} › entitlement › lost by … in between counts for nothing when they …`,
      `${two} › an action › may be run by the second as well, and by nobody else`,
    ],
  },
  {
    id: 'D-02',
    what: 'anything true is an entitlement',
    file: rules,
    find: 'return answer === true;',
    replace: 'return Boolean(answer);',
    noticedBy: [`${two} › entitlement › is nothing but true: … is a no, and spends no code`],
  },
  {
    id: 'D-04',
    what: 'what was shown need not be what is approved',
    file: rules,
    find: "return digest === record.digest && isWhole(record) ? null : 'changed';",
    replace: "return isWhole(record) ? null : 'changed';",
    noticedBy: [`${two} › what is approved › is not …: its digest is another`],
  },
  {
    id: 'D-04',
    what: 'what was changed in the store is done',
    file: rules,
    find: '&& isWhole(record)',
    replace: '',
    noticedBy: [`${two} › what is approved › and was changed in the store is void when they …`],
  },
  {
    id: 'D-04',
    what: 'the digest leaves the parameters out',
    file: 'lib/approval/proposal.ts',
    find: 'digest: sha256(canonicalJson({ action, target, parameters })),',
    replace: 'digest: sha256(canonicalJson({ action, target })),',
    noticedBy: [`${two} › what is approved › is not …: its digest is another`],
  },
  {
    id: 'D-04',
    what: 'the digest depends on the order of members',
    file: 'lib/approval/canonical-json.ts',
    find: `Object.keys(value)
      .sort()`,
    replace: 'Object.keys(value)',
    noticedBy: [
      `${canonical} › canonical JSON › says the same value, and is one text whatever the order of the members`,
      `${two} › what is approved › is the same however its parameters are ordered`,
    ],
  },
  {
    id: 'D-05',
    what: 'the parameters are not shown',
    file: 'lib/approval/proposal.ts',
    find: `id,
    state,
    ...proposalOf(record),
    digest`,
    replace: 'id, state, ...proposalOf(record), parameters: {}, digest',
    noticedBy: [
      `${two} › what is approved › is shown before: the action, its target and parameters, who asks and until when`,
    ],
  },
  {
    id: 'D-06',
    what: 'a request has a millisecond more',
    file,
    find: 'now >= record.expiresAt',
    replace: 'now > record.expiresAt',
    noticedBy: [`${two} › the window › is told once when it is over`],
  },
  {
    id: 'D-06',
    what: 'time is not looked at when a step is taken',
    file,
    find: 'from.includes(record.state) && now < record.expiresAt',
    replace: 'from.includes(record.state) && now < Infinity',
    noticedBy: [`${two} › the window › that ends while the code is checked lets nothing happen`],
  },
  {
    id: 'D-07',
    what: 'an approval is executed as often as it is asked',
    file,
    find: "const executing = await this.move(id, ['approved'], { state: 'executing' });",
    replace: 'const executing: ApprovalRecord | null = record;',
    noticedBy: [
      `${stores} › two people › … executions at once, on two machines, run the action once`,
      `${two} › an action › runs once, however often it is asked for`,
    ],
  },
  {
    id: 'D-07',
    what: 'an action that failed may be tried again',
    file,
    find: "await this.settle(who, executing, 'failed')",
    replace: "await this.options.store.update(id, (now) => ({ ...now, state: 'approved' }))",
    noticedBy: [
      `${two} › an action › that fails is failed, never run again, and what it threw is told`,
    ],
  },
  {
    id: 'D-07',
    what: 'two changes at once are both made, on SQL',
    file: 'lib/sql/approvals.ts',
    find: 'WHERE approval_id = ${record.id} AND revision = ${revision}',
    replace: 'WHERE approval_id = ${record.id} AND revision >= ${revision}',
    noticedBy: [
      `${stores} › the contract › of … changes from one state at once one is made`,
      `${stores} › the contract › no change is lost among others at once`,
    ],
  },
  {
    id: 'D-08',
    what: 'what was denied can be approved',
    file: rules,
    find: "if (record.state !== state) return 'not_open';",
    replace: '',
    noticedBy: [`${two} › no › is final, before the approval and after it`],
  },
  {
    id: 'D-08',
    what: 'anybody may cancel',
    file,
    find: 'record !== null && record.requestedBy !== who.userId',
    replace: 'record !== null && who.userId === undefined',
    noticedBy: [`${two} › no › takes no code, but a cancellation takes the one who asked`],
  },
  {
    id: 'D-08',
    what: 'anybody may deny',
    file,
    find: `!(await mayApprove(this.options, { userId: who.userId, record })))
      return this.refuse`,
    replace: 'who.userId === undefined) return this.refuse',
    noticedBy: [`${two} › no › is said by those alone who might have approved`],
  },
  {
    id: 'D-10',
    what: 'the approval is in force before it is in the trail',
    file,
    find: '      await this.record(who, record, type, { code: consumed });\n      const moved = await this.move(id, [state], to);',
    replace:
      '      const moved = await this.move(id, [state], to);\n      await this.record(who, record, type, { code: consumed });',
    noticedBy: [`${two} › the audit trail › that cannot be written lets nothing happen: …`],
  },
  {
    id: 'D-10',
    what: 'a refusal is in no trail',
    file,
    find: "await this.record(who, record, 'approval_refused', { reason });",
    replace: 'await Promise.resolve(who ?? record);',
    noticedBy: [`${two} › the audit trail › tells a refusal, and why`],
  },
  {
    id: 'D-11',
    what: 'the trail does not say whom it concerns',
    file: 'lib/service/backup-codes.ts',
    find: `approval: Object.freeze({ id, action, target, reason }),
      setId,
      codeId,
      context,
    }`,
    replace: 'approval: { id, action, target: target && null, reason }, setId, codeId, context }',
    noticedBy: [
      `${two} › the audit trail › tells each step: who, whose code, what and whom it concerns`,
      `${stores} › two people › each step is in the trail, with what it is about`,
    ],
  },
  {
    id: 'D-12',
    what: 'whoever holds the right words may call an action',
    file,
    find: 'if (this.running.has(approved) && approved.action === action) return;',
    replace: 'if (approved.action === action) return;',
    noticedBy: [`${two} › an action › called directly, without the two, throws`],
  },
  {
    id: 'D-12',
    what: 'an approval of one action opens another',
    file,
    find: 'if (this.running.has(approved) && approved.action === action) return;',
    replace: 'if (this.running.has(approved)) return;',
    noticedBy: [`${two} › an action › approved for one thing does nothing else`],
  },
  {
    id: 'D-13',
    what: 'a target has any number of open requests',
    file: 'lib/approval/memory-store.ts',
    find: 'if (!hasOpen) this.records.set(record.id, record);\n    return Promise.resolve(!hasOpen);',
    replace:
      'this.records.set(record.id, record);\n    return Promise.resolve(hasOpen || !hasOpen);',
    noticedBy: [
      `${two} › a request › is the only open one of its target`,
      `${stores} › the contract › a target has one open record, whatever differs in case, accent or space`,
    ],
  },
  {
    id: 'D-13',
    what: 'of two who ask at once both are let in, on SQL',
    file: 'lib/sql/schema.ts',
    find: '`open_target_key ${ascii(64)} UNIQUE`',
    replace: '`open_target_key ${ascii(64)}`',
    noticedBy: [`${stores} › the contract › of … for one target at once one is created`],
  },
  {
    id: 'D-14',
    what: 'a request is approved as it is made',
    file,
    find: `type: 'approval_requested',
      to: { state: 'requested' }`,
    replace: "type: 'approval_requested', to: { state: 'approved', approvedBy: who.userId }",
    noticedBy: [
      `${two} › an action › does not run before the second has approved it`,
      `${states} › any sequence of steps goes as the model does: nothing runs without two, in time, and more than once`,
    ],
  },
  {
    id: 'D-14',
    what: 'the second need not have a code',
    file,
    find: 'if (!consumed.ok) {\n',
    replace: "if (!consumed.ok && type !== 'approval_granted') {\n",
    noticedBy: [`${two} › a code › of another person is none`],
  },
  {
    id: 'D-15',
    what: 'looking at a request begins its approval',
    file,
    find: 'const record = await this.read(id);\n    return record && view(record);',
    replace:
      "const record = (await this.move(id, ['requested'], { state: 'approving' })) ?? (await this.read(id));\n    return record && view(record);",
    noticedBy: [`${two} › a request › is not changed by being looked at`],
  },
];
