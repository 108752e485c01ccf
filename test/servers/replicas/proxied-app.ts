// The process of a small app behind a proxy: a password, then a backup code. Its sessions and codes
// are in PostgreSQL. It dies after it consumed a code, before it answers. The codes it consumes are
// few, so the test starts it anew for each.
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response } from 'express';
import session, { Store, type SessionData } from 'express-session';
import passport from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { Pool } from 'pg';
import { BackupCodes, BackupCodeStrategy, fastHasher, formats } from '../../../lib';
import { beginLogin, completeLogin, pendingLogin } from '../../../lib/express';
import { SqlStore } from '../../../lib/sql';

interface AppUser {
  readonly id: string;
}

type Callback = (error: unknown, session?: SessionData | null) => void;

/** Sessions in a table that the test has made. */
class PostgresSessions extends Store {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    super();
    this.#pool = pool;
  }

  override get(id: string, done: Callback): void {
    this.#pool
      .query<{ data: SessionData }>('SELECT data FROM sessions WHERE id = $1', [id])
      .then(({ rows }) => done(null, rows[0]?.data ?? null), done);
  }

  override set(id: string, data: SessionData, done: Callback = () => undefined): void {
    this.#pool
      .query(
        `INSERT INTO sessions (id, data)
         VALUES ($1, $2)
         ON CONFLICT (id) DO UPDATE SET data = EXCLUDED.data`,
        [id, data],
      )
      .then(() => done(null), done);
  }

  override destroy(id: string, done: Callback = () => undefined): void {
    this.#pool.query('DELETE FROM sessions WHERE id = $1', [id]).then(() => done(null), done);
  }
}

const pool = new Pool({ connectionString: process.argv[2] });
const backupCodes = new BackupCodes({
  store: new SqlStore({ database: pool }),
  format: formats.long,
  hasher: fastHasher(),
});
// Listeners run after the write and before the answer.
backupCodes.on('consumed', () => process.exit(1));

passport.serializeUser((user, done) => done(null, (user as AppUser).id));
passport.deserializeUser((id, done) => done(null, { id }));
passport.use(new LocalStrategy((id, _password, done) => done(null, { id })));
passport.use(
  new BackupCodeStrategy<AppUser>({
    backupCodes,
    currentUser: (req) => {
      const pending = pendingLogin(req);
      return pending === null ? undefined : { id: String(pending.userId) };
    },
  }),
);

const app = express();
app.use(express.json());
app.use(
  session({
    store: new PostgresSessions(pool),
    secret: 'of a test',
    resave: false,
    saveUninitialized: false,
  }),
);
app.use(passport.session());
app.post('/login', passport.authenticate('local', { session: false }), async (req, res) => {
  await beginLogin(req, req.user);
  res.json({});
});
app.post(
  '/login/backup-code',
  passport.authenticate('backup-code', { session: false }),
  async (req, res) => {
    await completeLogin(req);
    res.json({});
  },
);
app.get('/me', (req, res) => {
  res.json({ user: (req.user as AppUser | undefined)?.id ?? null });
});
app.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
  if (res.headersSent) next(error);
  else res.status(500).json({ error: String(error) });
});

const server = app.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit());
