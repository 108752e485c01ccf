// A process of its own: an unhandled rejection must end it, which Jest would prevent. It serves an
// app that answers each request before this package can, or whose callbacks throw. It visits the
// routes of its second argument, and prints what came of it as JSON.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type expressModule from 'express';
import session from 'express-session';
import { Authenticator, type AuthenticateOptions } from 'passport';
import { BackupCodes, BackupCodeStrategy, MemoryStore, type AuditEventType } from '../../lib';
import {
  backupCodesRouter,
  beginLogin,
  completeLogin,
  requireAssurance,
  requireEnrollment,
} from '../../lib/express';

/** What came of a visit. */
export interface Visit {
  readonly status: number;
  readonly text: string;
  /** What reached the error handling of the app. */
  readonly errors: readonly string[];
  /** The events of the service. */
  readonly events: readonly string[];
}

// eslint-disable-next-line @typescript-eslint/no-require-imports
const express = require(process.argv[2]!) as typeof expressModule;
const ada = { id: 'ada' } as Express.User;
const letThrough: RequestHandler = (_req, _res, next) => next();
const reached: RequestHandler = (_req, res) => void res.send('reached');
const backupCodes = new BackupCodes({
  store: new MemoryStore(),
  hasher: {
    newSalt: () => '$none$',
    reads: (salt) => salt === '$none$',
    hash: (code) => Promise.resolve(Buffer.from(code.padEnd(16))),
  },
});
let events: string[] = [];
for (const type of ['issued', 'consumed', 'login_unfinished'] satisfies AuditEventType[])
  backupCodes.on(type, () => events.push(type));
let errors: string[] = [];

// What a time-out does: it answers, and the handlers continue.
const responses = new AsyncLocalStorage<Response>();
const rememberResponse: RequestHandler = (_req, res, next) => responses.run(res, next);
const answerFirst: RequestHandler = (_req, res, next) => {
  res.status(503).send('too late');
  next();
};
async function answerDuring<T>(result: T): Promise<T> {
  responses.getStore()!.status(503).send('too late');
  await setImmediate();
  return result;
}
const throws = (): never => {
  throw new Error('the callback is broken');
};

const app = express();
const passport = new Authenticator();
passport.serializeUser((_user, done) => done(null, 'ada'));
passport.deserializeUser((_id, done) => done(null, ada));
app.use(express.json(), session({ secret: 'test', resave: false, saveUninitialized: false }));
app.use(passport.initialize(), passport.session(), rememberResponse);

const currentUser = (): Express.User => ada;
const consumers = {
  accepts: () => true,
  refuses: () => false,
  fails: throws,
  acceptsLate: () => answerDuring(true),
  refusesLate: () => answerDuring(false),
};
for (const [name, consumeCode] of Object.entries(consumers))
  passport.use(name, new BackupCodeStrategy({ consumeCode, currentUser }));
passport.use(
  'service',
  new BackupCodeStrategy({ backupCodes, currentUser }, (user, _info, done) => {
    void answerDuring(user).then((found) => done(null, found));
  }),
);
passport.use('serviceFirst', new BackupCodeStrategy({ backupCodes, currentUser }));
function authenticate(name: string, options: AuthenticateOptions = {}): RequestHandler {
  return passport.authenticate(name, { session: false, ...options }) as RequestHandler;
}
function authenticateWith(name: string, callback: () => unknown): RequestHandler {
  return passport.authenticate(name, callback) as RequestHandler;
}

app.post('/strategy/first', answerFirst, authenticate('serviceFirst'), reached);
app.post('/strategy/redirect', authenticate('refusesLate', { failureRedirect: '/again' }), reached);
app.post('/strategy/refusal', authenticate('refusesLate'), reached);
app.post('/strategy/success', authenticate('acceptsLate', { successRedirect: '/home' }), reached);
app.post('/strategy/consumed', authenticate('service'), reached);
app.post('/callback/success', authenticateWith('accepts', throws));
app.post('/callback/failure', authenticateWith('refuses', throws));
app.post('/callback/consumed', authenticateWith('serviceFirst', throws));
app.post('/callback/error', authenticateWith('fails', throws));
app.post(
  '/callback/async',
  authenticateWith('accepts', () => Promise.resolve().then(throws)),
);

app.get(
  '/guard/assurance',
  requireAssurance({ loginUrl: '/login', read: () => answerDuring(null) }),
  reached,
);
app.get(
  '/guard/enrollment',
  (req, _res, next) => {
    req.user = ada;
    next();
  },
  requireEnrollment({
    backupCodes: { status: () => answerDuring(null) },
    enrollUrl: '/codes',
  }),
  reached,
);

const routes = { backupCodes, userId: () => 'ada', guard: letThrough };
app.use('/router/first', answerFirst, backupCodesRouter(routes));
app.use('/router/during', backupCodesRouter({ ...routes, userId: () => answerDuring('ada') }));
app.use(
  '/router/guard',
  // A guard that refuses, and forgets to return.
  backupCodesRouter({ ...routes, guard: answerFirst }),
);

app.post('/login/begin', answerFirst, (req, _res, next) => {
  beginLogin(req, ada).then(() => errors.push('begun'), next);
});
app.post('/login/complete', (req, _res, next) => {
  beginLogin(req, ada)
    .then(() => answerDuring(null))
    .then(() => completeLogin(req, { secondFactor: 'not_enrolled' }))
    .then(() => errors.push('completed'), next);
});

const answerError: ErrorRequestHandler = (error: Error & { code?: string }, _req, res, next) => {
  errors.push(error.code ?? error.message);
  if (res.headersSent) next(error);
  else res.status(500).send('failed');
};
app.use(answerError);

async function visit(route: string, code: string): Promise<Visit> {
  errors = [];
  events = [];
  const [method, path] = route.split(' ') as [string, string];
  const { port } = server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    redirect: 'manual',
    headers: { accept: 'text/html', 'content-type': 'application/json', connection: 'close' },
    body: method === 'GET' ? null : JSON.stringify({ code }),
  });
  const text = await response.text();
  // Every route ends in one error. The turns after it are for a second one.
  for (let turns = 0; turns < 100_000 && errors.length === 0; turns += 1) await setImmediate();
  for (let turns = 0; turns < 20; turns += 1) await setImmediate();
  return { status: response.status, text, errors, events };
}

async function visitAll(): Promise<void> {
  const { codes } = await backupCodes.issue('ada');
  const visits: Record<string, Visit> = {};
  const visited = JSON.parse(process.argv[3]!) as string[];
  for (const [index, route] of visited.entries())
    visits[route] = await visit(route, codes[index % codes.length]!);
  console.log(JSON.stringify(visits));
  server.close();
}

const server = app.listen(0, '127.0.0.1');
void once(server, 'listening').then(visitAll);
