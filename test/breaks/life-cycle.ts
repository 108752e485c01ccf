// Breaks of fault handling, the audit trail and secrecy.
import type { Break } from './break';

const attempts = 'test/service/attempts.test.ts';
const consume = 'test/service/consume.test.ts';
const faults = 'test/service/faults.test.ts';
const faultsAnswers = 'test/service/faults-answers.test.ts';
const faultsHash = 'test/service/faults-hash.test.ts';
const faultsStore = 'test/service/faults-store.test.ts';
const issue = 'test/service/issue.test.ts';
const lifecycle = 'test/service/lifecycle.test.ts';
const refusals = 'test/service/refusals.test.ts';
const replacement = 'test/service/replacement.test.ts';
const risk = 'test/service/risk.test.ts';
const reports = 'test/helpers/report-tests.ts';
const pepper = 'test/codes/pepper.test.ts';
const printing = 'test/leaks/printing.test.ts';
const rollback = 'test/sql/rollback.test.ts';
const fail = 'test/strategy/fail.test.ts';

export const lifeCycleBreaks: readonly Break[] = [
  {
    id: 'A-16.2',
    what: 'a set with impossible values is compared with',
    file: 'lib/stores/stored-set.ts',
    find: 'if (isPossible(set)) return;',
    replace: 'if (isPossible(set) || isSet(set)) return;',
    noticedBy: [
      `${refusals} › A stored set with … leaves an event and charges no attempt`,
      `${faultsAnswers} › A set with … is an error before any hash, which is recorded and charges no attempt`,
      `${faults} › A set with one damaged digest is an error for each of its codes, until there is a new one`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a fault of the store accepts the code',
    file: 'lib/service/consume.ts',
    find: 'await service.config.store.consume(request)',
    replace:
      "await service.config.store.consume(request).catch(() => ({ outcome: 'consumed' as const, remaining: 0, total: 0, events: [], repeated: false }))",
    noticedBy: [
      `${faults} › A fault of … accepts no code, and the code stays unconsumed`,
      `${faults} › A fault after the consumption was stored accepts no code, which stays consumed`,
      `${faultsStore} › A fault of … in … accepts no code, and no guess is free`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a fault of the audit trail gives the attempt back',
    file: 'lib/service/consume.ts',
    find: 'await service.config.store.consume(request)',
    replace: `await service.config.store.consume(request).catch(async (error: unknown) => {
      await giveBackIfPossible(attempt);
      throw error;
    })`,
    noticedBy: [`${faults} › Faults while a valid code is consumed begin no wait and lock nothing`],
  },
  {
    id: 'A-16.5.3',
    what: 'a replacement that cannot be made costs an attempt',
    file: 'lib/service/compare.ts',
    find: 'if (!isConsumable) request.onRefusal();',
    replace: 'request.onRefusal();',
    noticedBy: [
      `${replacement} › If no replacement can be made, neither the attempt nor the code is spent`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a fault before the comparison costs an attempt',
    file: 'lib/service/consume.ts',
    find: 'if (!isRefused) await giveBackIfPossible(attempt);',
    replace: '',
    noticedBy: [
      `${faults} › If the slow hash …, no code is accepted and the attempt is given back`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'an empty hash is accepted',
    file: 'lib/codes/stretch.ts',
    find: 'if (!(hash instanceof Uint8Array) || hash.length < MIN_HASH_BYTES)',
    replace: 'if (hash === undefined)',
    noticedBy: [
      `${faults} › If the slow hash …, no code is accepted and the attempt is given back`,
      `${issue} › If the hasher …, no set is stored`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a hasher with one hash for all codes accepts any input',
    file: 'lib/service/issue.ts',
    find: 'if (findMatch(keyed, made) !== null)',
    replace: 'if (false)',
    noticedBy: [
      `${faultsHash} › A hasher with one hash for all codes is detected by …, which stores nothing`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a hash that hangs keeps its place in the queue',
    file: 'lib/codes/stretch.ts',
    find: 'const MAX_HASH_SECONDS = 30',
    replace: 'const MAX_HASH_SECONDS = 30_000',
    noticedBy: [
      `${faultsHash} › A slow hash that hangs is an error after 30 seconds, and costs no attempt`,
    ],
    hangs: true,
  },
  {
    id: 'A-16.5.3',
    what: 'the result of takeAttempt is not checked',
    file: 'lib/stores/checked-store.ts',
    find: "if (!isAttempt(result)) throw malformed('takeAttempt');",
    replace: '',
    noticedBy: [`${faultsAnswers} › A ticket with … is an error, and the attempt stays charged`],
  },
  {
    id: 'A-16.5.3',
    what: 'the result of consume is not checked',
    file: 'lib/stores/checked-store.ts',
    find: "if (!isConsumption(result)) throw malformed('consume');",
    replace: '',
    noticedBy: [
      `${faultsAnswers} › If consume returns …, there is an error and no event, and no attempt is charged`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a risk hook that fails allows the attempt',
    file: 'lib/service/risk.ts',
    find: "return 'deny';",
    replace: "return 'allow';",
    noticedBy: [
      `${risk} › A risk hook that … denies without charging the attempt`,
      `${risk} › A risk hook that does not answer within five seconds denies`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a clock that returns NaN is accepted',
    file: 'lib/internal/time.ts',
    find: 'value >= 0 && value <= MAX_TIME',
    replace: 'true',
    noticedBy: [
      `${faults} › A clock that returns … accepts no code and issues no set`,
      'test/service/faults-sources.test.ts › A clock fault in … accepts no code',
    ],
  },
  {
    id: 'N-20',
    what: 'the time of the last consumption is not kept (memory)',
    file: 'lib/stores/memory.ts',
    find: 'lastConsumedAt: now }',
    replace: 'lastConsumedAt: null }',
    noticedBy: [
      `${lifecycle} › The status has the remaining count and the time of the last consumption`,
    ],
  },
  {
    id: 'N-20',
    what: 'the row of an ended set is deleted (SQL)',
    file: 'lib/sql/set-changes.ts',
    find: 'SET salt = NULL, digest = NULL, ended_at = ${now}',
    replace: 'SET salt = NULL, digest = NULL, consumed_at = NULL, ended_at = 0',
    noticedBy: [
      'test/sql/ended-sets.test.ts › a set that has ended keeps its times, and no salt or digest',
    ],
  },
  {
    id: 'F-11',
    what: 'a call of the store is waited for without end',
    file: 'lib/stores/call-store.ts',
    find: 'return withinSeconds(timeoutSeconds, {',
    replace: 'return withinSeconds(1_000_000, {',
    noticedBy: [
      `${faultsStore} › A … of … that does not answer in ten seconds is a store_timeout, and lets no user in`,
      `${faultsStore} › storeTimeoutSeconds is from 1 to 60, and holds for audit.events`,
    ],
  },
  {
    id: 'F-11',
    what: 'the caller waits twice for a store that does not answer',
    file: 'lib/service/consume.ts',
    find: 'if (!isStoreTimeout(error)) await givenBack;',
    replace: 'await givenBack;',
    noticedBy: [
      `${faultsStore} › After a store_timeout the caller does not wait for the attempt to be given back`,
    ],
  },
  {
    id: 'N-26',
    what: 'the replacement is returned but not stored (memory)',
    file: 'lib/stores/memory.ts',
    find: 'if (replacement) codes.push({ ...replacement, consumedAt: null, consumptionId: null });',
    replace: '',
    noticedBy: [`${replacement} › A consumed code returns a replacement, which works once`],
  },
  {
    id: 'N-26',
    what: 'a replacement can be a code that was consumed',
    file: 'lib/service/compare.ts',
    find: 'if (findMatch(keyed, codes) === null) {',
    replace: '{',
    noticedBy: [`${replacement} › A replacement is never a code that the set has or had`],
  },
  {
    id: 'N-26',
    what: 'a set with replacements grows without end',
    file: 'lib/service/compare.ts',
    find: 'return total - remaining < maxReplacements;',
    replace: 'return total >= remaining && maxReplacements > 0;',
    noticedBy: [
      `${replacement} › After \`maxReplacements\` consumed codes the set counts down, and says that it is low`,
      `${replacement} › By default a hundred codes of a set are replaced`,
    ],
  },
  {
    id: 'N-26',
    what: 'a set whose codes are no longer replaced does not ask for a new set',
    file: 'lib/service/set-status.ts',
    find: 'return remaining <= lowAt || isNoLongerReplaced;',
    replace: 'return remaining <= lowAt && !isNoLongerReplaced;',
    noticedBy: [
      `${replacement} › After \`maxReplacements\` consumed codes the set counts down, and says that it is low`,
    ],
  },
  {
    id: 'N-26',
    what: 'each attempt makes a replacement',
    file: 'lib/service/compare.ts',
    find: 'if (!isConsumable || !isReplaced(config, set))',
    replace: 'if (!isReplaced(config, set))',
    noticedBy: [
      `${replacement} › A replacement costs a second slow hash, and only after a valid code`,
    ],
  },
  {
    id: 'N-09',
    what: 'a pepper with the id "constructor" vanishes from the report',
    file: 'lib/sql/report.ts',
    find: 'return Object.fromEntries(counts);',
    replace: 'return Object.assign({}, Object.fromEntries(counts));',
    noticedBy: [
      `${reports} › A report counts sets of a pepper whose id is also the name of a member of every object`,
    ],
  },
  {
    id: 'A-6.4.5',
    what: 'owners are reminded a week before the expiry, but not a month before',
    file: 'lib/service/audit.ts',
    find: '[30 * DAY_MS, 7 * DAY_MS, 0]',
    replace: '[7 * DAY_MS, 0]',
    noticedBy: [
      `${reports} › Each set has reminders at 30 days, at 7 days and at its expiry, each once`,
    ],
  },
  {
    id: 'A-6.4.5',
    what: 'two concurrent jobs record one reminder twice (SQL)',
    file: 'lib/sql/record-reminders.ts',
    find: 'AND reminded < ${passed}',
    replace: '',
    noticedBy: [`${reports} › Of four processes that record reminders at once, one records each`],
  },
  {
    id: 'A-6.4.6',
    what: 'the status contains the digests',
    file: 'lib/service/backup-codes.ts',
    find: 'if (!found?.current) return null;',
    replace: 'if (!found?.current) return null;\n    return { ...found.current } as never;',
    noticedBy: [
      `${lifecycle} › The status is null without a set, and never holds codes, salts or digests`,
    ],
  },
  {
    id: 'A-16.2',
    what: 'listeners are notified before the event is written',
    file: 'lib/service/consume.ts',
    find: 'return { result: await service.config.store.consume(request)',
    replace: `service.listeners.notify(request.events);
    return { result: await service.config.store.consume(request)`,
    noticedBy: [`${consume} › Listeners receive an event only after it is written`],
  },
  {
    id: 'A-16.2',
    what: 'failures are not recorded',
    file: 'lib/service/refuse.ts',
    find: 'service.listeners.notify(await service.config.store.append([rejected], lock));',
    replace: 'service.listeners.notify([rejected]);',
    noticedBy: [
      `${consume} › Each attempt writes one event, which listeners receive and which has no code`,
    ],
  },
  {
    id: 'A-16.2',
    what: 'each refusal that charges no attempt is an event of its own',
    file: 'lib/service/refuse.ts',
    find: 'period: `${dayOf(at)} ${source.network}`',
    replace: 'period: String(process.hrtime.bigint())',
    noticedBy: [
      `${refusals} › Fifty tries that are refused as … leave one event a day, which counts them`,
    ],
  },
  {
    id: 'A-16.2',
    what: 'attempts at a set that was changed leave no event',
    file: 'lib/service/refuse.ts',
    find: 'if (!(error instanceof BackupCodeError) || !isSetFault(error.code)) return;',
    replace: 'if (!(error instanceof BackupCodeError) || isSetFault(error.code)) return;',
    noticedBy: [
      `${refusals} › A set that cannot be checked leaves one event a day, with the code of the error: …`,
    ],
  },
  {
    id: 'A-16.2',
    what: 'a burst of refusals fills the log',
    file: 'lib/stores/memory.ts',
    find: 'return this.#trail.addRefusal(event.id) ? [] : ',
    replace: 'return ',
    noticedBy: [`${attempts} › Each wait writes one event, which counts all its refusals`],
  },
  {
    id: 'A-16.2',
    what: 'the event is written after the transaction',
    file: 'lib/sql/database.ts',
    find: 'return await isolated.execute(runAndKeepFailure);',
    replace: 'return await runAndKeepFailure(isolated && this.#config.kysely);',
    noticedBy: [
      `${rollback} › if a statement fails, … lets no user in, and a consumption is all or nothing`,
    ],
  },
  {
    id: 'A-16.2',
    what: 'the context of an issued set is not recorded',
    file: 'lib/service/backup-codes.ts',
    find: 'const cleaned = cleanContext(context);',
    replace: 'const cleaned = cleanContext({});',
    noticedBy: [
      `${issue} › The event of an issued set has user, time, set, count, actor and origin`,
    ],
  },
  {
    id: 'A-16.2',
    what: 'a field of the event is not written (SQL)',
    file: 'lib/sql/event-rows.ts',
    find: 'request_id: context.requestId,',
    replace: 'request_id: null,',
    noticedBy: [
      `${reports} › Stored events equal the live events in every field and in their order`,
    ],
  },
  {
    id: 'A-16.2.5',
    what: 'the event of a failure contains the typed code',
    file: 'lib/service/consume.ts',
    find: "return reject(attempt, 'mismatch');",
    replace: "return reject(attempt, 'mismatch', { codeId: String(typed) });",
    noticedBy: [
      `${consume} › Each attempt writes one event, which listeners receive and which has no code`,
      'test/leaks/service.test.ts › The … contain no code, digest, salt or key',
    ],
  },
  {
    id: 'A-16.2.5',
    what: 'a replacement code is put into info, and so into the session',
    file: 'lib/strategy/verify.ts',
    find: `method: 'backup-code',
    amr: ['otp'],`,
    replace: "...(result as object), method: 'backup-code', amr: ['otp'],",
    noticedBy: [
      'test/strategy/success.test.ts › info says that few codes are left, without a replacement',
    ],
  },
  {
    id: 'A-16.2.5',
    what: 'a printed BackupCodes shows its pepper',
    file: 'lib/service/backup-codes.ts',
    find: 'this.#config = parseConfig(options);',
    replace: `this.#config = parseConfig(options);
    Object.assign(this, { given: options });`,
    noticedBy: [
      `${printing} › A printed object of the package holds no secret, alone or inside another`,
    ],
  },
  {
    id: 'A-16.2.5',
    what: 'a printed MemoryStore shows its digests',
    file: 'lib/stores/memory.ts',
    find: `const user = this.#user(request.subject);
    if (request.only`,
    replace: `const user = this.#user(request.subject);
    Object.assign(this, { last: request.codes });
    if (request.only`,
    noticedBy: [
      `${printing} › A printed object of the package holds no secret, alone or inside another`,
    ],
  },
  {
    id: 'A-16.2.5',
    what: 'the error about a key contains the key',
    file: 'lib/codes/pepper.ts',
    find: "'or the set belongs to another user.'",
    replace: '`or the set belongs to another user: ${Buffer.from(pepper.key).toString()}.`',
    noticedBy: [`${pepper} › A key is in no error message, whatever is wrong`],
  },
  {
    id: 'A-16.2.5',
    what: 'an unknown user name is stored, although it may be a mistyped password',
    file: 'lib/stores/subject.ts',
    find: 'return { key: `name:${hash}`',
    replace: 'return { key: `name:${name}`',
    noticedBy: [`${attempts} › An unknown name is neither stored nor written to an event`],
  },
  {
    id: 'A-16.4.1',
    what: 'a user id can break a log line or add a parameter',
    file: 'lib/siem/owasp.ts',
    find: "percentEncode(parameter ?? '', /[,\\p{Cc}\\p{Zl}\\p{Zp}\\p{Bidi_Control}]/gu)",
    replace: "parameter ?? ''",
    noticedBy: ['test/siem/owasp.test.ts › toOwasp lets no user id add a parameter or a line'],
  },
  {
    id: 'E-01',
    what: 'an event has a name that is not in the OWASP vocabulary',
    file: 'lib/siem/owasp.ts',
    find: "issued: 'authn_token_created'",
    replace: "issued: 'authn_backup_codes_issued'",
    noticedBy: ['test/siem/owasp.test.ts › toOwasp maps … to …, at level …'],
  },
  {
    id: 'E-02',
    what: 'type_uid is computed for another class',
    file: 'lib/siem/ocsf.ts',
    find: 'activity.class_uid * 100',
    replace: '3002 * 100',
    noticedBy: [
      'test/siem/ocsf.test.ts › toOcsf gives the type_uid class_uid × 100 + activity_id',
      'test/siem/schemas.test.ts › an event of the type … is valid in the vocabulary',
    ],
  },
  {
    id: 'E-03',
    what: 'a change of a set is reported as an authentication',
    file: 'lib/siem/ecs.ts',
    find: "{ category: ['iam'], type: ['user', 'change'] }",
    replace: "{ category: ['authentication'], type: ['start'] }",
    noticedBy: ['test/siem/ecs.test.ts › toEcs maps … to the category …, types …, outcome …'],
  },
  {
    id: 'E-05',
    what: 'a consumed code is recorded as an invalid one',
    file: 'lib/service/consume.ts',
    find: "return reject(attempt, 'reused', match);",
    replace: "return reject(attempt, 'mismatch');",
    noticedBy: [`${consume} › A consumed code is refused, and only the event says so`],
  },
  {
    id: 'E-05',
    what: 'the failure is a string, which Passport writes to WWW-Authenticate',
    file: 'lib/strategy/settle.ts',
    find: 'fail(decided.failure, decided.status)',
    replace: 'fail(JSON.stringify(decided.failure) as never, decided.status)',
    noticedBy: [`${fail} › a consumed code is answered like an invalid one`],
  },
  {
    id: 'E-05',
    what: 'the response says that the code was valid before',
    file: 'lib/strategy/outcomes.ts',
    find: "case 'reused':",
    replace:
      "case 'reused':\n      return { ...REFUSALS.invalid_code, message: 'That backup code was used before.' };",
    noticedBy: [`${fail} › a consumed code is answered like an invalid one`],
  },
];
