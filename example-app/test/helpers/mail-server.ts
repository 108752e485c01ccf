// A real SMTP server, which keeps what it is sent. It can go away and come back, keep its callers
// waiting, and refuse people.
import type { AddressInfo, Socket } from 'node:net';
import { text as readAll } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { until } from './until';

export interface ReceivedMail {
  readonly to: string;
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Every byte of it. */
  readonly raw: string;
}

export class MailServer {
  /** In the order in which they came. */
  readonly mails: ReceivedMail[] = [];
  /** Nobody of these is known here. */
  readonly refused = new Set<string>();
  /** Where a mail for one of these begins, the connection ends. */
  readonly hungUpOn = new Set<string>();
  /** How many connections there were. */
  connections = 0;
  /** What a connection, and a mail that is here, wait for before they are answered. */
  greeting: Promise<void> = Promise.resolve();
  answer: Promise<void> = Promise.resolve();
  private server: SMTPServer | null = null;
  private port = 0;
  private taken = 0;

  static async start(): Promise<MailServer> {
    const mailServer = new MailServer();
    await mailServer.start();
    return mailServer;
  }

  /** For `SMTP_URL`. */
  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** On the port it had before. */
  async start(): Promise<void> {
    const sockets = new Map<number, Socket>();
    const server = new SMTPServer({
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      onConnect: (_session, done) => {
        this.connections += 1;
        void this.greeting.then(() => done());
      },
      onRcptTo: ({ address }, { remotePort }, done) => {
        if (this.hungUpOn.has(address)) sockets.get(remotePort)!.destroy();
        else
          done(
            this.refused.has(address)
              ? Object.assign(new Error('Nobody of that name lives here'), { responseCode: 550 })
              : null,
          );
      },
      onData: (stream, { envelope: { rcptTo } }, done) => {
        void readAll(stream).then(async (raw) => {
          for (const { address } of rcptTo) this.mails.push(read(raw, address));
          await this.answer;
          done();
        });
      },
    });
    server.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort!, socket));
    // A client that is killed, or gives up.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Once those who are talking to it have finished. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server!.close(resolve));
  }

  /** What came and was not asked for. */
  unread(): ReceivedMail[] {
    return this.mails.slice(this.taken);
  }

  /** The next ones, as many as are asked for. */
  async next(count = 1): Promise<ReceivedMail[]> {
    await until(
      () => this.mails.length >= this.taken + count,
      () =>
        `${count} mails were waited for, and there came ${this.unread().length}: ${this.unread()
          .map(({ subject }) => subject)
          .join('; ')}.`,
    );
    this.taken += count;
    return this.mails.slice(this.taken - count, this.taken);
  }
}

function read(raw: string, to: string): ReceivedMail {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const isQuoted = headers['content-transfer-encoding'] === 'quoted-printable';
  const body = raw.slice(end + 4);
  return {
    to,
    from: headers['from'] ?? '',
    subject: headers['subject'] ?? '',
    text: (isQuoted ? unquote(body) : body).replaceAll('\r\n', '\n'),
    headers,
    raw,
  };
}

/** Quoted-printable, RFC 2045, section 6.7. */
function unquote(body: string): string {
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
