// Reads SMTP_URL, MAIL_FROM and PUBLIC_URL. An error says what is wrong with them, and never
// contains a password.
import { ConfigError } from '../config-error';
import { readUrl } from '../data/server-urls';
import { readEmailAddress } from './email-address';

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte. Otherwise the connection uses STARTTLS if the server offers it. */
  readonly isTls: boolean;
  readonly login: { readonly user: string; readonly password: string } | null;
}

export interface MailSettings {
  /** `null`: mail is stored in the outbox. */
  readonly smtp: SmtpServer | null;
  readonly from: { readonly name: string; readonly address: string };
  /**
   * The start of every link in mail. Never taken from the Host header of a request, which the
   * sender controls.
   */
  readonly publicUrl: string;
}

const SMTP_MEANT = 'smtp://host:587, or smtps://user:password@host:465 for TLS from the first byte';
const FROM_MEANT = 'name@example.com or Name <name@example.com>';
const PUBLIC_URL_MEANT = 'the public address of this service, as in https://codes.example.com';

/** @throws {ConfigError} */
export function readMailSettings(
  env: NodeJS.ProcessEnv,
  { isProduction, port }: { isProduction: boolean; port: number },
): MailSettings {
  const smtp = env.SMTP_URL === undefined ? null : readSmtpUrl(env.SMTP_URL);
  // Mail servers discard mail without a valid sender, and links to localhost do not work for users.
  const missing = ['MAIL_FROM', ...(isProduction ? ['PUBLIC_URL'] : [])].filter(
    (name) => env[name] === undefined,
  );
  if (smtp !== null && missing.length > 0)
    throw new ConfigError(`SMTP_URL is set, but ${missing.join(' and ')} must be set with it.`);
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
    throw new ConfigError(`SMTP_URL has a path or a query, but must be ${SMTP_MEANT}.`);
  if ((username === '') !== (password === ''))
    throw new ConfigError(
      `SMTP_URL has a user without a password, or the reverse, but must be ${SMTP_MEANT}.`,
    );
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
    throw new ConfigError('SMTP_URL has a % that is not part of an escape; write % itself as %25.');
  }
}

function readFrom(given: string): MailSettings['from'] {
  const [, name = '', bracketed] = /^([^<>"\p{C}]*)<([^<>]*)>$/u.exec(given.trim()) ?? [];
  const address = readEmailAddress(bracketed ?? given);
  if (address === null)
    throw new ConfigError(`MAIL_FROM is "${given}", but must be ${FROM_MEANT}.`);
  return { name: name.trim(), address };
}

/** The service answers at the root of its host, so a path is an error. */
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
