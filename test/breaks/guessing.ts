// Breaks of attempts, waits, and equal work.
import type { Break } from './break';

const attemptTests = 'lib/testing/attempt-tests.ts';
const appendTests = 'lib/testing/append-tests.ts';
const giveBackTests = 'lib/testing/give-back-tests.ts';
const races = 'lib/testing/race-tests.ts';
const waits = 'test/service/back-off.test.ts';
const attempts = 'test/service/attempts.test.ts';
const equalWork = 'test/service/equal-work.test.ts';
const faults = 'test/service/faults.test.ts';
const gate = 'test/codes/hash-queue.test.ts';
const channelShares = 'test/codes/hash-queue-fairness.test.ts';
const userShare = 'test/codes/hash-queue-fairness.test.ts';
const floods = 'test/service/fair-queue.test.ts';
const plans = 'test/helpers/query-plan-tests.ts';
const tickets = 'test/stores/tickets.test.ts';
const fail = 'test/strategy/fail.test.ts';

const validDuringWait = `${attempts} › A valid code during a wait is refused without a hash`;
const twoHundred = `${attempts} › Two hundred attempts at once cost one hash for each granted one`;
const announced = `${fail} › too many attempts are answered with 429 and a wait, unchecked`;
const neverMints = `${tickets} › Attempts given back grant no more and end no other wait`;

export const guessingBreaks: readonly Break[] = [
  {
    id: 'N-10',
    what: 'a locked channel is an error, which ends the chain of strategies',
    file: 'lib/strategy/outcomes.ts',
    find: 'return REFUSALS.locked;',
    replace: 'throw new Error(LOCKED_MESSAGE);',
    noticedBy: [
      'test/strategy/with-totp.test.ts › a TOTP works even if the backup codes are locked',
    ],
  },
  {
    id: 'N-10',
    what: 'each channel allows a hundred attempts',
    file: 'lib/service/back-off.ts',
    find: `    ...ATTEMPTS,
    fallback: 50,`,
    replace: `    min: 1, max: 100,
    fallback: 100,`,
    noticedBy: [`${waits} › By default waits start after four attempts and double up to an hour`],
  },
  {
    id: 'N-10',
    what: 'a channel never locks (memory)',
    file: 'lib/stores/memory.ts',
    find: "channel === 'second_factor' && (lockedAt !== null || attempts >= waits.length)",
    replace: 'false',
    noticedBy: [
      `${attempts} › Four attempts have no wait; waits then double from a minute to an hour`,
      `${attempts} › A locked channel refuses a valid code on every instance and never consumes it`,
    ],
  },
  {
    id: 'N-10',
    what: 'another configuration unlocks a locked channel',
    file: 'lib/stores/memory.ts',
    find: '(lockedAt !== null || attempts >= waits.length)',
    replace: '(attempts >= waits.length)',
    noticedBy: [
      `${appendTests} › A locked channel refuses attempts and codes; the other channel works`,
    ],
  },
  {
    id: 'N-10',
    what: 'the lock of a channel is not recorded',
    file: 'lib/stores/memory.ts',
    find: 'counter.lockedAt = lock.now',
    replace: 'counter.lockedAt = null',
    noticedBy: [`${attempts} › A locked channel stays locked if more attempts are allowed later`],
  },
  {
    id: 'N-10',
    what: 'both channels share one counter, so an attacker without the password can lock the second factor',
    file: 'lib/service/consume.ts',
    find: "userId === null ? 'recovery' : context.channel",
    replace: "'second_factor'",
    noticedBy: [
      `${attempts} › A stranger with a user name can guess for days and delays no owner elsewhere`,
      `${attempts} › Attempts of … are counted for each channel separately`,
    ],
  },
  {
    id: 'A-6.3.8',
    what: 'formats that recovery does not read are read for unknown user names only',
    file: 'lib/service/consume.ts',
    find: 'config.formats.filter((format) => isAllowedOn(channel, format))',
    replace: 'config.formats.filter((format) => isAllowedOn(context.channel, format))',
    noticedBy: [
      'test/service/equal-work.test.ts › get the same answer after the same work on recovery: …',
    ],
  },
  {
    id: 'N-10',
    what: 'the end of a set unlocks a channel',
    file: 'lib/stores/memory.ts',
    find: 'endSet(user);',
    replace:
      "endSet(user); for (const channel of ['second_factor', 'recovery'] as const) user.channels[channel] = freshCounter(user.channels[channel].generation + 1);",
    noticedBy: [`${attempts} › Only a new set unlocks a channel`],
  },
  {
    id: 'N-12',
    what: 'the wait does not grow',
    file: 'lib/service/back-off.ts',
    find: 'firstDelay * 2 ** (attempt - free)',
    replace: 'firstDelay',
    noticedBy: [
      `${waits} › By default waits start after four attempts and double up to an hour`,
      `${attempts} › Four attempts have no wait; waits then double from a minute to an hour`,
    ],
  },
  {
    id: 'N-12',
    what: 'the wait grows without end',
    file: 'lib/service/back-off.ts',
    find: 'Math.min(firstDelay * 2 ** (attempt - free), maxDelay)',
    replace: '(firstDelay * 2 ** (attempt - free))',
    noticedBy: [`${waits} › Waits never get shorter, and are 0 or from 30 seconds to an hour`],
  },
  {
    id: 'N-12',
    what: 'the response does not say how long to wait',
    file: 'lib/strategy/outcomes.ts',
    find: "req.res.setHeader('Retry-After', String(retryAfterSeconds));",
    replace: 'return;',
    noticedBy: [announced],
  },
  {
    id: 'N-13',
    what: 'staging a set resets the counter before the set works (memory)',
    file: 'lib/stores/memory.ts',
    find: 'this.#user(subject).staged = {',
    replace: `for (const channel of ['second_factor', 'recovery'] as const) this.#user(subject).channels[channel] = freshCounter(1);
    this.#user(subject).staged = {`,
    noticedBy: [
      `${attempts} › Only a consumed code or a new set resets the attempt counter`,
      `${attemptTests} › A staged set, a revocation or a used code resets no counter`,
    ],
  },
  {
    id: 'N-13',
    what: 'a code that was already consumed resets the counter (SQL)',
    file: 'lib/sql/consume-code.ts',
    find: 'throw new Rollback(await explain(run, { tables, request, isCounted: true }))',
    replace: 'return await explain(run, { tables, request, isCounted: true })',
    noticedBy: [`${attemptTests} › A staged set, a revocation or a used code resets no counter`],
  },
  {
    id: 'W-08',
    what: 'attempts are counted for each IP address',
    file: 'lib/service/consume.ts',
    find: 'const subject = await findSubject();',
    replace: `const found = await findSubject();
  const subject = { ...found, key: \`\${found.key}\${context.ip}\` };`,
    noticedBy: [
      `${attempts} › Attempts are counted together over instances and the addresses of a network`,
    ],
  },
  {
    id: 'W-10',
    what: 'an attempt is counted after the check (memory)',
    file: 'lib/stores/memory.ts',
    find: 'counter.attempts += 1;',
    replace: 'setImmediate(() => (counter.attempts += 1));',
    noticedBy: [
      twoHundred,
      `${races} › Attempts taken at once are granted no more often than one after the other`,
    ],
  },
  {
    id: 'W-10',
    what: 'an attempt is read, then written without a condition (SQL)',
    file: 'lib/sql/second-factor-counter.ts',
    find: `
      AND \${isWaitOver(nextAt, request)}`,
    replace: '',
    noticedBy: [
      twoHundred,
      `${races} › Attempts taken at once are granted no more often than one after the other`,
    ],
  },
  {
    id: 'W-10',
    what: 'an attempt is given back in a later generation (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (counter?.generation !== ticket.generation || counter.attempts === 0) return;',
    replace: 'if (!counter || counter.attempts === 0) return;',
    noticedBy: [`${giveBackTests} › An attempt given back after a success changes nothing`],
  },
  {
    id: 'W-10',
    what: 'an attempt is given back in a later generation (SQL)',
    file: 'lib/sql/second-factor-counter.ts',
    find: `AND second_factor_generation = \${ticket.generation}
      AND second_factor_attempts > 0`,
    replace: 'AND second_factor_attempts > 0',
    noticedBy: [`${giveBackTests} › An attempt given back after a success changes nothing`],
  },
  {
    id: 'W-10',
    what: 'giving an attempt back ends the wait of another one',
    file: 'lib/stores/memory.ts',
    find: 'if (counter.nextAt === ticket.nextAt) counter.nextAt = 0',
    replace: 'counter.nextAt = 0',
    noticedBy: [
      `${giveBackTests} › An attempt given back does not end the wait of a later attempt`,
      neverMints,
    ],
  },
  {
    id: 'W-10',
    what: 'giving one attempt back uncounts two (SQL)',
    file: 'lib/sql/second-factor-counter.ts',
    find: 'second_factor_attempts = second_factor_attempts - 1',
    replace: 'second_factor_attempts = second_factor_attempts - 2',
    noticedBy: [
      `${giveBackTests} › An attempt that is given back is uncounted, and its wait ends`,
      neverMints,
    ],
  },
  {
    id: 'W-10',
    what: 'recovery attempts of all networks are counted together',
    file: 'lib/stores/network.ts',
    find: "if (ip === null || isIP(ip) === 0) return '';",
    replace: "if (isIP(ip ?? '') !== 1) return '';",
    noticedBy: [
      `${attempts} › A stranger with a user name can guess for days and delays no owner elsewhere`,
      `${attempts} › Recovery attempts are counted together for …`,
    ],
  },
  {
    id: 'W-10',
    what: 'recovery attempts of all networks are counted together (memory)',
    file: 'lib/stores/memory-networks.ts',
    find: 'return `${key} ${network}`;',
    replace: 'return `${key} ${network.length > 99}`;',
    noticedBy: [
      'lib/testing/network-tests.ts › Recovery attempts from one network do not delay another network',
    ],
  },
  {
    id: 'W-10',
    what: 'a wait from a clock that was years ahead lasts for years',
    file: 'lib/stores/waits.ts',
    find: 'return now < nextAt && nextAt <= latestEnd(request);',
    replace: 'return now < nextAt && latestEnd(request) > 0;',
    noticedBy: [
      `${attemptTests} › A wait that began by a clock that was years ahead counts as over`,
    ],
  },
  {
    id: 'W-12',
    what: 'waits are not enforced (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (isLocked || isWaiting(nextAt, request))',
    replace: 'if (isLocked)',
    noticedBy: [validDuringWait, announced],
  },
  {
    id: 'W-28',
    what: 'any number of slow hashes run at once',
    file: 'lib/codes/hash-lines.ts',
    find: 'if (running.second_factor + running.recovery >= concurrency) return false;',
    replace: '',
    noticedBy: [`${gate} › At most \`concurrency\` hashes run at once, in order`],
  },
  {
    id: 'W-28',
    what: 'the hash queue is unlimited',
    file: 'lib/codes/hash-queue.ts',
    find: 'if (waiting[channel] >= maxQueued) throw new HashQueueBusy();',
    replace: '',
    noticedBy: [
      `${gate} › A full line turns callers away at once, and leaves the other channel its own line`,
    ],
  },
  {
    id: 'W-28',
    what: 'recovery logins take every place',
    file: 'lib/codes/hash-lines.ts',
    find: 'running.recovery < placesOfRecovery(concurrency)',
    replace: 'true',
    noticedBy: [
      `${channelShares} › Of … places recovery takes at most …, and the others stay free`,
      `${floods} › A second factor login begins at once, however many recovery logins are in flight`,
    ],
  },
  {
    id: 'W-28',
    what: 'recovery logins have the same rank as second factor logins',
    file: 'lib/codes/hash-lines.ts',
    find: '[TRUSTED, [newcomers.recovery]]',
    replace: '[[...TRUSTED, newcomers.recovery]]',
    noticedBy: [
      `${channelShares} › While second factor logins wait, recovery gets no place for 32 hashes`,
      `${floods} › Thirty second factor logins at once are all served before a recovery login that waits`,
    ],
  },
  {
    id: 'W-28',
    what: 'recovery logins wait for as long as second factor logins do',
    file: 'lib/codes/hash-lines.ts',
    find: 'passes >= MAX_PASSES',
    replace: 'false',
    noticedBy: [
      `${channelShares} › With … places recovery gets every 33rd hash, however many second factor logins wait`,
      `${floods} › A recovery login gets the place after 32 second factor logins`,
    ],
  },
  {
    id: 'T-02',
    what: 'one user takes every place',
    file: 'lib/codes/hash-queue.ts',
    find: 'if (begun.second_factor + begun.recovery >= MAX_BEGUN) return false;',
    replace: '',
    noticedBy: [
      `${userShare} › One user begins two hashes and has four more waiting; others are busy at once`,
      `${userShare} › No user has more than two hashes begun and four waiting, whatever the calls`,
      `${floods} › 140 sets staged at once by one user hold two places, and 40 other users are served`,
      `${floods} › The calls of one user are counted together, whichever they are`,
    ],
  },
  {
    id: 'T-02',
    what: 'the waiting calls of one user fill the line',
    file: 'lib/codes/hash-queue.ts',
    find: 'if (load.waiting.size >= MAX_WAITING) turnAwayStranger(caller);',
    replace: '',
    noticedBy: [
      `${userShare} › One user begins two hashes and has four more waiting; others are busy at once`,
      `${userShare} › No user has more than two hashes begun and four waiting, whatever the calls`,
    ],
  },
  {
    id: 'T-02',
    what: 'a stranger with the user name uses up the waiting calls of the owner',
    file: 'lib/codes/hash-queue.ts',
    find: "if (channel === 'recovery' || stranger === undefined) throw new HashQueueBusy();",
    replace: 'if (true) throw new HashQueueBusy();',
    noticedBy: [
      `${userShare} › Strangers on recovery who know a user name do not keep its owner out`,
    ],
  },
  {
    id: 'W-28',
    what: 'a busy response does not say when to retry',
    file: 'lib/service/refuse.ts',
    find: ', retryAfterSeconds: MAX_WAIT_SECONDS',
    replace: '',
    noticedBy: [
      'test/strategy/busy.test.ts › a burst at … fills the hash queue, and the rest gets 503',
    ],
  },
  {
    id: 'W-28',
    what: 'a busy outcome costs an attempt',
    file: 'lib/service/consume.ts',
    find: 'if (!isRefused) await giveBackIfPossible',
    replace: 'if (!isRefused && !(error instanceof HashQueueBusy)) await giveBackIfPossible',
    noticedBy: [`${faults} › With a full hash queue, the outcome is \`busy\` and costs no attempt`],
  },
  {
    id: 'A-6.3.8',
    what: 'nothing is hashed for a user without a set',
    file: 'lib/service/consume.ts',
    find: 'const attempt: GrantedAttempt = { service, userId, source, context, loginId, ticket, current };',
    replace: `const attempt: GrantedAttempt = { service, userId, source, context, loginId, ticket, current };
  if (current === null) return reject(attempt, userId === null ? 'unknown_user' : 'none');`,
    noticedBy: [
      `${equalWork} › Refusing … costs one slow hash and ten comparisons`,
      `${equalWork} › Without a set the work is that of a set of the current configuration`,
      `${fail} › an unknown name gets the status, body, headers and work of a known one, at …`,
    ],
  },
  {
    id: 'A-6.3.8',
    what: 'an expired set is refused before the hash',
    file: 'lib/service/consume.ts',
    find: 'const attempt: GrantedAttempt = { service, userId, source, context, loginId, ticket, current };',
    replace: `const attempt: GrantedAttempt = { service, userId, source, context, loginId, ticket, current };
  if (current?.expiresAt != null && config.now() >= current.expiresAt) return reject(attempt, 'expired');`,
    noticedBy: [
      `${equalWork} › A valid code of an expired set costs one slow hash and ten comparisons`,
    ],
  },
  {
    id: 'A-6.3.8',
    what: 'only unconsumed codes are compared, so the time shows how many are left',
    file: 'lib/service/compare.ts',
    find: 'findMatch(await keyedValue(hashing, symbols), set.codes)',
    replace:
      'findMatch(await keyedValue(hashing, symbols), set.codes.filter(({ consumedAt }) => consumedAt === null))',
    noticedBy: [`${equalWork} › Refusing … costs one slow hash and ten comparisons`],
  },
  {
    id: 'A-6.3.8',
    what: 'the comparison stops at the first match',
    file: 'lib/codes/digests.ts',
    find: 'match = isEqual ? record : match',
    replace: 'if (isEqual) return record',
    noticedBy: [
      `${equalWork} › Accepting the code at index … costs one slow hash and ten comparisons`,
    ],
  },
  {
    id: 'A-6.3.8',
    what: 'throttled attempts are hashed',
    file: 'lib/service/consume.ts',
    find: 'listeners.notify(taken.events);',
    replace: `await compare(config, { set: service.dummy, userId: '', typed, readings, channel, onVerdict: () => undefined });
    listeners.notify(taken.events);`,
    noticedBy: [`${equalWork} › Throttled and locked attempts of … cost no hash and no comparison`],
  },
  {
    id: 'A-6.3.8',
    what: 'an attempt on an unknown user name is refused without a hash',
    file: 'lib/strategy/verify.ts',
    find: 'await options.backupCodes.rejectUnknownUser(username, typed, context)',
    replace: "{ ok: false, reason: 'unknown_user' }",
    noticedBy: [
      `${fail} › an unknown name gets the status, body, headers and work of a known one, at …`,
    ],
  },
  {
    id: 'T-03',
    what: 'the counter of a network is not found by its key',
    file: 'lib/sql/network-counter.ts',
    find: 'sql`n.user_key = ${subject.key} AND n.network',
    replace: "sql`COALESCE(n.user_key, '') = ${subject.key} AND n.network",
    noticedBy: [
      `${plans} › on …, a valid, a consumed and an invalid code find their rows by a key`,
      `${plans} › on …, attempts during a wait find their rows by a key`,
      `${plans} › an unknown user name finds its rows by a key, and during a wait too`,
    ],
  },
  {
    id: 'T-03',
    what: 'all expired counters are removed at once',
    file: 'lib/sql/sweep.ts',
    find: 'LIMIT ${sql.lit(REMOVED_AT_ONCE)}',
    replace: 'LIMIT ${sql.lit(REMOVED_AT_ONCE ** 2)}',
    noticedBy: [
      `${plans} › a new unknown user name removes expired counters in the background, 500 at a time`,
    ],
  },
];
