// Breaks of single use: a code works once, for one user, while its set is current.
import type { Break } from './break';

const races = 'lib/testing/race-tests.ts';
const sets = 'lib/testing/set-tests.ts';
const setRaces = 'lib/testing/set-race-tests.ts';
const consumption = 'lib/testing/consumption-tests.ts';
const consume = 'test/service/consume.test.ts';
const faults = 'test/service/faults.test.ts';
const issue = 'test/service/issue.test.ts';
const lifecycle = 'test/service/lifecycle.test.ts';
const singleUse = 'test/service/single-use.test.ts';
const interleavings = 'test/service/interleavings.test.ts';
const scheme = 'test/codes/digests.test.ts';
const rollback = 'test/sql/rollback.test.ts';
const race = 'test/strategy/race.test.ts';
const success = 'test/strategy/success.test.ts';

const repeats = 'lib/testing/repeated-consumption-tests.ts';
const logins = 'test/service/repeated-consumption.test.ts';

const once = `${consume} › A consumed code is refused, and only the event says so`;
const oneOfMany = `${singleUse} › Of … callers with one code exactly one succeeds`;
const oneOfManyInStores = `${races} › Of … callers who consume one code at once, exactly one succeeds`;

export const singleUseBreaks: readonly Break[] = [
  {
    id: 'N-05',
    what: 'a code is read, then written, so a late caller can consume it again (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (code.consumedAt !== null) {',
    replace: 'if (false) {',
    noticedBy: [
      oneOfMany,
      oneOfManyInStores,
      `${consume} › A code that another call consumes after the comparison is reused`,
      `${race} › exactly one of twenty requests that all found the code unconsumed is let in`,
    ],
  },
  {
    id: 'N-05',
    what: 'a code is read, then written by an UPDATE without a condition (SQL)',
    file: 'lib/sql/consumable.ts',
    find: 'AND consumed_at IS NULL',
    replace: '',
    noticedBy: [
      oneOfMany,
      oneOfManyInStores,
      `${consume} › A code that another call consumes after the comparison is reused`,
    ],
  },
  {
    id: 'N-05',
    what: 'codes are never consumed',
    file: 'lib/stores/memory.ts',
    find: '{ ...code, consumedAt: now, consumptionId }',
    replace: '{ ...code }',
    noticedBy: [
      once,
      oneOfMany,
      `${success} › a valid code lets in one of twenty simultaneous requests, and no later one`,
    ],
  },
  {
    id: 'W-06',
    what: 'the whole list is written back, so a consumed code works again (memory)',
    file: 'lib/stores/memory.ts',
    find: 'const codes = current.codes.with(index, { ...code, consumedAt: now, consumptionId });',
    replace:
      'const codes = current.codes.map((other) => ({ ...other, consumptionId: null, consumedAt: other === code ? now : null }));',
    noticedBy: [
      `${singleUse} › Two codes used at once are both accepted, and neither works again`,
      `${races} › Different codes consumed at once all succeed, and none works again`,
    ],
  },
  {
    id: 'W-06',
    what: '`remaining` is computed by the caller, not in the row (SQL)',
    file: 'lib/sql/consumable.ts',
    find: 'SET remaining = remaining - 1 + ${added}',
    replace: 'SET remaining = 9',
    noticedBy: [
      `${singleUse} › Two codes used at once are both accepted, and neither works again`,
      `${races} › Different codes consumed at once all succeed, and none works again`,
    ],
  },
  {
    id: 'F-09',
    what: 'a consumption whose answer was lost is refused (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (code?.consumptionId === consumptionId)',
    replace: 'if (false)',
    noticedBy: [
      `${repeats} › A consumption that is repeated with its id gets the same answer, and changes nothing`,
      `${repeats} › A repeated consumption adds its replacement once`,
      `${repeats} › After its events were pruned, a repeated consumption has the present numbers`,
      `${repeats} › Of … calls at once with one id, one consumes and the others repeat it`,
      `${logins} › The same code again for the same login is accepted again, and consumed once`,
    ],
  },
  {
    id: 'F-09',
    what: 'a consumption is only repeated while its set would accept a code (SQL)',
    file: 'lib/sql/consume-code.ts',
    find: "if (row['consumption_id'] === request.events[0].id) {",
    replace: "if (isCounted && row['consumption_id'] === request.events[0].id) {",
    noticedBy: [
      `${repeats} › A consumption is repeated after its set has expired and its channel was locked`,
    ],
  },
  {
    id: 'F-09',
    what: 'a repeated consumption returns the events of the request (memory)',
    file: 'lib/stores/memory.ts',
    find: 'const written = this.#trail.find(ids);',
    replace: 'const written = this.#trail.find(ids).length > 0 ? events : [];',
    noticedBy: [
      `${repeats} › A repeated consumption returns the events as they were written, not those of the request`,
    ],
  },
  {
    id: 'F-09',
    what: 'any id repeats a consumption (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (code?.consumptionId === consumptionId)',
    replace: 'if (code?.consumptionId)',
    noticedBy: [
      `${repeats} › No other id consumes a code again, before or after a repetition`,
      oneOfManyInStores,
    ],
  },
  {
    id: 'F-09',
    what: 'the code of one login is accepted in another',
    file: 'lib/service/consumption.ts',
    find: 'hashedUuid([LABEL, loginId, setId, codeId])',
    replace: 'hashedUuid([LABEL, setId, codeId])',
    noticedBy: [
      `${logins} › In any other login, or without one, the code is reused`,
      `${logins} › Of two calls at once for different logins, one is accepted`,
    ],
  },
  {
    id: 'F-09',
    what: 'a repeated consumption returns a replacement that is not stored',
    file: 'lib/service/consume.ts',
    find: 'return replacement && (!repeated || isAdded)',
    replace: 'return replacement',
    noticedBy: [
      `${logins} › A replacement is returned by the first of two calls at once, and works`,
    ],
  },
  {
    id: 'N-36',
    what: 'a new set is only accepted if the user has none',
    file: 'lib/stores/memory.ts',
    find: "if (request.only === 'first' && user.hadSet)",
    replace: 'if (user.hadSet)',
    noticedBy: [
      `${issue} › A new set ends the one before, and resets the attempt counters`,
      `${sets} › A replaced set stops working at once, and the new one works`,
      `${interleavings} › A code is consumed before its set ends, or never`,
    ],
  },
  {
    id: 'N-36',
    what: 'a set is written statement by statement, without a transaction',
    file: 'lib/sql/database.ts',
    find: 'return await isolated.execute(runAndKeepFailure);',
    replace: 'return await runAndKeepFailure(isolated && this.#config.kysely);',
    noticedBy: [
      `${rollback} › if a statement of … fails, nothing has changed, and the call can be repeated`,
    ],
  },
  {
    id: 'N-36',
    what: 'a staged set is activated, and the old one still works',
    file: 'lib/stores/memory.ts',
    find: 'beginSet(user, staged.header, staged.codes);',
    replace: 'if (!user.current) beginSet(user, staged.header, staged.codes);',
    noticedBy: [
      `${lifecycle} › An activated set replaces the old one, with all its codes and fresh counters`,
      `${setRaces} › A code consumed during … is consumed before it, or not at all`,
    ],
  },
  {
    id: 'N-36',
    what: 'the salts and digests of an ended set are kept',
    file: 'lib/sql/set-changes.ts',
    find: 'SET salt = NULL, digest = NULL, ended_at',
    replace: 'SET ended_at',
    noticedBy: [`${issue} › A new set erases the salts and digests of the one before`],
  },
  {
    id: 'N-31',
    what: 'a revoked set still works',
    file: 'lib/stores/memory.ts',
    find: 'endSet(user);',
    replace: '',
    noticedBy: [
      `${consume} › A code of a revoked set is refused with the reason \`none\``,
      `${lifecycle} › Revoking ends the set at once, returns true, and records the actor`,
      `${consume} › A code whose set is … between comparison and consumption is refused with …`,
      `${interleavings} › A code is consumed before its set ends, or never`,
    ],
  },
  {
    id: 'N-33',
    what: 'expiry is checked before the write, not in it (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (set.expiresAt !== null && now >= set.expiresAt)',
    replace: 'if (false)',
    noticedBy: [
      `${consume} › A code used … ms from the expiry of its set gives …`,
      `${consume} › A code whose set expires between comparison and consumption is expired`,
      `${consumption} › No code works from the millisecond at which its set expires`,
    ],
  },
  {
    id: 'N-33',
    what: 'expiry is checked before the write, not in it (SQL)',
    file: 'lib/sql/consumable.ts',
    find: 'AND (expires_at IS NULL OR expires_at > ${now})',
    replace: '',
    noticedBy: [
      `${consume} › A code used … ms from the expiry of its set gives …`,
      `${consume} › A code whose set expires between comparison and consumption is expired`,
      `${consumption} › No code works from the millisecond at which its set expires`,
    ],
  },
  {
    id: 'N-33',
    what: 'a set works one millisecond too long',
    file: 'lib/sql/consumable.ts',
    find: 'expires_at > ${now})',
    replace: 'expires_at >= ${now})',
    noticedBy: [`${consumption} › No code works from the millisecond at which its set expires`],
  },
  {
    id: 'W-32',
    what: 'a consumption is written statement by statement, without a transaction',
    file: 'lib/sql/database.ts',
    find: 'return await isolated.execute(runAndKeepFailure);',
    replace: 'return await runAndKeepFailure(isolated && this.#config.kysely);',
    noticedBy: [
      `${rollback} › if a statement fails, … lets no user in, and a consumption is all or nothing`,
    ],
  },
  {
    id: 'W-03',
    what: 'all users share one set',
    file: 'lib/stores/subject.ts',
    find: ".update(userId).digest('hex')",
    replace: ".digest('hex')",
    noticedBy: [
      `${consume} › A code of another user is a mismatch, and still works for its owner`,
      `${issue} › Each user has a set of their own`,
    ],
  },
  {
    id: 'W-03',
    what: 'user ids are compared without regard to case',
    file: 'lib/stores/subject.ts',
    find: '.update(userId).digest',
    replace: '.update(userId.toLowerCase()).digest',
    noticedBy: [
      `${consume} › User ids that differ in case, accent, space or NUL are different users`,
    ],
  },
  {
    id: 'W-03',
    what: 'a digest verifies in the row of another code',
    file: 'lib/codes/digests.ts',
    find: 'for (const field of fields)',
    replace: 'for (const field of fields.length === 2 ? fields.slice(1) : fields)',
    noticedBy: [`${scheme} › A digest does not verify with the salt or the id of another code`],
  },
  {
    id: 'W-03',
    what: 'digests are not bound to their user',
    file: 'lib/codes/digests.ts',
    find: '[VERSION, ...ownerFields(binding), setId',
    replace: '[VERSION, setId',
    noticedBy: [
      `${scheme} › A code is not found by the keyed value of another code, user, set or pepper`,
    ],
  },
  {
    id: 'W-03',
    what: 'a set that was copied to another user verifies for that user',
    file: 'lib/codes/digests.ts',
    find: '[CHECK_VERSION, ...ownerFields(binding), binding.setId]',
    replace: '[CHECK_VERSION, binding.setId]',
    noticedBy: [`${faults} › A set that was copied to another user does not verify for that user`],
  },
  {
    id: 'W-03',
    what: 'a code is searched in the sets of all users',
    file: 'lib/sql/consumable.ts',
    find: `AND user_key = \${subject.key}
      AND set_id = \${setId}
      AND consumed_at IS NULL`,
    replace: 'AND consumed_at IS NULL',
    noticedBy: [`${consumption} › A code of another user or of another set is not consumed`],
  },
  {
    id: 'W-32',
    what: 'a Redis script writes an event before the rights to its other writes are checked',
    file: 'lib/redis/scripts/user-functions.ts',
    find: "write('XADD', events,",
    replace: "redis.call('XADD', events,",
    noticedBy: [
      'test/redis/scripts.test.ts › … makes no write except the planned ones, at its end',
    ],
  },
];
