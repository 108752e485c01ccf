// An app that takes one user through every decision, over HTTP, and sends what must not be in its
// log to the parent. Started with NODE_DEBUG=passport-backup-code by decision-log.test.ts.
import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import session, { MemoryStore as SessionStore } from 'express-session';
import passport from 'passport';
import { BackupCodes, BackupCodeStrategy, bcryptHasher, formats, MemoryStore } from '../../lib';
import {
  backupCodesRouter,
  beginLogin,
  completeLogin,
  pendingLogin,
  requireAssurance,
  requireEnrollment,
  requireFreshSecondFactor,
} from '../../lib/express';
import type { Canary } from '../helpers/canary';
import { learnSecrets } from './record-output';

/** The secrets, each as a string. */
export interface Secrets {
  readonly codes: readonly string[];
  readonly others: readonly string[];
}

const ada = { id: 'user-7f3a' };
const codes: string[] = [];
const others: string[] = [ada.id];

async function main(): Promise<void> {
  const key = randomBytes(32);
  const learn = {
    addBytes: (secret: Uint8Array) => {
      const bytes = Buffer.from(secret);
      if (bytes.length > 0) others.push(bytes.toString('hex'), bytes.toString('base64'));
    },
  };
  const store = learnSecrets(new MemoryStore(), learn as unknown as Canary);
  const sessions = new SessionStore();
  const backupCodes = new BackupCodes({
    store,
    pepper: { id: '2030', key },
    format: formats.recovery,
    hasher: bcryptHasher({ cost: 10 }),
    attempts: { free: 3 },
  });
  others.push(key.toString('hex'), key.toString('base64'));
  codes.push('AAAA-AAAA-AAAA-AAAA', ...(await backupCodes.issue(ada.id)).codes);
  const app = makeApp(backupCodes, sessions);
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  process.send?.({ codes, others } satisfies Secrets);
  server.close();
  server.closeAllConnections();
  process.disconnect();
}

function makeApp(backupCodes: BackupCodes, store: SessionStore): express.Express {
  passport.serializeUser((user, done) => done(null, (user as typeof ada).id));
  passport.deserializeUser((_id, done) => done(null, ada));
  passport.use(
    new BackupCodeStrategy({
      backupCodes,
      currentUser: (req) => (pendingLogin(req) === null ? null : ada),
    }),
  );
  passport.use(
    'recovery',
    new BackupCodeStrategy({
      backupCodes,
      findUser: (username) => {
        if (username === 'fault') throw new Error(`no database for ${codes[0]}`);
        return username === 'ada' ? ada : null;
      },
    }),
  );
  const app = express();
  app.use(session({ secret: 'secret', resave: false, saveUninitialized: false, store }));
  app.use(express.json(), passport.session());
  app.use((req, res, next) => {
    learnSession(req);
    res.on('finish', () => learnSession(req));
    next();
  });
  const complete: RequestHandler = async (req, res) => {
    res.json(await completeLogin(req));
  };
  app.post('/login', async (req, res) => {
    await beginLogin(req, ada);
    res.json({});
  });
  app.post('/code', passport.authenticate('backup-code', { session: false }) as never, complete);
  app.post('/plain', passport.authenticate('backup-code') as never, complete);
  app.post('/recovery', passport.authenticate('recovery', { session: false }) as never, complete);
  app.post('/complete', complete);
  app.get('/app', requireAssurance(), requireEnrollment({ backupCodes, enrollUrl: '/new' }), ok);
  app.get('/fresh', requireFreshSecondFactor(), ok);
  app.use('/codes', backupCodesRouter({ backupCodes }));
  app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) next(error);
    else res.status(500).json({ name: error.name });
  });
  return app;
}

function ok(_req: Request, res: Response): void {
  res.json({});
}

/** The id of the session, and the id of the pending login in it. */
function learnSession(req: Request): void {
  others.push(req.session.id);
  const state = Reflect.get(req.session, 'passport-backup-code') as
    { loginId?: string } | undefined;
  if (state?.loginId !== undefined) others.push(state.loginId);
}

async function visit(origin: string): Promise<void> {
  let cookie = '';
  const send = async (path: string, body?: object): Promise<{ codes?: string[] }> => {
    const response = await fetch(origin + path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { cookie, 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    return (await response.json().catch(() => ({}))) as { codes?: string[] };
  };
  const invalid = 'AAAA-AAAA-AAAA-AAAA';
  await send('/app');
  await send('/code', { code: invalid });
  await send('/login', {});
  await send('/plain', { code: codes[1] });
  await send('/complete', {});
  await send('/code', { code: invalid });
  await send('/code', { code: codes[1] });
  await send('/app');
  await send('/fresh');
  await send('/codes');
  const { codes: fresh = [] } = await send('/codes', {});
  codes.push(...fresh);
  await send('/recovery', { username: 'fault', code: fresh[1] });
  await send('/recovery', { username: 'ada', code: fresh[0] });
  await send('/app');
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await send('/recovery', { username: 'ada', code: fresh[0] });
    await send('/recovery', { username: 'eve', code: fresh[1] });
  }
}

void main();
