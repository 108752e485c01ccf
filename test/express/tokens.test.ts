// Runs docs/tokens.md: a login over two tokens, without a session.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Request } from 'express';
import { Authenticator } from 'passport';
import { Strategy } from 'passport-strategy';
import { BackupCodes, MemoryStore } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import { recipesOf, runRecipe } from '../helpers/recipes';
import { WRONG } from '../helpers/service';

/** A token library in two functions, good enough for a test. */
const tokens = {
  sign: (claims: object, { seconds }: { seconds: number }): string => {
    const body = Buffer.from(
      JSON.stringify({ ...claims, exp: Date.now() + 1000 * seconds }),
    ).toString('base64url');
    return `${body}.${createHmac('sha256', 'key').update(body).digest('base64url')}`;
  },
  verify: (token: string): object | null => {
    const [body = '', mac] = token.split('.');
    if (mac !== createHmac('sha256', 'key').update(body).digest('base64url')) return null;
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as { exp: number };
    return claims.exp > Date.now() ? claims : null;
  },
};

class Password extends Strategy {
  override authenticate(req: Request): void {
    const { password } = req.body as { password?: string };
    if (password === 'correct horse') this.success({ id: 'ada' });
    else this.fail(401);
  }
}

const backupCodes = new BackupCodes({ store: new MemoryStore(), hasher: countingHasher() });
let server: Server;
let codes: string[];

beforeAll(async () => {
  const passport = new Authenticator();
  passport.use('local', new Password());
  const app = express().use(express.json());
  const users = { byId: (id: string) => (id === 'ada' ? { id } : null) };
  await runRecipe(recipesOf('docs/tokens.md').get('tokens')!, {
    app,
    passport,
    tokens,
    backupCodes,
    users,
  });
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());
beforeEach(async () => {
  ({ codes } = await backupCodes.issue('ada'));
});

async function ask(
  method: 'GET' | 'POST',
  path: string,
  { token, body = {} }: { token?: string | undefined; body?: object } = {},
): Promise<{ status: number; headers: Headers; body: Record<string, string> }> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const response = await fetch(url, {
    method,
    headers,
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {},
  };
}

async function logIn(): Promise<{ pending: string | undefined; access: string | undefined }> {
  const { pending } = (await ask('POST', '/login', { body: { password: 'correct horse' } })).body;
  const { access } = (
    await ask('POST', '/login/backup-code', { token: pending, body: { code: codes[0] } })
  ).body;
  return { pending, access };
}

it('a password and a backup code log the user in without a session', async () => {
  const { access } = await logIn();
  const answer = await ask('GET', '/orders', { token: access });
  expect(answer).toMatchObject({ status: 200, body: { of: 'ada' } });
  expect(answer.headers.has('set-cookie')).toBe(false);
  const fresh = await ask('POST', '/account/backup-codes', { token: access });
  expect(fresh.body['codes']).toHaveLength(10);
  expect(fresh.headers.get('cache-control')).toBe('no-store');
});

it('a pending token, a forged token or no token opens nothing', async () => {
  const { pending } = await logIn();
  const forged = Buffer.from(
    JSON.stringify({ use: 'access', sub: 'ada', methods: ['pwd', 'otp'], auth_time: 1, exp: 9e15 }),
  ).toString('base64url');
  for (const token of [pending, `${forged}.AAAA`, undefined]) {
    const { status, headers } = await ask('GET', '/orders', { token });
    expect([status, headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('insufficient_user_authentication'),
    ]);
  }
});

it('a code needs a pending token, and an invalid or used code is refused', async () => {
  const { access, pending } = await logIn();
  for (const token of [access, undefined])
    expect(
      (await ask('POST', '/login/backup-code', { token, body: { code: codes[1] } })).status,
    ).toBe(401);
  for (const code of [WRONG, codes[0]])
    expect(
      (await ask('POST', '/login/backup-code', { token: pending, body: { code } })).status,
    ).toBe(401);
  expect(await backupCodes.status('ada')).toMatchObject({ remaining: 9 });
});

it('an old token is asked for newer factors on a page that needs fresh ones', async () => {
  const access = tokens.sign(
    {
      use: 'access',
      sub: 'ada',
      methods: ['pwd', 'backup-code'],
      auth_time: Math.floor(Date.now() / 1000) - 301,
    },
    { seconds: 3600 },
  );
  expect((await ask('GET', '/orders', { token: access })).status).toBe(200);
  const { status, headers } = await ask('POST', '/account/backup-codes', { token: access });
  expect([status, headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('max_age="300"'),
  ]);
});
