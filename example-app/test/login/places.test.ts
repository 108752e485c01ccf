// A backup code from a new place is not checked until the owner follows a mailed link.
import { MailServer, type ReceivedMail } from '../helpers/mail-server';
import { type Service, startService } from '../helpers/service';
import { enroll, errorIn, givePassword, signUp, type Visitor } from '../helpers/visitor';

let service: Service;

beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.stop());

const FIREFOX = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
};

/** The links in all mail so far, newest first. */
async function links(visitor: Visitor): Promise<string[]> {
  const { text } = await visitor.get('/outbox');
  return [...text.matchAll(/\/login\/place\/[\w-]{43}/g)].map(([path]) => path);
}

async function fromFirefox(username = 'ada'): Promise<Visitor> {
  const visitor = await givePassword(service, username);
  Object.assign(visitor.headers, FIREFOX);
  return visitor;
}

it('A code from a new place is not used up, and works after the link is followed', async () => {
  const { codes, userId } = await enroll(service);
  const visitor = await fromFirefox();
  const refused = await visitor.submit('/login/backup-code', { code: codes[0]! });
  expect(refused.status).toBe(403);
  expect(errorIn(refused.text)).toMatch(/mailed you a link/);
  expect(await visitor.isLoggedIn()).toBe(false);
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 10 });

  const [link] = await links(visitor);
  const page = await visitor.get(link!);
  expect(page.status).toBe(200);
  expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(403);
  expect((await visitor.submit(link!, {})).status).toBe(200);
  expect(await visitor.submit('/login/backup-code', { code: codes[0]! })).toMatchObject({
    status: 303,
    location: '/account',
  });
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });
});

it('The link works on any machine, once, and only for the place that requested it', async () => {
  const { codes, visitor: owner } = await enroll(service);
  const thief = await givePassword(service);
  Object.assign(thief.headers, {
    'user-agent': 'Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36',
  });
  await thief.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  const visitor = await fromFirefox();
  await visitor.submit('/login/backup-code', { code: codes[0]! });
  const [link] = await links(owner);
  expect((await owner.submit(link!, {})).status).toBe(200);
  expect((await owner.submit('/account', {}, link)).status).toBe(404);
  expect((await thief.submit('/login/backup-code', { code: codes[0]! })).status).toBe(403);
  expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(303);
});

it('Only one link is mailed in 15 minutes, and it expires after that time', async () => {
  const { codes, visitor: owner } = await enroll(service);
  const visitor = await fromFirefox();
  for (let time = 0; time < 3; time += 1)
    await visitor.submit('/login/backup-code', { code: codes[0]! });
  const [first, ...others] = await links(owner);
  expect(others).toEqual([]);
  service.forward(15 * 60);
  expect((await owner.get(first!)).status).toBe(404);
  await (await fromFirefox()).submit('/login/backup-code', { code: codes[0]! });
  expect(await links(owner)).toHaveLength(2);
});

it('An invented link does not work', async () => {
  const visitor = await signUp(service);
  for (const token of ['x', 'A'.repeat(43), '%00'])
    expect((await visitor.get(`/login/place/${token}`)).status).toBe(404);
});

it('A place is identified by network and browser name, not by address and version', async () => {
  const { codes, newTotp } = await enroll(service);
  const visitor = await fromFirefox();
  expect((await visitor.submit('/login/second-factor', { code: newTotp() })).status).toBe(303);
  const later = await givePassword(service);
  Object.assign(later.headers, { 'user-agent': FIREFOX['user-agent'].replaceAll('130', '151') });
  expect((await later.submit('/login/backup-code', { code: codes[0]! })).status).toBe(303);
});

it.each([
  ['2001:db8:0:0:1:2:3:4', '2001:db8:0:1::5', true],
  ['2001:db8:7::1', '2001:db8:7:ffff::1', true],
  ['2001:db8:7::1', '2001:db8:8::1', false],
  ['::1:2:3:4', '2001:db8::1', false],
  ['192.0.2.7', '::ffff:192.0.2.99', true],
  ['192.0.2.7', '192.0.3.7', false],
])('%s and %s are the same place: %p', async (one, other, isSame) => {
  const proxied = await startService({ TRUST_PROXY: '1' });
  try {
    const from = async (ip: string, path: string, code: string): Promise<number> => {
      const visitor = await givePassword(proxied);
      visitor.headers['x-forwarded-for'] = ip;
      return (await visitor.submit(path, { code })).status;
    };
    const { codes, newTotp } = await enroll(proxied);
    expect(await from(one, '/login/second-factor', newTotp())).toBe(303);
    expect(await from(other, '/login/backup-code', codes[0]!)).toBe(isSame ? 303 : 403);
  } finally {
    await proxied.stop();
  }
});

it('If one address refuses mail, the link still goes to the others', async () => {
  const mailServer = await MailServer.start();
  const mailed = await startService({ SMTP_URL: mailServer.url, MAIL_FROM: 'codes@example.com' });
  try {
    const { codes, visitor: owner } = await enroll(mailed);
    expect((await owner.submit('/account/emails', { email: 'ada@home.example' })).status).toBe(303);
    mailServer.refused.add('ada@example.com');
    const visitor = await givePassword(mailed);
    Object.assign(visitor.headers, FIREFOX);
    expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(403);
    const isLink = ({ text }: ReceivedMail): boolean => text.includes('/login/place/');
    expect(mailServer.mails.filter(isLink).map(({ to }) => to)).toEqual(['ada@home.example']);
    // If no address accepts the mail, the next attempt sends another link.
    mailServer.refused.add('ada@home.example');
    visitor.headers['user-agent'] = 'Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36';
    expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(500);
    mailServer.refused.clear();
    expect((await visitor.submit('/login/backup-code', { code: codes[0]! })).status).toBe(403);
    expect(mailServer.mails.filter(isLink)).toHaveLength(3);
  } finally {
    await mailed.stop();
    await mailServer.stop();
  }
});
