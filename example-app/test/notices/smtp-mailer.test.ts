// The SMTP mailer sends to one address only, and sends a password only over TLS.
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { readMailSettings } from '../../src/notices/mail-settings';
import { SmtpMailer } from '../../src/notices/smtp-mailer';
import { MailServer } from '../helpers/mail-server';

function mailerFor(SMTP_URL: string): SmtpMailer {
  const { smtp, from } = readMailSettings(
    { SMTP_URL, MAIL_FROM: 'Codes <codes@example.com>' },
    { isProduction: false, port: 3000 },
  );
  return new SmtpMailer({ smtp: smtp!, from });
}

test('An address that looks like a list counts as one address', async () => {
  const mailServer = await MailServer.start();
  const mailer = mailerFor(mailServer.url);
  await expect(
    mailer.send({ to: 'bob@example.com, eve@example.com', subject: 'x', text: 'x' }),
  ).rejects.toThrow();
  await mailer.send({
    to: 'bob@example.com',
    subject: 'A line\r\nBcc: eve@example.com',
    text: 'x\r\n.\r\nRCPT TO:<eve@example.com>',
  });
  expect(mailServer.mails.map(({ to, subject, headers }) => [to, subject, headers['bcc']])).toEqual(
    [['bob@example.com', 'A line Bcc: eve@example.com', undefined]],
  );
  await mailServer.stop();
});

test('A refused mail and a server that is down give different errors', async () => {
  const mailServer = await MailServer.start();
  mailServer.refused.add('bob@example.com');
  const mailer = mailerFor(mailServer.url);
  const mail = { to: 'bob@example.com', subject: 'x', text: 'x' };
  await expect(mailer.send(mail)).rejects.toMatchObject({ code: 'EENVELOPE', responseCode: 550 });
  await mailServer.stop();
  await expect(mailer.send(mail)).rejects.toMatchObject({
    name: 'MailServerDown',
    message: 'SMTP_URL: the server takes no mail.',
  });
});

test('A server that hangs up on one mail does not count as down', async () => {
  const mailServer = await MailServer.start();
  mailServer.hungUpOn.add('bob@example.com');
  const mailer = mailerFor(mailServer.url);
  await expect(
    mailer.send({ to: 'bob@example.com', subject: 'x', text: 'x' }),
  ).rejects.toMatchObject({ code: 'ECONNECTION' });
  await mailer.send({ to: 'ada@example.com', subject: 'x', text: 'x' });
  expect(mailServer.mails.map(({ to }) => to)).toEqual(['ada@example.com']);
  await mailServer.stop();
});

test('The mailer does not log in to a server without TLS', async () => {
  const asked: (string | undefined)[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    closeTimeout: 1,
    onAuth: ({ username }, _session, done) => {
      asked.push(username);
      done(null, { user: username });
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  await expect(
    mailerFor(`smtp://codes:secret@127.0.0.1:${port}`).send({
      to: 'bob@example.com',
      subject: 'x',
      text: 'x',
    }),
  ).rejects.toThrow('the server takes no mail');
  expect(asked).toEqual([]);
  await new Promise<void>((resolve) => server.close(resolve));
});

test('The mailer sends no mail to a server with an untrusted certificate', async () => {
  const mails: string[] = [];
  // The server warns that its default certificate is public.
  const warn = jest.spyOn(console, 'error').mockReturnValueOnce(undefined);
  const server = new SMTPServer({
    secure: true,
    authOptional: true,
    closeTimeout: 1,
    onData: (stream, _session, done) => {
      stream.on('data', (chunk) => mails.push(String(chunk)));
      stream.on('end', () => done());
    },
  });
  warn.mockRestore();
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;
  await expect(
    mailerFor(`smtps://127.0.0.1:${port}`).send({ to: 'bob@example.com', subject: 'x', text: 'x' }),
  ).rejects.toThrow('the server takes no mail');
  expect(mails).toEqual([]);
  await new Promise<void>((resolve) => server.close(resolve));
});

test('Closing the mailer ends the connection to a silent server', async () => {
  const silent = createServer((socket) => socket.on('error', () => undefined));
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const mailer = mailerFor(`smtp://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  const connected = once(silent, 'connection');
  const sending = mailer.send({ to: 'bob@example.com', subject: 'x', text: 'x' });
  const refused = expect(sending).rejects.toMatchObject({
    name: 'MailServerDown',
    cause: { code: 'EABORT' },
  });
  await connected;
  mailer.close();
  await refused;
  await new Promise((resolve) => silent.close(resolve));
});
