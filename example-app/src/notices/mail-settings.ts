// How the service writes to people: SMTP_URL, MAIL_FROM and PUBLIC_URL. Says what is wrong with
// them, and prints no password.
import { ConfigError } from '../config-error';
import { readUrl } from '../data/server-urls';
import { readEmailAddress } from './email-address';

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. Otherwise the connection turns to it where the server can. */
  readonly isTls: boolean;
  readonly login: { readonly user: string; readonly password: string } | null;
}

export interface MailSettings {
  /** `null`: mail stays in the outbox. */
  readonly smtp: SmtpServer | null;
  readonly from: { readonly name: string; readonly address: string };
  /**
   * Where links in mail lead. Never to the host that a request names: whoever sends it chooses
   * that.
   */
  readonly publicUrl: string;
}

const SMTP_MEANT = 'smtp://host:587, or smtps://user:password@host:465 for TLS from the first byte';
const FROM_MEANT = 'name@example.com or Name <name@example.com>';
const PUBLIC_URL_MEANT = 'where people find this service, as in https://codes.example.com';

/** @throws {ConfigError} */
export function readMailSettings(
  env: NodeJS.ProcessEnv,
  { isProduction, port }: { isProduction: boolean; port: number },
): MailSettings {
  const smtp = env.SMTP_URL === undefined ? null : readSmtpUrl(env.SMTP_URL);
  // Mail from nobody is thrown away, and links to localhost lead nowhere.
  const missing = ['MAIL_FROM', ...(isProduction ? ['PUBLIC_URL'] : [])].filter(
    (name) => env[name] === undefined,
  );
  if (smtp !== null && missing.length > 0)
    throw new ConfigError(`SMTP_URL is set without ${missing.join(' and ')}, which it needs.`);
  return {
    smtp,
    from: readFrom(env.MAIL_FROM ?? 'no-reply@localhost'),
    publicUrl:
      env.PUBLIC_URL === undefined
        ? `http://localhost:${port}`
        : readPublicUrl(env.PUBLIC_URL, isProduction ? ['https:'] : ['https:', 'http:']),
  };
}

function readSmtpUrl(given: string): SmtpServer {
  const { protocol, hostname, port, username, password, pathname, search, hash } = readUrl(
    'SMTP_URL',
    given,
    SMTP_MEANT,
  );
  if (protocol !== 'smtp:' && protocol !== 'smtps:')
    throw new ConfigError(`SMTP_URL begins with "${protocol}", but must be ${SMTP_MEANT}.`);
  if (hostname === '' || port === '0')
    throw new ConfigError(`SMTP_URL names no server, but must be ${SMTP_MEANT}.`);
  if (!['', '/'].includes(pathname) || search !== '' || hash !== '')
    throw new ConfigError(`SMTP_URL goes on behind the server, but must be ${SMTP_MEANT}.`);
  if ((username === '') !== (password === ''))
    throw new ConfigError(`SMTP_URL has half a login, but must be ${SMTP_MEANT}.`);
  const isTls = protocol === 'smtps:';
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (isTls ? 465 : 587) : Number(port),
    isTls,
    login: username === '' ? null : { user: decode(username), password: decode(password) },
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConfigError('SMTP_URL has a % that begins no sign; % itself is written as %25.');
  }
}

function readFrom(given: string): MailSettings['from'] {
  const [, name = '', bracketed] = /^([^<>"\p{C}]*)<([^<>]*)>$/u.exec(given.trim()) ?? [];
  const address = readEmailAddress(bracketed ?? given);
  if (address === null)
    throw new ConfigError(`MAIL_FROM is "${given}", but must be ${FROM_MEANT}.`);
  return { name: name.trim(), address };
}

/** The service answers at the root of its host, so there is nothing behind that. */
function readPublicUrl(given: string, protocols: readonly string[]): string {
  const { protocol, origin, href } = readUrl('PUBLIC_URL', given, PUBLIC_URL_MEANT);
  if (!protocols.includes(protocol))
    throw new ConfigError(
      `PUBLIC_URL begins with "${protocol}", but must begin with ${protocols.join(' or ')}.`,
    );
  if (href !== `${origin}/`)
    throw new ConfigError(
      `PUBLIC_URL has more than a host and a port, but must be ${PUBLIC_URL_MEANT}.`,
    );
  return origin;
}
