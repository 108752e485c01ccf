// Attempts are counted by address, and a forged X-Forwarded-For changes nothing unless a proxy is
// trusted.
import { type Service, startService } from '../helpers/service';
import { enroll, givePassword, tokenIn, Visitor } from '../helpers/visitor';

let service: Service;
afterEach(() => service.stop());

const tryToLogIn = async (
  address: string,
): Promise<{ status: number; retryAfter: string | null }> => {
  const visitor = new Visitor(service);
  visitor.headers['x-forwarded-for'] = address;
  const { text } = await visitor.get('/login');
  const { status, headers } = await visitor.post('/login', {
    _csrf: tokenIn(text),
    username: 'unknown',
    password: 'wrong',
  });
  return { status, retryAfter: headers.get('retry-after') };
};

test('Many attempts from one address are stopped, even if they claim other addresses', async () => {
  service = await startService({ SIGN_IN_LIMIT: '3' });
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
    expect((await tryToLogIn(address)).status).toBe(401);
  expect(await tryToLogIn('192.0.2.4')).toEqual({
    status: 429,
    retryAfter: expect.stringMatching(/^\d+$/) as string,
  });
});

test('Behind a trusted proxy each client address has its own limit', async () => {
  service = await startService({ SIGN_IN_LIMIT: '3', TRUST_PROXY: '1' });
  for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2'])
    expect((await tryToLogIn(address)).status).toBe(401);
  expect((await tryToLogIn('192.0.2.1')).status).toBe(429);
  expect((await tryToLogIn('203.0.113.9, 192.0.2.1')).status).toBe(429);
});

test('The audit trail contains the address of the connection', async () => {
  service = await startService();
  await enroll(service);
  const visitor = await givePassword(service);
  visitor.headers['x-forwarded-for'] = '192.0.2.1';
  visitor.headers['user-agent'] = 'A browser';
  await visitor.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  expect(service.events.at(-1)).toMatchObject({
    type: 'rejected',
    reason: 'mismatch',
    context: { ip: '127.0.0.1', userAgent: 'A browser', channel: 'second_factor' },
  });
});
