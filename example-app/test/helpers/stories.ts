// What users do, as steps that run against any service: one process or several, on any database.
import { setTimeout as wait } from 'node:timers/promises';
import {
  type Answer,
  codesIn,
  errorIn,
  givePassword,
  keepCodes,
  PASSWORD,
  secretIn,
  type Site,
  signUp,
  tokenIn,
  totpAt,
  turnOnTotp,
  Visitor,
} from './visitor';

/**
 * Signs up, turns on an authenticator app, sees ten codes once, loses the phone, and logs in with a
 * code that never works again. Returns the ten codes.
 */
export async function playStory(site: Site, username: string): Promise<string[]> {
  const ada = await signUp(site, username);
  expect((await ada.get('/account')).text).toContain('Set up an authenticator app');

  const setUp = await ada.get('/account/totp');
  expect(setUp.text).toContain('src="data:image/svg+xml;base64,');
  const secret = secretIn(setUp.text);
  expect((await ada.submit('/account/totp', { code: '000000' })).status).toBe(400);
  expect(secretIn((await ada.get('/account/totp')).text)).toBe(secret);

  const shown = await ada.submit('/account/totp', { code: totpAt(secret, site.now()) });
  const codes = codesIn(shown.text);
  expect(shown.status).toBe(200);
  expect(shown.headers.get('cache-control')).toBe('no-store');
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^[A-HJ-NP-Z2-9]{4}-[A-HJ-NP-Z2-9]{4}$/);
  expect(shown.text).toContain('I have saved these codes');
  // Codes that were never saved do not work, so the account page asks for new ones.
  expect((await ada.get('/account')).status).toBe(303);
  await keepCodes(ada, shown);
  for (const page of ['/account', '/account/security', '/account/totp']) {
    const { text } = await ada.get(page);
    expect(codes.filter((code) => text.includes(code))).toEqual([]);
  }

  expect(await ada.submit('/account', {}, '/logout')).toMatchObject({
    status: 303,
    location: '/login',
  });
  expect(await ada.isLoggedIn()).toBe(false);

  expect(
    await ada.submit('/login', { username: ` ${username.toUpperCase()} `, password: PASSWORD }),
  ).toMatchObject({ status: 303, location: '/login/second-factor' });
  expect(await ada.isLoggedIn()).toBe(false);
  expect((await ada.get('/login/second-factor')).text).toContain(
    '<a href="/login/backup-code">Use a backup code instead</a>',
  );

  const typed = codes[3]!.toLowerCase().replace('-', ' ');
  expect(await ada.submit('/login/backup-code', { code: typed })).toMatchObject({
    status: 303,
    location: '/account',
  });
  const { text } = await ada.get('/account');
  expect(text).toContain('9 of 10 are left');
  expect((await ada.get('/account')).text).not.toContain('You used a backup code');

  const thief = await givePassword(site, username);
  const invalid = await thief.submit('/login/backup-code', { code: 'AAAA-AAAA' });
  const reused = await thief.submit('/login/backup-code', { code: codes[3]! });
  expect([invalid.status, reused.status]).toEqual([401, 401]);
  expect(errorIn(reused.text)).toBe(errorIn(invalid.text));
  expect(await thief.isLoggedIn()).toBe(false);
  return codes;
}

/**
 * Several browsers that gave the password, each in its own session, send one code at once. Exactly
 * one is logged in.
 */
export async function raceWithOneCode(
  site: Site,
  { username, code, browsers }: { username: string; code: string; browsers: number },
): Promise<void> {
  const visitors = await Promise.all(
    Array.from({ length: browsers }, () => givePassword(site, username)),
  );
  const tokens = await Promise.all(
    visitors.map(async (visitor) => tokenIn((await visitor.get('/login/backup-code')).text)),
  );
  const answers = await Promise.all(
    visitors.map((visitor, index) =>
      visitor.post('/login/backup-code', { _csrf: tokens[index]!, code }),
    ),
  );

  const isIn = await Promise.all(visitors.map((visitor) => visitor.isLoggedIn()));
  expect(isIn.filter(Boolean)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  const refused = answers.filter(({ status }) => status !== 303);
  for (const { status } of refused) expect([401, 429]).toContain(status);
  for (const { text } of refused.filter(({ status }) => status === 401))
    expect(errorIn(text)).toBe('That backup code is not valid. Please try another one.');
}

/**
 * A user makes new codes. When they are saved the old ones stop working and a new one logs in.
 * Returns the nine codes that are left.
 */
export async function replaceCodes(site: Site, username: string): Promise<string[]> {
  const visitor = await signUp(site, username);
  const { codes } = await turnOnTotp(visitor);
  const shown = await visitor.submit('/account/security', {}, '/account/security/codes');
  expect(shown.headers.get('cache-control')).toBe('no-store');
  const newCodes = await keepCodes(visitor, shown);
  const other = await givePassword(site, username);
  expect((await other.submit('/login/backup-code', { code: codes[0]! })).status).toBe(401);
  expect(await other.submit('/login/backup-code', { code: newCodes[0]! })).toMatchObject({
    status: 303,
    location: '/account',
  });
  expect((await other.get('/account')).text).toContain('9 of 10 are left');
  return newCodes.slice(1);
}

/** Drops the response to the first click, as browsers do, and returns the second one's. */
export async function doubleClick(
  visitor: Visitor,
  path: string,
  fields: Record<string, string>,
): Promise<Answer> {
  const dropped = new AbortController();
  const body = (): URLSearchParams => new URLSearchParams(fields);
  const first = visitor.copy().send(path, { method: 'POST', body: body(), signal: dropped.signal });
  await wait(15);
  dropped.abort();
  await expect(first).rejects.toThrow('aborted');
  return visitor.send(path, { method: 'POST', body: body() });
}
