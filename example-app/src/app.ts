// Creates the service: the stores, the services, and the middleware and pages in the order in which
// a request passes them.
import { dirname, join } from 'node:path';
import express, { type Express } from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import { BackupCodes, type BackupCodesOptions } from 'passport-backup-code';
import { argon2Hasher } from 'passport-backup-code/argon2';
import { adminRoutes } from './admin/admin-routes';
import { codeRoutes } from './codes/code-routes';
import { helpRoutes } from './codes/help-routes';
import { startHousekeeping } from './codes/housekeeping';
import type { Config } from './config';
import { openStores } from './data/open-stores';
import { Authenticators } from './factors/authenticators';
import { SecondFactors } from './factors/second-factors';
import { securityKeyRoutes } from './factors/security-key-routes';
import { SecurityKeys } from './factors/security-keys';
import { totpRoutes } from './factors/totp-routes';
import { createGuards } from './login/guards';
import { homeRoutes } from './login/home-routes';
import { loginRoutes } from './login/login-routes';
import { createPassport } from './login/passport';
import { placeRoutes } from './login/place-routes';
import { Places } from './login/places';
import { secondFactorRoutes } from './login/second-factor-routes';
import { signupRoutes } from './login/signup-routes';
import { Users } from './login/users';
import { emailRoutes } from './notices/email-routes';
import { LOW_AT } from './notices/event-notice';
import { outboxRoutes } from './notices/outbox-routes';
import { startMailing } from './notices/start-mailing';
import { accountRoutes } from './security-page/account-routes';
import { securityRoutes } from './security-page/security-routes';
import { endOldSessions } from './sessions/end-old-sessions';
import { COOKIE_ATTRIBUTES, SESSION_SECONDS, sessionCookieName } from './sessions/session-cookie';
import { Vault } from './vault/vault';
import { vaultRoutes } from './vault/vault-routes';
import { requireCsrfToken } from './web/csrf';
import { answerErrors, answerNotFound } from './web/error-pages';
import { type FormsInProgress, LocalFormsInProgress } from './web/forms-in-progress';
import { keepClientAddress } from './web/keep-client-address';
import { noStore, pagesByDefault, sendError } from './web/responses';
import { answerSecondClick } from './web/second-click';
import { securityHeaders } from './web/security-headers';
import type { Services } from './web/services';

/** All options except `report` and `forms` are for tests. */
export interface AppOptions {
  /** Receives every fault that a user sees as "something went wrong". */
  readonly report?: (error: unknown) => void;
  /** Detects forms that are sent twice. @default within this process */
  readonly forms?: FormsInProgress | undefined;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** The bcrypt cost of passwords. @default 12 */
  readonly passwordCost?: number;
  readonly backupCodes?: Pick<BackupCodesOptions, 'hasher' | 'attempts' | 'assessRisk'>;
}

export interface RunningApp {
  readonly app: Express;
  readonly backupCodes: BackupCodes;
  /** Closes all stores. Call it after the server has stopped listening. */
  close(): Promise<void>;
}

const SIGN_IN_WINDOW_MS = 900_000;
const ROOT = join(__dirname, '..');
/**
 * The script for browsers. The package does not export it, so the path starts at a file that it
 * does export.
 */
const SIMPLE_WEBAUTHN = join(
  dirname(require.resolve('@simplewebauthn/browser')),
  '..',
  'dist',
  'bundle',
  'index.umd.min.js',
);

export async function createApp(
  config: Config,
  {
    report = () => undefined,
    forms = new LocalFormsInProgress(),
    now = Date.now,
    passwordCost = 12,
    backupCodes: codeOptions = {},
  }: AppOptions = {},
): Promise<RunningApp> {
  const stores = await openStores(config, report);
  const { db } = stores;
  const users = new Users({ db, passwordCost, now });
  const authenticators = new Authenticators({ db, now });
  const securityKeys = new SecurityKeys({ db, publicUrl: config.mail.publicUrl, now });
  const places = new Places({ db, now });
  const backupCodes = new BackupCodes({
    store: stores.codes,
    pepper: config.pepper,
    // Faster than bcrypt 12 at the same cost for an attacker. Sets of bcrypt stay readable.
    hasher: argon2Hasher({ passes: 4 }),
    lowAt: LOW_AT,
    now,
    // Runs before a code is checked: at a new place the owner must follow a mailed link first.
    assessRisk: async ({ userId, context }) =>
      userId !== null && (await places.isKnown(userId, context)) ? 'allow' : 'step_up',
    ...codeOptions,
  });
  const secondFactors = new SecondFactors({ authenticators, securityKeys, backupCodes });
  const { emails, mailer, noticeLoop, outbox, pruneMail } = startMailing(config, {
    db,
    users,
    backupCodes,
    now,
    report,
  });
  const vault = new Vault({
    db,
    approvals: stores.approvals,
    backupCodes,
    users,
    emails,
    secondFactors,
    admins: config.admins,
    now,
  });
  const housekeeping = startHousekeeping({
    backupCodes,
    pruneOthers: pruneMail,
    auditDays: config.auditDays,
    now,
    report,
  });
  const passport = createPassport({ users, authenticators, securityKeys, backupCodes, now });
  const cookieName = sessionCookieName(config);
  const services: Services = {
    users,
    authenticators,
    securityKeys,
    secondFactors,
    backupCodes,
    emails,
    mailer,
    noticeLoop,
    places,
    vault,
    passport,
    cookieName,
    now,
    publicUrl: config.mail.publicUrl,
    guards: createGuards({ secondFactors, backupCodes, admins: config.admins, now }),
    limitSignIn: rateLimit({
      windowMs: SIGN_IN_WINDOW_MS,
      limit: config.signInLimit,
      store: stores.rateLimit,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      // Express ignores a forged X-Forwarded-For unless TRUST_PROXY says otherwise, so no warning
      // is needed.
      validate: { xForwardedForHeader: false },
      handler: (req, res) =>
        sendError(
          { req, res },
          {
            status: 429,
            code: 'too_many_requests',
            title: 'Too many attempts',
            message: 'Too many attempts came from your address. Try again in 15 minutes.',
          },
        ),
    }),
  };

  const app = express();
  app.set('trust proxy', config.trustProxy);
  app.set('view engine', 'ejs');
  app.set('views', join(ROOT, 'views'));
  app.disable('x-powered-by');

  app.get('/healthz', async (_req, res) => {
    await stores.check();
    res.type('text').send('ok');
  });
  app.use(keepClientAddress, securityHeaders(config));
  app.use('/static/simple.css', express.static(require.resolve('simpledotcss/simple.min.css')));
  app.use('/static/simplewebauthn.js', express.static(SIMPLE_WEBAUTHN));
  app.use('/static', express.static(join(ROOT, 'public')));

  app.use(noStore(), pagesByDefault());
  app.use(express.urlencoded({ extended: false, limit: '20kb' }), express.json({ limit: '20kb' }));
  app.use(answerSecondClick(forms));
  app.use(
    session({
      name: cookieName,
      secret: config.sessionSecret,
      store: stores.sessions,
      resave: false,
      saveUninitialized: false,
      cookie: {
        ...COOKIE_ATTRIBUTES,
        secure: config.isProduction ? true : 'auto',
        maxAge: SESSION_SECONDS * 1000,
      },
    }),
  );
  app.use(passport.session(), endOldSessions(now));
  app.use(requireCsrfToken(cookieName));

  app.use(
    homeRoutes(services),
    signupRoutes(services),
    loginRoutes(services),
    secondFactorRoutes(services),
    placeRoutes(services),
  );
  app.use(
    accountRoutes(services),
    totpRoutes(services),
    securityKeyRoutes(services),
    securityRoutes(services),
    emailRoutes(services),
    codeRoutes(services),
    adminRoutes(services),
    vaultRoutes(services),
    helpRoutes(),
  );
  if (outbox !== null) app.use(outboxRoutes(outbox));
  app.use(answerNotFound, answerErrors(report));

  return {
    app,
    backupCodes,
    close: async () => {
      await Promise.all([housekeeping.close(), noticeLoop.close()]);
      await stores.close();
    },
  };
}
