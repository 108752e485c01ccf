// A response that was sent before this package could answer, and callbacks of the app that throw:
// the process survives, and nothing more is done.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Visit } from './early-answer-child';

const ROOT = join(__dirname, '../..');
const ROUTES = [
  'POST /strategy/first',
  'POST /strategy/redirect',
  'POST /strategy/refusal',
  'POST /strategy/success',
  'POST /strategy/consumed',
  'POST /callback/consumed',
  'POST /callback/success',
  'POST /callback/failure',
  'POST /callback/error',
  'POST /callback/async',
  'GET /guard/assurance',
  'GET /guard/enrollment',
  'POST /router/first',
  'POST /router/guard',
  'DELETE /router/during',
  'GET /router/during',
  'POST /login/begin',
  'POST /login/complete',
] as const;

/** Visits every route, one after the other, in a process that any unhandled rejection ends. */
async function visitAll(express: string): Promise<Record<(typeof ROUTES)[number], Visit>> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--require',
      './test/helpers/run-typescript.js',
      'test/express/early-answer-child.ts',
      express,
      JSON.stringify(ROUTES),
    ],
    { cwd: ROOT },
  );
  return JSON.parse(stdout) as Record<(typeof ROUTES)[number], Visit>;
}

describe.each([
  ['Express 4', 'express4'],
  ['Express 5', 'express'],
])('on %s', (_name, express) => {
  let visits: Awaited<ReturnType<typeof visitAll>>;
  beforeAll(async () => {
    visits = await visitAll(express);
  });
  const tooLate = (error: string, events: string[] = []): Visit => ({
    status: 503,
    text: 'too late',
    errors: [error],
    events,
  });

  test.each([
    'POST /strategy/redirect',
    'POST /strategy/refusal',
    'POST /strategy/success',
    'GET /guard/assurance',
    'GET /guard/enrollment',
    'GET /router/during',
    'POST /login/begin',
  ] as const)('%s, answered before, gives the app the error response_sent, once', (route) => {
    expect(visits[route]).toEqual(tooLate('response_sent'));
  });

  test('no code is consumed for a request that was answered before', () => {
    expect(visits['POST /strategy/first']).toEqual(tooLate('response_sent'));
  });

  test('a code that was consumed while the request was answered is in the trail as unfinished', () => {
    expect(visits['POST /strategy/consumed']).toEqual(
      tooLate('response_sent', ['consumed', 'login_unfinished']),
    );
  });

  test('a code that was consumed before a callback threw is in the trail as unfinished', () => {
    expect(visits['POST /callback/consumed']).toMatchObject({
      status: 500,
      events: ['consumed', 'login_unfinished'],
    });
  });

  test('completeLogin logs no user in if the response was already sent', () => {
    expect(visits['POST /login/complete']).toEqual(tooLate('login_unfinished'));
  });

  test.each(['POST /router/first', 'POST /router/guard', 'DELETE /router/during'] as const)(
    '%s, answered before, changes no codes',
    (route) => {
      expect(visits[route]).toEqual(tooLate('response_sent'));
    },
  );

  test.each([
    'POST /callback/success',
    'POST /callback/failure',
    'POST /callback/error',
    'POST /callback/async',
  ] as const)('%s: a callback that throws is answered by the error handling', (route) => {
    expect(visits[route]).toEqual({
      status: 500,
      text: 'failed',
      errors: ['the callback is broken'],
      events: [],
    });
  });
});
