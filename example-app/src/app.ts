// The service, put together: settings, databases, who can prove what, and the pages, in the order in which a request meets them.
import { dirname, join } from 'node:path';
import express, { type Express } from 'express';
import { rateLimit } from 'express-rate-limit';
import session from 'express-session';
import { BackupCodes, type BackupCodesOptions } from 'passport-backup-code';
import { noStore, pagesByDefault, sendError } from './answers';
import { Authenticators } from './authenticators';
import type { Config } from './config';
import { requireCsrfToken } from './csrf';
import { answerErrors, answerNotFound } from './errors';
import { type FormDesk, LocalFormDesk } from './form-desk';
import { createGuards } from './guards';
import { startHousekeeping } from './housekeeping';
import { keepAddress } from './keep-address';
import { startMailing } from './mailing';
import { LOW_AT } from './notices/event-notice';
import { createPassport } from './passport';
import { Places } from './places';
import { accountRoutes } from './routes/account';
import { adminRoutes } from './routes/admin';
import { codeRoutes } from './routes/codes';
import { emailRoutes } from './routes/emails';
import { helpRoutes } from './routes/help';
import { homeRoutes } from './routes/home';
import { loginRoutes } from './routes/login';
import { outboxRoutes } from './routes/outbox';
import { placeRoutes } from './routes/place';
import { secondFactorRoutes } from './routes/second-factor';
import { securityRoutes } from './routes/security';
import { securityKeyRoutes } from './routes/security-keys';
import { signupRoutes } from './routes/signup';
import { totpRoutes } from './routes/totp';
import { vaultRoutes } from './routes/vault';
import { answerSecondClick } from './second-click';
import { SecondFactors } from './second-factors';
import { securityHeaders } from './security-headers';
import { SecurityKeys } from './security-keys';
import type { Services } from './services';
import { COOKIE_ATTRIBUTES, SESSION_SECONDS, sessionCookieName } from './session-cookie';
import { endOldSessions } from './session-end';
import { openStores } from './stores';
import { Users } from './users';
import { Vault } from './vault';

/** All but `report` and `desk` are for tests. */
export interface AppOptions {
  /** Told of every fault that a person is only told of as "something went wrong". */
  readonly report?: (error: unknown) => void;
  /** Where forms that are sent twice are found out. By default among those of this process. */
  readonly desk?: FormDesk | undefined;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** bcrypt cost of passwords. Default 12. */
  readonly passwordCost?: number;
  readonly backupCodes?: Pick<BackupCodesOptions, 'hasher' | 'attempts' | 'assessRisk'>;
}

export interface RunningApp {
  readonly app: Express;
  readonly backupCodes: BackupCodes;
  /** Closes what is kept. After the server has stopped listening. */
  close(): Promise<void>;
}

const SIGN_IN_WINDOW_MS = 900_000;
const ROOT = join(__dirname, '..');
/** For browsers. The package exports no path to it, but to a folder beside its own. */
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
    desk = new LocalFormDesk(),
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
    lowAt: LOW_AT,
    now,
    // Asked before a code is looked at: from somewhere new the owner must follow a mailed link first.
    assessRisk: async ({ userId, context }) =>
      userId !== null && (await places.isKnown(userId, context)) ? 'allow' : 'step_up',
    ...codeOptions,
  });
  const secondFactors = new SecondFactors({ authenticators, securityKeys, backupCodes });
  const { emails, mailer, notices, outbox, pruneMail } = startMailing(config, {
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
    notices,
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
      // A forged X-Forwarded-For is nothing special: Express does not believe it unless TRUST_PROXY says so.
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
  app.use(keepAddress, securityHeaders(config));
  app.use('/static/simple.css', express.static(require.resolve('simpledotcss/simple.min.css')));
  app.use('/static/simplewebauthn.js', express.static(SIMPLE_WEBAUTHN));
  app.use('/static', express.static(join(ROOT, 'public')));

  app.use(noStore(), pagesByDefault());
  app.use(express.urlencoded({ extended: false, limit: '20kb' }), express.json({ limit: '20kb' }));
  app.use(answerSecondClick(desk));
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
      await Promise.all([housekeeping.close(), notices.close()]);
      await stores.close();
    },
  };
}
