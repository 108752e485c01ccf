// better-auth's plugin `twoFactor`, by the functions it has for servers. Its codes are encrypted,
// not hashed.
//
// `challenge`: between password and second factor, where it counts attempts. `session`: signed in
// already, where it does not. The session that a sign-in would end with is left out, as it is of
// the others.
import { randomBytes } from 'node:crypto';
import type { Dialect } from 'kysely';
import type { Answer, Contestant, Submit } from './contestant';
import { requirePeer } from './peers';

interface Result<T = unknown> {
  readonly headers: Headers;
  readonly response: T;
}
type Call<T = unknown> = (request: {
  body: object;
  headers?: Headers;
  returnHeaders: true;
}) => Promise<Result<T>>;
interface Auth {
  readonly api: {
    signUpEmail: Call;
    signInEmail: Call;
    enableTwoFactor: Call<{ backupCodes: string[] }>;
    verifyBackupCode: Call;
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
/** Its answers to a code that it looked at. */
const LOOKED_AT: readonly unknown[] = ['INVALID_BACKUP_CODE'];

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
    // Passwords are not measured.
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
  await (
    await (requirePeer('better-auth/db/migration') as Migration).getMigrations(options)
  ).runMigrations();
  const { api } = (requirePeer('better-auth') as BetterAuth).betterAuth(options);
  const sessions = new Map<string, Headers>();

  const begin = async (user: string): Promise<Submit> => {
    const signIn = (): Promise<Result> =>
      api.signInEmail({ body: { email: emailOf(user), password: PASSWORD }, returnHeaders: true });
    const headers = channel === 'session' ? sessions.get(user) : cookies(await signIn());
    if (headers === undefined) throw new Error(`${user} has no session.`);
    return (code) =>
      api
        .verifyBackupCode({ body: { code, disableSession: true }, headers, returnHeaders: true })
        .then(() => 'accepted', answerOf);
  };
  return {
    name: `better-auth, in a ${channel}`,
    limit: channel === 'challenge' ? '5 a challenge, 10 a user' : 'none',
    attemptsPerUser: channel === 'challenge' ? 9 : Infinity,
    issue: async (user) => {
      const signedUp = await api.signUpEmail({
        body: { name: user, email: emailOf(user), password: PASSWORD },
        returnHeaders: true,
      });
      const enabled = await api.enableTwoFactor({
        body: { password: PASSWORD },
        headers: cookies(signedUp),
        returnHeaders: true,
      });
      sessions.set(user, cookies(enabled));
      return enabled.response.backupCodes;
    },
    begin,
  };
}

function emailOf(user: string): string {
  return `${user.replaceAll(' ', '-')}@example.com`;
}

function cookies({ headers }: Result): Headers {
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
  return LOOKED_AT.includes(body.code) ? 'wrong' : 'turned away';
}
