// Breaks of the end of an account, of reopening a channel, and of tenants in one store.
import type { Break } from './break';

const service = 'test/service/account.test.ts';
const endings = 'test/helpers/account-tests.ts';
const accounts = 'lib/testing/account-tests.ts';
const namespaces = 'lib/testing/namespace-tests.ts';
const pruning = 'lib/testing/prune-tests.ts';

const leavesNothing = `${endings} › No row, key or event names a forgotten user, or where requests came from (namespace …)`;
const isLikeNew = `${accounts} › A forgotten user is like one who was never recorded (…)`;

export const accountBreaks: readonly Break[] = [
  {
    id: 'A-14.2.7',
    what: 'the generations of the next user with an id begin at the same number',
    file: 'lib/stores/generation.ts',
    find: 'return randomInt(1, 2 ** 46);',
    replace: 'return randomInt(1, 2);',
    noticedBy: [
      `${accounts} › A ticket from before … was forgotten reaches no counter of the next one`,
    ],
  },
  {
    id: 'K-10',
    what: 'the waits of a user without a set cannot be ended (SQL)',
    file: 'lib/sql/unlock-channel.ts',
    find: 'return counters.affected > 0;',
    replace: 'return counters.affected < 0;',
    noticedBy: [`${accounts} › The waits of a user of whom nothing else is stored end too`],
  },
  {
    id: 'N-33',
    what: 'a set that was staged while the clock was ahead can be activated for as long',
    file: 'lib/stores/waits.ts',
    find: 'return request.now < until && until <= latestUntil(request);',
    replace: 'return request.now < until;',
    noticedBy: [
      'lib/testing/staging-tests.ts › A staged set whose time ends later than that of a new one is not activated',
    ],
  },
  {
    id: 'K-10',
    what: 'a channel is reopened without a recorded actor',
    file: 'lib/service/account.ts',
    find: 'if (context.actor === null) {',
    replace: 'if (false) {',
    noticedBy: [`${service} › Unlocking with … is refused before the store is called`],
  },
  {
    id: 'K-10',
    what: 'an unlocked channel stays locked',
    file: 'lib/sql/unlock-channel.ts',
    find: 'second_factor_locked_at = NULL',
    replace: 'second_factor_locked_at = second_factor_locked_at',
    noticedBy: [
      `${service} › A locked channel is reopened for the codes of its set, and the actor is recorded`,
    ],
  },
  {
    id: 'K-10',
    what: 'an attempt from before the unlocking locks the channel again',
    file: 'lib/stores/memory.ts',
    find: `resetCounters(user, channel);
    return`,
    replace: `Object.assign(user.secondFactor, { attempts: 0, nextAt: 0, lockedAt: null });
    return`,
    noticedBy: [`${accounts} › A ticket from before the unlocking neither locks nor is given back`],
  },
  {
    id: 'A-14.2.7',
    what: 'the events of a forgotten user stay',
    file: 'lib/stores/memory.ts',
    find: 'const hadEvents = this.#trail.forget(subject, audit);',
    replace: 'const hadEvents = true;',
    noticedBy: [leavesNothing, isLikeNew],
  },
  {
    id: 'A-14.2.7',
    what: 'the codes of the ended sets of a forgotten user stay',
    file: 'lib/sql/forget-user.ts',
    find: `DELETE FROM \${tables.codes}
      WHERE \${isOfUser}`,
    replace: `DELETE FROM \${tables.codes}
      WHERE \${isOfUser} AND ended_at IS NULL`,
    noticedBy: [leavesNothing],
  },
  {
    id: 'A-14.2.7',
    what: 'the attempts of a forgotten user delay the next one with this id',
    file: 'lib/sql/forget-user.ts',
    find: `DELETE FROM \${tables.networks}
      WHERE \${isOfUser}`,
    replace: `DELETE FROM \${tables.networks}
      WHERE \${isOfUser} AND 1 = 0`,
    noticedBy: [leavesNothing, isLikeNew],
  },
  {
    id: 'A-14.2.7',
    what: 'the id of an anonymous event is made from the key of the user',
    file: 'lib/sql/forget-user.ts',
    find: 'SET event_id = ${randomUUID()}',
    replace: 'SET event_id = event_id',
    noticedBy: [leavesNothing],
  },
  {
    id: 'A-14.2.7',
    what: 'an anonymous event has the address of the user',
    file: 'lib/sql/forget-user.ts',
    find: 'ip = NULL,',
    replace: 'ip = ip,',
    noticedBy: [
      leavesNothing,
      `${accounts} › Anonymous events keep their place and what happened, and no more`,
    ],
  },
  {
    id: 'A-14.2.7',
    what: 'the event of a forgotten user says where the request came from',
    file: 'lib/service/account.ts',
    find: 'cleanContext(actor === null || isOwner ? {} : { actor })',
    replace: 'cleanContext(given)',
    noticedBy: [`${service} › Forgetting records one event, which has the actor and nothing else`],
  },
  {
    id: 'A-14.2.7',
    what: 'the event of a forgotten user names the user as its actor',
    file: 'lib/service/account.ts',
    find: 'const isOwner = actor === cleanString(subject.userId);',
    replace: 'const isOwner = cleanString(null) !== null;',
    noticedBy: [`${service} › A user who deletes their own account is not named as the actor`],
  },
  {
    id: 'A-14.2.7',
    what: 'pruning leaves the users whose set was revoked',
    file: 'lib/sql/prune.ts',
    find: '(set_id IS NULL OR revoked_at < ${before})',
    replace: 'set_id IS NULL',
    noticedBy: [
      `${pruning} › A user without a set since the given time is removed, if that is asked for`,
    ],
  },
  {
    id: 'A-14.2.7',
    what: 'pruning opens a locked channel',
    file: 'lib/sql/prune.ts',
    find: 'AND second_factor_locked_at IS NULL',
    replace: 'AND 1 = 1',
    noticedBy: [`${pruning} › A user with a current, staged or later set, a lock or a wait stays`],
  },
  {
    id: 'A-8.4.1',
    what: 'equal ids of two tenants are one user',
    file: 'lib/stores/subject.ts',
    find: "const hash = namespace === null ? createHash('sha256') : createHmac('sha256', namespace);",
    replace: "const hash = createHash('sha256');",
    noticedBy: [
      `${service} › A code of one namespace is refused for the equal id of another`,
      `${namespaces} › Equal ids of two namespaces have sets of their own`,
    ],
  },
  {
    id: 'A-8.4.1',
    what: 'a set that was copied to another tenant works there',
    file: 'lib/codes/digests.ts',
    find: 'return namespace === null ? [userId] : [namespace, userId];',
    replace: "return [userId].filter(() => namespace !== '');",
    noticedBy: [`${service} › A set that was copied into another namespace verifies no code there`],
  },
  {
    id: 'A-8.4.1',
    what: 'attempts with an unknown name at one tenant count at another',
    file: 'lib/stores/subject.ts',
    find: "namespace === null ? nameKey : createHmac('sha256', nameKey).update(namespace).digest();",
    replace: 'nameKey;',
    noticedBy: [
      `${service} › Attempts with an unknown user name are counted in each namespace apart`,
    ],
  },
  {
    id: 'A-8.4.1',
    what: 'a tenant reads the events of all tenants',
    file: 'lib/sql/read-events.ts',
    find: "[sql`namespace = ${namespace ?? ''}`]",
    replace: "[sql`'' <> ${namespace ?? 'x'}`]",
    noticedBy: [`${namespaces} › Events, reminders, pruning and reports stay in their namespace`],
  },
  {
    id: 'A-8.4.1',
    what: 'a tenant whose name is unknown shares the users of all such tenants',
    file: 'lib/service/config.ts',
    find: "if (!('namespace' in options)) return null;",
    replace: 'if (options.namespace === undefined) return null;',
    noticedBy: [`${service} › A namespace is 1 to 64 letters, digits and . _ -: … is refused`],
  },
];
