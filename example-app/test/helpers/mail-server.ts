// A real SMTP server that records its mail. A test can stop and restart it, delay its replies, and
// make it refuse recipients.
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
  /** The complete message. */
  readonly raw: string;
}

export class MailServer {
  /** In the order in which they arrived. */
  readonly mails: ReceivedMail[] = [];
  /** Recipients that the server refuses. */
  readonly refused = new Set<string>();
  /** Recipients at which the server closes the connection. */
  readonly hungUpOn = new Set<string>();
  /** The number of connections so far. */
  connections = 0;
  /** The server waits for these before it greets a client or confirms a mail. */
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

  /** The value for `SMTP_URL`. */
  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** Uses the same port as before. */
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
              ? Object.assign(new Error('Unknown recipient'), { responseCode: 550 })
              : null,
          );
      },
      onData: (stream, { envelope: { rcptTo } }, done) => {
        void readAll(stream).then(async (raw) => {
          for (const { address } of rcptTo) this.mails.push(parseMail(raw, address));
          await this.answer;
          done();
        });
      },
    });
    server.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort!, socket));
    // A client may be killed or disconnect.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.port = (server.server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Waits until open connections are finished. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server!.close(resolve));
  }

  /** Mail that no test has read with `next`. */
  unread(): ReceivedMail[] {
    return this.mails.slice(this.taken);
  }

  /** Waits for the next mails. */
  async next(count = 1): Promise<ReceivedMail[]> {
    await until(
      () => this.mails.length >= this.taken + count,
      () =>
        `Expected ${count} mails but received ${this.unread().length}: ${this.unread()
          .map(({ subject }) => subject)
          .join('; ')}.`,
    );
    this.taken += count;
    return this.mails.slice(this.taken - count, this.taken);
  }
}

function parseMail(raw: string, to: string): ReceivedMail {
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
    text: (isQuoted ? decodeQuotedPrintable(body) : body).replaceAll('\r\n', '\n'),
    headers,
    raw,
  };
}

/** RFC 2045, section 6.7. */
function decodeQuotedPrintable(body: string): string {
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
