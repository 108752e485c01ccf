// Every call of the stores on Redis, and data on which each call writes. For tests of faults that
// must not leave a call half done.
import type { RedisApprovalStore, RedisStore } from '../../lib/redis';
import { forgetRequest, unlockRequest } from '../../lib/testing/account-tests';
import {
  HOUR_MS,
  issueSet,
  newCode,
  newConsumeRequest,
  newEvent,
  newSet,
  newUser,
  NOW,
  takeAttempt,
  takeGrantedAttempt,
  type User,
  type UserSet,
} from '../../lib/testing/samples';
import type { ApprovalRecord } from '../../lib/approval';
import type { Ticket } from '../../lib/stores/requests';
import { START } from './clock';
import { newRecord } from './approval-tests';

const NEVER_LOCKED = 50;

export interface RedisStores {
  readonly backup: RedisStore;
  readonly approvals: RedisApprovalStore;
}

export interface PreparedData {
  /** The current set. Its first code is consumed. */
  readonly set: UserSet;
  readonly staged: UserSet;
  readonly ticket: Ticket;
  readonly recoveryTicket: Ticket;
  readonly approval: ApprovalRecord;
}

export interface PreparedUsers {
  readonly user?: User;
  /** A user who has no set any more. */
  readonly other?: User;
}

export interface RedisCall {
  readonly name: string;
  /** It runs several scripts. If a later one is refused, the call can be repeated. */
  readonly isRepeatable?: true;
  readonly run: (stores: RedisStores, data: PreparedData) => Promise<unknown>;
}

/** A user with an ended, a current and a staged set, counters on both channels, and a trail. */
export async function prepareData(
  { backup, approvals }: RedisStores,
  { user = newUser(), other = newUser() }: PreparedUsers = {},
): Promise<PreparedData> {
  const { subject } = await issueSet(backup, { user });
  const set = await issueSet(backup, { user: subject, expiresAt: NOW + HOUR_MS });
  const staged = newSet(subject);
  await backup.stage({ ...staged, until: NOW + HOUR_MS });
  await backup.consume(newConsumeRequest(set, 0));
  const { ticket } = await takeGrantedAttempt(backup, subject);
  const recovery = await takeGrantedAttempt(backup, subject, { channel: 'recovery' });
  await backup.count({ subject, event: newEvent('throttled', subject) });
  await prepareOthers(backup, other);
  const approval = newRecord();
  await approvals.create(approval);
  return { set, staged, ticket, recoveryTicket: recovery.ticket, approval };
}

/** A user whom pruning removes, and a forgotten user whose events stay. */
async function prepareOthers(backup: RedisStore, other: User): Promise<void> {
  const { subject } = await issueSet(backup, { user: other });
  await backup.revoke({ subject, now: NOW, event: newEvent('revoked', subject) });
  const { subject: forgotten } = await issueSet(backup);
  await backup.forget(forgetRequest(forgotten, 'anonymize'));
}

export const redisCalls: readonly RedisCall[] = [
  {
    name: 'replace',
    run: ({ backup }, { set }) => backup.replace({ ...newSet(set.subject), now: NOW }),
  },
  {
    name: 'stage',
    run: ({ backup }, { set }) => backup.stage({ ...newSet(set.subject), until: NOW + HOUR_MS }),
  },
  { name: 'stage for a new user', run: ({ backup }) => stageForNewUser(backup) },
  {
    name: 'activate',
    run: ({ backup }, { staged: { subject, header } }) =>
      backup.activate({
        subject,
        setId: header.setId,
        now: NOW,
        event: newEvent('activated', subject),
      }),
  },
  { name: 'find', run: ({ backup }, { set }) => backup.find(set.subject) },
  {
    name: 'takeAttempt on the second factor',
    run: ({ backup }, { set }) => takeAttempt(backup, set.subject),
  },
  {
    name: 'takeAttempt on recovery',
    run: ({ backup }, { set }) => takeAttempt(backup, set.subject, { channel: 'recovery' }),
  },
  { name: 'takeAttempt of a new user', run: ({ backup }) => takeAttempt(backup, newUser()) },
  {
    name: 'takeAttempt on a locked channel',
    run: ({ backup }, { set }) => takeAttempt(backup, set.subject, { waits: [0] }),
  },
  {
    name: 'giveBack on the second factor',
    run: ({ backup }, { set, ticket }) => backup.giveBack({ subject: set.subject, ticket }),
  },
  {
    name: 'giveBack on recovery',
    run: ({ backup }, { set, recoveryTicket }) =>
      backup.giveBack({ subject: set.subject, ticket: recoveryTicket }),
  },
  {
    name: 'consume',
    run: ({ backup }, { set }) => backup.consume(newConsumeRequest(set, 1)),
  },
  {
    name: 'consume with a replacement',
    run: ({ backup }, { set }) =>
      backup.consume(newConsumeRequest(set, 1, { replacement: newCode() })),
  },
  {
    name: 'revoke',
    run: ({ backup }, { set: { subject } }) =>
      backup.revoke({ subject, now: NOW, event: newEvent('revoked', subject) }),
  },
  {
    name: 'unlock the second factor',
    run: ({ backup }, { set }) => backup.unlock(unlockRequest(set.subject)),
  },
  {
    name: 'unlock recovery',
    run: ({ backup }, { set }) => backup.unlock(unlockRequest(set.subject, 'recovery')),
  },
  {
    name: 'append with a lock',
    run: ({ backup }, { set: { subject }, ticket }) =>
      backup.append([newEvent('rejected', subject)], {
        subject,
        ticket,
        now: NOW,
        event: newEvent('locked', subject),
      }),
  },
  {
    name: 'count',
    run: ({ backup }, { set: { subject } }) =>
      backup.count({ subject, event: newEvent('throttled', subject) }),
  },
  { name: 'nameKey', run: ({ backup }) => backup.nameKey() },
  {
    name: 'forget',
    isRepeatable: true,
    run: ({ backup }, { set }) => backup.forget(forgetRequest(set.subject, 'anonymize')),
  },
  {
    name: 'prune',
    isRepeatable: true,
    run: ({ backup }) =>
      backup.prune({
        namespace: null,
        before: NOW + HOUR_MS,
        usersWithoutSet: true,
        lockAfter: NEVER_LOCKED,
      }),
  },
  {
    name: 'recordReminders',
    isRepeatable: true,
    run: ({ backup }, { set }) =>
      backup.recordReminders({
        namespace: null,
        now: NOW,
        leadsMs: [2 * HOUR_MS, 0],
        toEvent: ({ type, setId, remaining, total }) =>
          newEvent(type, set.subject, { setId, remaining, total }),
      }),
  },
  ...(['oldest-first', 'newest-first'] as const).map((order) => ({
    name: `readEvents, ${order}`,
    run: ({ backup }: RedisStores) =>
      backup.readEvents({
        namespace: null,
        subject: null,
        types: null,
        order,
        after: null,
        limit: 100,
      }),
  })),
  { name: 'readEvents after the last event', run: ({ backup }) => readToTheEnd(backup) },
  {
    name: 'replayEvents',
    isRepeatable: true,
    run: ({ backup }, { set: { subject, header, codes } }) => {
      const { setId } = header;
      const codeId = codes[1]?.codeId ?? '';
      const event = newEvent('consumed', subject, { setId, codeId });
      const change = { type: 'code_consumed', setId, codeId } as const;
      return backup.replayEvents({ subject, steps: [{ event, change }] });
    },
  },
  {
    name: 'report',
    run: ({ backup }) =>
      backup.report({
        namespace: null,
        since: NOW - HOUR_MS,
        now: NOW,
        lowAt: 3,
        rotateBefore: null,
        lockAfter: NEVER_LOCKED,
        manyFailures: 5,
      }),
  },
  { name: 'create of an approval', run: ({ approvals }) => approvals.create(newRecord()) },
  {
    name: 'update of an approval',
    run: ({ approvals }, { approval }) =>
      approvals.update(approval.id, (record) => ({
        ...record,
        state: 'denied',
        approvedAt: START,
      })),
  },
];

function stageForNewUser(backup: RedisStore): Promise<unknown> {
  return backup.stage({ ...newSet(newUser()), until: NOW + HOUR_MS });
}

async function readToTheEnd(backup: RedisStore): Promise<void> {
  const request = { namespace: null, subject: null, types: null, limit: 100 } as const;
  let after: string | null = null;
  for (let page = 1; page <= 2; page += 1) {
    ({ cursor: after } = await backup.readEvents({ ...request, order: 'oldest-first', after }));
  }
}
