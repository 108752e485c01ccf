// Breaks of what surrounds a login: early answers, the record of factors, redirects, origins and
// sessions.
import type { Break } from './break';

const enrollment = 'test/express/require-enrollment.test.ts';
const router = 'test/express/router-requests.test.ts';
const endLogin = 'test/express/end-login.test.ts';
const notBefore = 'test/express/not-before.test.ts';
const stepUp = 'test/express/step-up.test.ts';
const early = 'test/express/early-answer.test.ts';
const ended =
  'test/express/login-attacks.test.ts › a slow request does not restore the login that was ended by …';
const repeated = 'test/express/repeated-code.test.ts';
const mistakes = 'test/express/mistakes.test.ts';
const newcomer = 'test/express/newcomer-recipes.test.ts';
const visits = 'test/express/anonymous-visits.test.ts';

export const loginFlowBreaks: readonly Break[] = [
  {
    id: 'F-12',
    what: 'Passport logs the user of a pending login in',
    file: 'lib/strategy/passport-options.ts',
    find: 'if (session === false || assignProperty !== undefined) return;',
    replace: 'if (session !== true || assignProperty !== undefined) return;',
    noticedBy: [
      `${mistakes} › a pending login without { session: false } is refused before a code is looked at`,
    ],
  },
  {
    id: 'F-12',
    what: 'an error does not say where it is explained',
    file: 'lib/errors.ts',
    find: 'super(message.endsWith(address) ? message : message + address, options);',
    replace: 'super(message, options);',
    noticedBy: [
      'test/docs/errors.test.ts › the message of an error ends with the address of its section',
    ],
  },
  {
    id: 'F-12',
    what: 'a forgotten beginLogin is silent',
    file: 'lib/strategy/mistakes.ts',
    find: 'findExplanation(req)?.();',
    replace: 'findExplanation(req);',
    noticedBy: [`${mistakes} › if …, a warning names the fix, once`],
  },
  {
    id: 'F-13',
    what: 'the decision log has the message of an error of the app',
    file: 'lib/internal/decision-log.ts',
    find: "'error of the app or its store'",
    replace: '`error ${thrown.message}`',
    noticedBy: [
      'test/leaks/decision-log.test.ts › each decision is one line, in the words of docs/errors.md',
      'test/leaks/decision-log.test.ts › no line has a code, digest, salt, key, session id, login id or user id',
    ],
  },
  {
    id: 'F-14',
    what: 'a fresh password makes the first set beside an authenticator app',
    file: 'lib/express/router-guard.ts',
    find: "return readLogin(req)?.acr === 'aal2' ? secondFactor : oneFactor;",
    replace: "return readLogin(req)?.acr === 'aal3' ? secondFactor : oneFactor;",
    noticedBy: [
      `${newcomer} › after a login with two factors a fresh password alone makes no set, a fresh TOTP does`,
    ],
  },
  {
    id: 'F-14',
    what: 'every set may be made with one factor',
    file: 'lib/express/router-guard.ts',
    find: '!== null) return bothFactors;',
    replace: '!== null) return oneFactor;',
    noticedBy: [
      `${newcomer} › the first set is made with one fresh factor, and the next one needs two`,
    ],
  },
  {
    id: 'F-10',
    what: 'a repeated code completes its login without a claim',
    file: 'lib/express/repeated-code.ts',
    find: 'if (!isClaimed) throw completedBefore();',
    replace: 'if (!isClaimed) return;',
    noticedBy: [
      `${repeated} › of several repeated codes after the process died, one completes the login`,
      `${repeated} › a first request that is late completes no login that a repeated one completed`,
    ],
  },
  {
    id: 'F-10',
    what: 'a repeated code does not wait for the first request',
    file: 'lib/express/repeated-code.ts',
    find: 'const until = performance.now() + REPEATED_REQUEST_MS;',
    replace: 'const until = performance.now();',
    noticedBy: [
      `${repeated} › of two clicks at once, one completes the login, and none counts as unfinished`,
    ],
  },
  {
    id: 'F-10',
    what: 'a repeated request writes the completed pending login back',
    file: 'lib/express/repeated-code.ts',
    find: `      endSessionId(req);
`,
    replace: '',
    noticedBy: [
      `${repeated} › a repeated request in another process does not write the pending login back`,
    ],
  },
  {
    id: 'F-10',
    what: 'a repeated request that claimed the login does not record that it failed',
    file: 'lib/express/complete-login.ts',
    find: 'rememberConsumed(req, { ...consumed, isRepeated: false });',
    replace: '',
    noticedBy: [
      `${repeated} › a login that a repeated code claimed and could not complete is unfinished`,
    ],
  },
  {
    id: 'F-10',
    what: 'a login that another request completed is recorded as unfinished',
    file: 'lib/express/complete-login.ts',
    find: `forgetConsumed(req);
      throw error;`,
    replace: 'throw error;',
    noticedBy: [
      `${repeated} › a first request that is late completes no login that a repeated one completed`,
    ],
  },
  {
    id: 'F-10',
    what: 'the strategy does not name the pending login',
    file: 'lib/strategy/verify.ts',
    find: "if (channel !== 'second_factor' || userId === null) return undefined;",
    replace: 'if (userId !== undefined) return undefined;',
    noticedBy: [
      `${repeated} › after the process died, the same code completes the same pending login, once`,
      `${repeated} › a response that a time-out sent first leaves the pending login, and the code completes it`,
    ],
  },
  {
    id: 'F-10',
    what: 'all pending logins of all users have one name',
    file: 'lib/express/begin-login.ts',
    find: 'loginId: randomUUID(),',
    replace: "loginId: 'login',",
    noticedBy: [`${repeated} › in another pending login the code is spent`],
  },
  {
    id: 'F-02',
    what: 'a plain login of the same user gets the record of the one before',
    file: 'lib/express/login-mark.ts',
    find: "if (readPath(mark, 'session') !== hashSessionId(req) || !isTime(startedAt)) return null;",
    replace: 'if (!isTime(startedAt)) return null;',
    noticedBy: [
      `${stepUp} › the record does not count for a plain login of the same user after a logout`,
      `${stepUp} › the record does not count for a plain login of the same user in its session`,
    ],
  },
  {
    id: 'F-02',
    what: 'endLogin leaves the session as it is',
    file: 'lib/express/end-login.ts',
    find: 'if (!hasLogin(req)) return;',
    replace: 'if (hasLogin(req)) return;',
    noticedBy: [
      `${endLogin} › endLogin logs the user out and leaves nothing in the store (Express …)`,
    ],
  },
  {
    id: 'F-02',
    what: 'a plain login after a logout of an older Passport gets the record of the one before',
    file: 'lib/express/login-mark.ts',
    find: "return isInOrder || readPath(mark, 'isBehindUser') === false ? startedAt : null;",
    replace: 'return startedAt;',
    noticedBy: [
      `${stepUp} › the record does not count for a plain login after a logout of an older Passport`,
    ],
  },
  {
    id: 'F-03',
    what: 'logins that began before notBefore get through',
    file: 'lib/express/login-age.ts',
    find: 'return earliest === null || startedAt >= earliest;',
    replace: 'return earliest === null || startedAt >= 0;',
    noticedBy: [
      `${notBefore} › a login that began before the time does not get through: …`,
      `${notBefore} › a login counts from its first factor, and no step-up makes it a new one`,
    ],
  },
  {
    id: 'F-03',
    what: 'a bad answer of notBefore counts as no limit',
    file: 'lib/express/login-age.ts',
    find: 'if (given === null) return null;',
    replace: 'if (!isTime(given) && !(given instanceof Date)) return null;',
    noticedBy: [
      `${notBefore} › a bad answer of notBefore is an error, and no user gets through: …`,
    ],
  },
  {
    id: 'F-03',
    what: 'a login from the future counts until its time has come',
    file: 'lib/express/login-age.ts',
    find: 'if (!isFresh(startedAt, { maxAgeSeconds: Infinity, now })) return false;',
    replace: '',
    noticedBy: [
      `${notBefore} › a login from the future does not get through, with or without a limit of age`,
    ],
  },
  {
    id: 'F-04',
    what: 'a path below enrollUrl is exempt before its dots and escapes are resolved',
    file: 'lib/express/enroll-page.ts',
    find: "if (isAmbiguous || !path.startsWith('/')) return null;",
    replace: 'if (!isAmbiguous && false) return null;',
    noticedBy: [`${enrollment} › the page that makes codes exempts no address such as …`],
  },
  {
    id: 'F-04',
    what: 'the path of enrollUrl is exempt on every origin',
    file: 'lib/express/enroll-page.ts',
    find: 'if (origin !== null && origin !== findOrigin(req)) return false;',
    replace: 'findOrigin(req);',
    noticedBy: [`${enrollment} › a whole URL exempts the page on that origin only`],
  },
  {
    id: 'F-04',
    what: 'a browser is sent to enrollUrl again and again',
    file: 'lib/express/enrollment-loop.ts',
    find: 'if (mayBeEnrollPage && !isSamePage) return true;',
    replace: '',
    noticedBy: [
      `${enrollment} › after one round there is an error that says why: …`,
      `${enrollment} › a proxy that removes a prefix is noticed even if the query …`,
    ],
  },
  {
    id: 'F-04',
    what: 'the first visit of a page that names itself as returnTo counts as a loop',
    file: 'lib/express/enrollment-loop.ts',
    find: 'if (last !== null && isLoop(page, req, last)) throw loopError(page, req);',
    replace: `if (isLoop(page, req, last ?? { page: '/', times: 1 })) throw loopError(page, req);`,
    noticedBy: [
      `${enrollment} › the first visit of a page is no loop, whatever its address looks like`,
    ],
  },
  {
    id: 'F-04',
    what: 'a page may be turned away without end if a proxy changes path and query',
    file: 'lib/express/enrollment-loop.ts',
    find: 'return last.times >= MAX_TIMES || (',
    replace: 'return last.times < 0 || (',
    noticedBy: [
      `${enrollment} › a proxy that changes path and query is noticed when a page is turned away five times`,
    ],
  },
  {
    id: 'F-04',
    what: 'each request with a token stores a session',
    file: 'lib/express/enrollment-loop.ts',
    find: 'return findSession(req) !== null && hasSessionLogin(req);',
    replace: 'return findSession(req) !== null || hasSessionLogin(req);',
    noticedBy: [`${enrollment} › a user who is not logged in by the session leaves nothing in it`],
  },
  {
    id: 'F-04',
    what: 'a visit of enrollUrl does not end the redirect to it',
    file: 'lib/express/enrollment-loop.ts',
    find: 'if (turnedAway !== undefined) writeState(req, state);',
    replace: 'if (turnedAway === undefined) writeState(req, state);',
    noticedBy: [`${enrollment} › after the browser has come to enrollUrl, every page begins anew`],
  },
  {
    id: 'F-05',
    what: 'the page to return to is measured before it is encoded',
    file: 'lib/express/return-to.ts',
    find: 'return encodedLength(path) <= MAX_LENGTH ? path : null;',
    replace: 'return path;',
    noticedBy: [
      'test/express/return-to.test.ts › what is returned has at most 2048 characters, however long it became',
    ],
  },
  {
    id: 'F-05',
    what: 'the address of enrollUrl may be of any length',
    file: 'lib/express/enroll-page.ts',
    find: "encoded === '' || encoded.length > MAX_RETURN_TO_LENGTH",
    replace: "encoded === ''",
    noticedBy: [
      `${enrollment} › the address of enrollUrl stays short, whatever page was asked for`,
    ],
  },
  {
    id: 'F-06',
    what: 'pages of every origin may change codes',
    file: 'lib/express/request-origin.ts',
    find: 'return headers.origin === undefined || !origins.includes(headers.origin);',
    replace: 'return headers.origin === undefined && origins === undefined;',
    noticedBy: [
      `${router} › … from another site, a sibling site, a typed address or two places changes nothing`,
      `${router} › a page of a listed origin may change codes, and no other`,
    ],
  },
  {
    id: 'F-06',
    what: 'only a cookie counts as a login that a browser adds',
    file: 'lib/express/request-origin.ts',
    find: 'headers.cookie === undefined && !isAddedByBrowser(headers.authorization)',
    replace: 'headers.cookie === undefined',
    noticedBy: [`${router} › a login that the browser adds by itself is checked like a cookie: …`],
  },
  {
    id: 'F-01',
    what: 'the strategy answers a request that was answered before',
    file: 'lib/strategy/settle.ts',
    find: 'if (isResponseSent(req.res)) {',
    replace: 'if (isResponseSent(undefined)) {',
    noticedBy: [
      `${early} › …, answered before, gives the app the error response_sent, once`,
      `${early} › a code that was consumed while the request was answered is in the trail as unfinished`,
    ],
  },
  {
    id: 'F-01',
    what: 'a code is consumed for a request that was answered before',
    file: 'lib/strategy/strategy.ts',
    find: 'assertResponseUnsent(req.res);',
    replace: '',
    noticedBy: [`${early} › no code is consumed for a request that was answered before`],
  },
  {
    id: 'F-01',
    what: 'the router changes codes for a request that was answered before',
    file: 'lib/internal/response-sent.ts',
    find: 'if (isResponseSent(res)) throw responseSentError();',
    replace: '',
    noticedBy: [`${early} › …, answered before, changes no codes`],
  },
  {
    id: 'F-01',
    what: 'a callback that throws ends the process',
    file: 'lib/strategy/settle.ts',
    find: 'passOn(req, thrown);',
    replace: 'throw thrown;',
    noticedBy: [`${early} › …: a callback that throws is answered by the error handling`],
  },
  {
    id: 'F-07',
    what: 'a slow request writes the session back that a step-up replaced',
    file: 'lib/express/complete-login.ts',
    find: 'endSessionId(req);\n    await regenerateSession(req);',
    replace: 'await regenerateSession(req);',
    noticedBy: [ended],
  },
  {
    id: 'F-07',
    what: 'a slow request writes the session back that a new login replaced',
    file: 'lib/express/begin-login.ts',
    find: 'if (hasSessionLogin(req)) endSessionId(req);',
    replace: '',
    noticedBy: [ended],
  },
  {
    id: 'F-07',
    what: 'a login cannot begin if the session was just destroyed',
    file: 'lib/express/session.ts',
    find: "if (isDestroyed && typeof generate === 'function') generate.call(store, req);",
    replace: '',
    noticedBy: [
      'test/express/session-faults.test.ts › a login begins in a new session if the app just destroyed the old one',
    ],
  },
  {
    id: 'F-08',
    what: 'each visit of a guarded page stores a session',
    file: 'lib/express/assurance-guard.ts',
    find: 'if (isSessionEmpty(req)) {',
    replace: 'if (isSessionEmpty(req) && res.headersSent) {',
    noticedBy: [`${visits} › visits of a guarded page without a session store none (Express …)`],
  },
];
