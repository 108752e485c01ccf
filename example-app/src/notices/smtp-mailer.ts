// Sends mail over SMTP. Waits at most half a minute for the server, and sends a password only over
// TLS.
import { createTransport, type Transporter } from 'nodemailer';
import type { MailSettings, SmtpServer } from './mail-settings';
import { type Mail, type Mailer, MailServerDown } from './mailer';

const SEND_MS = 30_000;
/** For each step: the DNS lookup, the connection, the greeting, and the reply to a command. */
const STEP_MS = 10_000;

export class SmtpMailer implements Mailer {
  private readonly from: MailSettings['from'];
  private readonly transport: Transporter;
  private readonly closing = new AbortController();

  constructor({
    smtp: { host, port, isTls, login },
    from,
  }: {
    smtp: SmtpServer;
    from: MailSettings['from'];
  }) {
    this.from = from;
    this.transport = createTransport({
      host,
      port,
      secure: isTls,
      // An attacker on the network could hide that the server offers TLS, and read the password.
      requireTLS: login !== null,
      ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
      dnsTimeout: STEP_MS,
      connectionTimeout: STEP_MS,
      greetingTimeout: STEP_MS,
      socketTimeout: STEP_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }

  async send(mail: Mail): Promise<void> {
    try {
      await this.sendOnce(mail);
    } catch (error) {
      // Find out whether only this mail failed, or any mail would fail.
      if (this.closing.signal.aborted || !(await this.canConnect()))
        throw new MailServerDown('SMTP_URL: the server takes no mail.', { cause: error });
      if (isReply(error)) throw error;
      // The server may have just come back, or it hangs up on this particular mail.
      await this.sendOnce(mail);
    }
  }

  close(): void {
    this.closing.abort();
    this.transport.close();
  }

  private async sendOnce({ to, subject, text, id }: Mail): Promise<void> {
    const sending = this.transport.sendMail({
      from: this.from,
      // An object, because a string would be parsed as a list of addresses.
      to: { name: '', address: to },
      subject,
      text,
      textEncoding: 'quoted-printable',
      ...(id === undefined
        ? {}
        : { messageId: `<${id}@${this.from.address.split('@')[1] ?? ''}>` }),
      // RFC 3834: asks for no automatic replies.
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal: AbortSignal.any([this.closing.signal, AbortSignal.timeout(SEND_MS)]),
    });
    await this.rejectOnClose(sending);
  }

  /** A server that never answers must not keep the service from stopping. */
  private async rejectOnClose<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.closing;
    let stop = (): void => undefined;
    const closed = new Promise<never>((_, reject) => {
      stop = () => reject(Object.assign(new Error('The service stops.'), { code: 'EABORT' }));
      signal.addEventListener('abort', stop, { once: true });
    });
    if (signal.aborted) stop();
    try {
      return await Promise.race([work, closed]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Connects and logs in, but sends nothing. */
  private async canConnect(): Promise<boolean> {
    try {
      return await this.rejectOnClose(this.transport.verify());
    } catch {
      return false;
    }
  }
}

/** The server refused this mail explicitly, with an SMTP reply code. */
function isReply(error: unknown): boolean {
  return error instanceof Error && typeof Reflect.get(error, 'responseCode') === 'number';
}
