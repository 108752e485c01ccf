// The plugin `twoFactor` of better-auth, called through its server API. It encrypts the codes and
// does not hash them.
//
// `challenge`: after the password and before the second factor, when it counts attempts. `session`:
// after the login, when it does not count them. The session that a sign-in creates at the end is
// left out, as for the other contestants.
import { randomBytes } from 'node:crypto';
import type { Dialect } from 'kysely';
import type { Answer, Contestant, Submit } from './contestant';
import { requirePeer } from './peers';

interface Result<T = unknown> {
  readonly headers: Headers;
  readonly response: T;
}
type ApiCall<T = unknown> = (request: {
  body: object;
  headers?: Headers;
  returnHeaders: true;
}) => Promise<Result<T>>;
interface Auth {
  readonly api: {
    signUpEmail: ApiCall;
    signInEmail: ApiCall;
    enableTwoFactor: ApiCall<{ backupCodes: string[] }>;
    verifyBackupCode: ApiCall;
  };
}
interface BetterAuth {
  betterAuth(options: object): Auth;
}
interface Plugins {
  twoFactor(options: object): object;
}
interface Migration {
  getMigrations(options: object): Promise<{ runMigrations(): Promise<void> }>;
}

const PASSWORD = 'a long password';
/** The error of a code that was checked. With other errors, the code was not checked. */
const INVALID_CODE = 'INVALID_BACKUP_CODE';

export async function betterAuth(
  dialect: Dialect,
  { type, channel }: { type: 'sqlite' | 'postgres'; channel: 'challenge' | 'session' },
): Promise<Contestant> {
  const options = {
    baseURL: 'http://localhost',
    secret: randomBytes(32).toString('hex'),
    logger: { disabled: true },
    telemetry: { enabled: false },
    database: { dialect, type },
    // Passwords are not hashed, because they are not measured.
    emailAndPassword: {
      enabled: true,
      password: {
        hash: (password: string) => Promise.resolve(password),
        verify: () => Promise.resolve(true),
      },
    },
    plugins: [
      (requirePeer('better-auth/plugins') as Plugins).twoFactor({ skipVerificationOnEnable: true }),
    ],
  };
  const migration = requirePeer('better-auth/db/migration') as Migration;
  const migrations = await migration.getMigrations(options);
  await migrations.runMigrations();
  const { api } = (requirePeer('better-auth') as BetterAuth).betterAuth(options);
  const sessions = new Map<string, Headers>();

  const begin = async (user: string): Promise<Submit> => {
    const signIn = (): Promise<Result> =>
      api.signInEmail({ body: { email: emailOf(user), password: PASSWORD }, returnHeaders: true });
    const headers = channel === 'session' ? sessions.get(user) : cookiesOf(await signIn());
    if (headers === undefined) throw new Error(`${user} has no session.`);
    return (code) =>
      api
        .verifyBackupCode({ body: { code, disableSession: true }, headers, returnHeaders: true })
        .then(() => 'accepted', answerOf);
  };
  return {
    name: `better-auth, in a ${channel}`,
    limit: channel === 'challenge' ? '5 per challenge, 10 per user' : 'none',
    attemptsPerUser: channel === 'challenge' ? 9 : Infinity,
    issue: async (user) => {
      const signedUp = await api.signUpEmail({
        body: { name: user, email: emailOf(user), password: PASSWORD },
        returnHeaders: true,
      });
      const enabled = await api.enableTwoFactor({
        body: { password: PASSWORD },
        headers: cookiesOf(signedUp),
        returnHeaders: true,
      });
      sessions.set(user, cookiesOf(enabled));
      return enabled.response.backupCodes;
    },
    begin,
  };
}

function emailOf(user: string): string {
  return `${user.replaceAll(' ', '-')}@example.com`;
}

function cookiesOf({ headers }: Result): Headers {
  return new Headers({
    cookie: headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; '),
  });
}

function answerOf(error: unknown): Answer {
  const { body } = error as { body?: { code?: unknown } };
  if (body === undefined) throw error;
  return body.code === INVALID_CODE ? 'invalid' : 'throttled';
}
