// Breaks of the login flow and its assurance.
import type { Break } from './break';

const assurance = 'test/express/require-assurance.test.ts';
const attacks = 'test/express/login-attacks.test.ts';
const begin = 'test/express/begin-login.test.ts';
const challenge = 'test/express/step-up-challenge.test.ts';
const complete = 'test/express/complete-login.test.ts';
const sessionFaults = 'test/express/session-faults.test.ts';
const unfinished = 'test/express/unfinished-login.test.ts';
const error = 'test/strategy/error.test.ts';
const fail = 'test/strategy/fail.test.ts';
const success = 'test/strategy/success.test.ts';

export const loginBreaks: readonly Break[] = [
  {
    id: 'W-01',
    what: 'the password alone logs in',
    file: 'lib/express/begin-login.ts',
    find: 'await saveSession(req);',
    replace: 'await new Promise((done) => req.logIn(user, done));\n    await saveSession(req);',
    noticedBy: [
      `${begin} › after the first factor there is a pending login, and no user is logged in`,
    ],
  },
  {
    id: 'W-01',
    what: 'the user name in the body decides who the user is',
    file: 'lib/strategy/user.ts',
    find: 'const user: unknown = options.currentUser',
    replace:
      "const name = readField(req.body, 'username');\n    const user: unknown = name !== undefined ? { id: name, name } : options.currentUser",
    noticedBy: [
      `${fail} › a user name in the body is ignored if the user comes from the first factor`,
    ],
  },
  {
    id: 'W-01',
    what: 'the second factor of one user completes the pending login of another',
    file: 'lib/express/complete-login.ts',
    find: '!isSameUser(before.userId, shownBy.userId)',
    replace: 'false',
    noticedBy: [
      `${attacks} › the second factor of one user does not complete another user's pending login`,
    ],
  },
  {
    id: 'N-37',
    what: 'the session is not renewed',
    file: 'lib/express/session.ts',
    find: 'return callToPromise((done) => getSession(req).regenerate(done))',
    replace: 'return Promise.resolve()',
    noticedBy: [
      `${attacks} › the session id changes at every step, and an earlier id gives no access`,
    ],
  },
  {
    id: 'O-01',
    what: 'every login of two steps is called multi-factor',
    file: 'lib/express/factors.ts',
    find: "if (isMultiFactor) references.add('mfa')",
    replace: "references.add('mfa')",
    noticedBy: [`${complete} › two factors of one kind are not multi-factor`],
  },
  {
    id: 'O-01',
    what: '`mfa` is accepted if the app claims it',
    file: 'lib/express/factors.ts',
    find: "amr.filter((value) => value !== 'mfa')",
    replace: 'amr',
    noticedBy: [
      `${begin} › "mfa" follows from the kinds of factor and is never copied from the app`,
    ],
  },
  {
    id: 'O-01',
    what: '`mfa` is accepted from any first factor, not only from single sign-on',
    file: 'lib/express/factors.ts',
    find: "method === SINGLE_SIGN_ON && name === 'mfa'",
    replace: "name === 'mfa'",
    noticedBy: [
      `${begin} › "mfa" follows from the kinds of factor and is never copied from the app`,
    ],
  },
  {
    id: 'O-01',
    what: 'a single sign-on with one factor is accepted as if it had two',
    file: 'lib/express/shown-factor.ts',
    find: "word === 'included' && pending.acr !== 'aal2'",
    replace: "word === 'included' && pending.methods.length === 0",
    noticedBy: ['test/express/single-sign-on.test.ts › an assertion of … alone logs no user in'],
  },
  {
    id: 'O-01',
    what: 'TOTP and a backup code count as two kinds of factor',
    file: 'lib/express/factors.ts',
    find: `factors.flatMap(({ method, amr }) =>
        amr.flatMap((name) =>
          method === SINGLE_SIGN_ON && name === 'mfa'
            ? KINDS_OF_MFA
            : (KIND_BY_NAME.get(name) ?? []),
        ),
      )`,
    replace: 'factors.map(({ method }) => method)',
    noticedBy: [`${assurance} › TOTP and a backup code are one kind of factor`],
  },
  {
    id: 'O-01',
    what: 'a backup code claims to be a key that resists phishing',
    file: 'lib/strategy/verify.ts',
    find: `method: 'backup-code',
    amr: ['otp'],`,
    replace: "method: 'backup-code', amr: ['hwk'] as unknown as ['otp'],",
    noticedBy: [
      `${success} › a valid code lets in the user of the first factor, and info has the codes left`,
    ],
  },
  {
    id: 'O-01',
    what: 'a second factor logs in without a first',
    file: 'lib/express/complete-login.ts',
    find: 'const before = isRecovered ? null : (pending ?? readLogin(req));',
    replace: `const seen = getUser(req);
  const alone = seen && { userId: idOf(seen), factors: [], methods: [], amr: [], acr: 'aal1' };
  const before = pending ?? readLogin(req) ?? alone;`,
    noticedBy: [`${attacks} › a second factor without a first one logs no user in`],
  },
  {
    id: 'O-04',
    what: 'the challenge does not say which level is wanted',
    file: 'lib/express/step-up-challenge.ts',
    find: ', acr_values="${acrValues}"',
    replace: '',
    noticedBy: [
      `${challenge} › the challenge of RFC 9470, section 3, says which level is required`,
    ],
  },
  {
    id: 'O-04',
    what: 'the challenge does not say how fresh the login must be',
    file: 'lib/express/step-up-challenge.ts',
    find: '`, max_age="${maxAge}"`',
    replace: "''",
    noticedBy: [`${challenge} › the challenge says how old the factors may be if they are too old`],
  },
  {
    id: 'N-03',
    what: 'an old second factor is accepted as a fresh one',
    file: 'lib/express/assurance-guard.ts',
    find: 'listKinds(counting.filter(isRecent))',
    replace: 'listKinds(counting)',
    noticedBy: [`${assurance} › a factor stops being fresh maxAgeSeconds after it was shown`],
  },
  {
    id: 'N-03',
    what: 'a fresh password refreshes the second factor',
    file: 'lib/express/assurance-guard.ts',
    find: 'listKinds(counting.filter(isRecent))',
    replace: 'listKinds(counting.some(isRecent) ? counting : [])',
    noticedBy: [
      `${assurance} › a fresh password does not make an old second factor fresh, or vice versa`,
    ],
  },
  {
    id: 'W-30',
    what: 'a login whose session could not be saved is left unfinished',
    file: 'lib/express/complete-login.ts',
    find: `await abandonLogin(req);
    if (isCompletedBefore(error)) throw error;`,
    replace: 'if (isCompletedBefore(error)) throw error;',
    noticedBy: [`${sessionFaults} › if any write of the second step fails, no user is logged in`],
  },
  {
    id: 'W-30',
    what: 'a code that was consumed for a failed login is not recorded',
    file: 'lib/strategy/unfinished-login.ts',
    find: 'const login = unfinishedLogins.get(req);',
    replace: 'const login = unfinishedLogins.get({});',
    noticedBy: [
      `${unfinished} › if …, the event names the code, which is spent, and the next code works`,
      `${unfinished} › if verify … after the code was consumed, there is a login_unfinished event`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a bare rejection continues to the handler',
    file: 'lib/strategy/settle.ts',
    find: 'error(asError(thrown))',
    replace: 'error(thrown as Error)',
    noticedBy: [`${error} › Express gets an Error from verify, and the handler is not reached`],
  },
  {
    id: 'A-16.5.3',
    what: 'a truthy result of consumeCode means that the code was consumed',
    file: 'lib/strategy/verify.ts',
    find: `if (result === true) return { method: 'backup-code', amr: ['otp'] };`,
    replace: `if (result && (result as { ok?: unknown }).ok !== false)
    return { method: 'backup-code', amr: ['otp'] };`,
    noticedBy: [
      `${error} › an app's own consumeCode that returns … causes an error, never a success`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a store that fails accepts the code',
    file: 'lib/strategy/settle.ts',
    find: 'return () => error(asError(thrown));',
    replace: 'return () => success({}, {});',
    noticedBy: [`${error} › a store that fails in … is an error, and no user is let in`],
  },
];
