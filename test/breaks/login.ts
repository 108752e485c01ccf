// Breaks of the login flow and its assurance.
import type { Break } from './break';

const assurance = 'test/express/require-assurance.test.ts';
const expressFaults = 'test/express/session-faults.test.ts';
const login = 'test/express/complete-login.test.ts';
const unfinished = 'test/express/unfinished-login.test.ts';
const error = 'test/strategy/error.test.ts';
const fail = 'test/strategy/fail.test.ts';
const success = 'test/strategy/success.test.ts';

export const loginBreaks: readonly Break[] = [
  {
    id: 'W-01',
    what: 'the password alone logs in',
    file: 'lib/express/complete-login.ts',
    find: 'writeState(req, { pending, returnTo });',
    replace: 'writeState(req, { pending, returnTo });\n    await logIn(req, user);',
    noticedBy: [
      `${login} › a login over two requests, on Express … › after the first factor there is a pending login, and nobody is logged in`,
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
    find: 'if (before === null || user === null || !isSameUser(before.userId, idOf(user)))',
    replace: 'if (before === null || user === null)',
    noticedBy: [
      `${login} › attacks on a login › one person's second factor does not complete another's pending login`,
    ],
  },
  {
    id: 'N-37',
    what: 'the session is not renewed',
    file: 'lib/express/session.ts',
    find: 'return called((done) => sessionOf(req).regenerate(done))',
    replace: 'return Promise.resolve()',
    noticedBy: [
      `${login} › attacks on a login › the session id changes at every step, and each one left is dead`,
    ],
  },
  {
    id: 'O-01',
    what: 'every login of two steps is called multi-factor',
    file: 'lib/express/factors.ts',
    find: "if (isMultiFactor) references.add('mfa')",
    replace: "references.add('mfa')",
    noticedBy: [
      `${login} › what a completed login is remembered as › two factors of one kind are not called multi-factor`,
    ],
  },
  {
    id: 'O-01',
    what: '`mfa` is accepted if the app claims it',
    file: 'lib/express/factors.ts',
    find: "amr.filter((value) => value !== 'mfa')",
    replace: 'amr',
    noticedBy: [
      `${login} › what a completed login is remembered as › "mfa" is concluded from the factors, never taken over`,
    ],
  },
  {
    id: 'O-01',
    what: '`mfa` is accepted from any first factor, not only from single sign-on',
    file: 'lib/express/factors.ts',
    find: "method === ELSEWHERE && name === 'mfa'",
    replace: "name === 'mfa'",
    noticedBy: [
      `${login} › what a completed login is remembered as › "mfa" is concluded from the factors, never taken over`,
    ],
  },
  {
    id: 'O-01',
    what: 'a single sign-on with one factor is accepted as if it had two',
    file: 'lib/express/complete-login.ts',
    find: "word === 'included' && pending.acr !== 'aal2'",
    replace: "word === 'included' && pending.methods.length === 0",
    noticedBy: [
      'test/express/single-sign-on.test.ts › an assertion of several factors › … is none: nobody is logged in by it, and a second factor still completes it',
    ],
  },
  {
    id: 'O-01',
    what: 'TOTP and a backup code count as two kinds of factor',
    file: 'lib/express/factors.ts',
    find: `factors.flatMap(({ method, amr }) =>
        amr.flatMap((name) =>
          method === ELSEWHERE && name === 'mfa' ? KINDS_OF_MFA : (KINDS.get(name) ?? []),
        ),
      )`,
    replace: 'factors.map(({ method }) => method)',
    noticedBy: [`${assurance} › kinds of factor › TOTP and a backup code are one`],
  },
  {
    id: 'O-01',
    what: 'a backup code claims to be a key that resists phishing',
    file: 'lib/strategy/verify.ts',
    find: `method: 'backup-code',
    amr: ['otp'],`,
    replace: "method: 'backup-code', amr: ['hwk'] as unknown as ['otp'],",
    noticedBy: [
      `${success} › lets in the user whose first factor was checked, with the count of codes left`,
    ],
  },
  {
    id: 'O-01',
    what: 'a second factor logs in without a first',
    file: 'lib/express/complete-login.ts',
    find: 'const before = pending ?? readLogin(req);',
    replace: 'const before = pending ?? readLogin(req) ?? (user && recordOf(idOf(user), [], []));',
    noticedBy: [`${login} › attacks on a login › a second factor alone logs nobody in`],
  },
  {
    id: 'O-04',
    what: 'the challenge does not say which level is wanted',
    file: 'lib/express/require-assurance.ts',
    find: ', acr_values="${acrValues}"',
    replace: '',
    noticedBy: [
      `${assurance} › a client that asks for no HTML › gets the challenge of RFC 9470, section 3, with the level that is asked for`,
    ],
  },
  {
    id: 'O-04',
    what: 'the challenge does not say how fresh the login must be',
    file: 'lib/express/require-assurance.ts',
    find: '`, max_age="${maxAge}"`',
    replace: "''",
    noticedBy: [
      `${assurance} › a client that asks for no HTML › is told the age where that is what is wrong`,
    ],
  },
  {
    id: 'N-03',
    what: 'an old second factor is accepted as a fresh one',
    file: 'lib/express/require-assurance.ts',
    find: 'counting.filter(({ at }) => isWithin(at, maxAgeSeconds, now()))',
    replace: 'counting',
    noticedBy: [`${assurance} › freshness › ends maxAgeSeconds after the factor was shown`],
  },
  {
    id: 'N-03',
    what: 'a fresh password refreshes the second factor',
    file: 'lib/express/require-assurance.ts',
    find: 'counting.filter(({ at }) => isWithin(at, maxAgeSeconds, now()))',
    replace: 'counting.some(({ at }) => isWithin(at, maxAgeSeconds, now())) ? counting : []',
    noticedBy: [
      `${assurance} › freshness › is of each factor: a fresh password does not refresh an old second factor, nor the other way round`,
    ],
  },
  {
    id: 'W-30',
    what: 'a login whose session could not be saved is left unfinished',
    file: 'lib/express/complete-login.ts',
    find: `await abandonLogin(req);
    throw new BackupCodeError(
      'login_unfinished'`,
    replace: "throw new BackupCodeError('login_unfinished'",
    noticedBy: [
      `${expressFaults} › where the session store fails › at any write of a second factor, nobody is logged in, and the person is told that the code is spent`,
    ],
  },
  {
    id: 'W-30',
    what: 'a code that was consumed for a failed login is not recorded',
    file: 'lib/strategy/unfinished-login.ts',
    find: 'const login = unfinishedLogins.get(req);',
    replace: 'const login = unfinishedLogins.get({});',
    noticedBy: [
      `${unfinished} › where …, the event names the code, which is spent, and the next one works`,
      `${unfinished} › where verify … after the code was consumed, the event says so`,
    ],
  },
  {
    id: 'A-16.5.3',
    what: 'a bare rejection continues to the handler',
    file: 'lib/strategy/strategy.ts',
    find: 'error(asError(thrown))',
    replace: 'error(thrown as Error)',
    noticedBy: [
      `${error} › if the app throws or rejects with a bare …, › Express gets an Error from verify, and the handler is not reached`,
    ],
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
    file: 'lib/strategy/strategy.ts',
    find: '(thrown: unknown) => error(asError(thrown))',
    replace: '() => success({}, {})',
    noticedBy: [`${error} › a store that fails in … is an error, and no user is let in`],
  },
];
