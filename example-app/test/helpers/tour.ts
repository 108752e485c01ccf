// Visits every page in every state, in a real browser. Checks nothing itself.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Service } from './service';
import { addKey, SoftKey } from './soft-key';
import { codesIn, PASSWORD, secretIn, tokenIn, totpAt, Visitor } from './visitor';

/** Called at each stop. */
export type Visit = (name: string, page: Page) => Promise<void>;

const ORIGIN = 'https://codes.example.com';
/** The environment of the service. */
export const TOUR_ENV = { ADMINS: 'root, second', PUBLIC_URL: ORIGIN };

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const DAY_SECONDS = 86_400;
/**
 * The place that users without a browser sign up from. Otherwise their codes would not be checked.
 */
const HOME = { ip: '127.0.0.1', userAgent: 'node' };

/** The tour starts with a service without users. */
export interface Tour {
  readonly browser: Browser;
  readonly service: Service;
  readonly see: Visit;
  /** Called for each tab that is opened. */
  readonly onTab?: (page: Page) => void;
}

export async function takeTour({
  browser,
  service,
  see,
  onTab = () => undefined,
}: Tour): Promise<void> {
  const openTab = async (options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> => {
    const context = await browser.newContext({ baseURL: service.url, ...options });
    const page = await context.newPage();
    onTab(page);
    return page;
  };
  await livePastMonth(service);
  const ada = await openTab();
  const { codes, secret } = await signUpAndEnroll(ada, { service, see });
  await loseThePhone(ada, { service, see, codes });
  await stepUp(ada, { service, see, secret });
  await changeAddresses(ada, { service, see });
  await comeFromSomewhereNew(await openTab({ userAgent: FIREFOX }), {
    see,
    code: codes[9]!,
    mailbox: await openTab(),
  });
  await useSecurityKey(await openTab(), { service, see });
  await administer(await openTab({ userAgent: HOME.userAgent }), {
    service,
    see,
    other: await openTab({ userAgent: HOME.userAgent }),
  });
}

interface Trip {
  readonly service: Service;
  readonly see: Visit;
}

async function signUpAndEnroll(
  page: Page,
  { service, see }: Trip,
): Promise<{ codes: string[]; secret: string }> {
  await page.goto('/');
  await see('log-in', page);
  await fill(page, { Username: 'ada', Password: 'not this one' });
  await press(page, 'Log in');
  await see('log-in-refused', page);
  await page.goto('/help');
  await see('help', page);
  await page.goto('/nowhere');
  await see('not-found', page);
  await page.goto('/signup');
  await see('sign-up', page);
  await fill(page, { Username: 'ada', Email: 'ada@example.com', Password: 'short' });
  await press(page, 'Sign up');
  await see('sign-up-refused', page);
  await fill(page, { Password: PASSWORD });
  await press(page, 'Sign up');
  await see('account-password-alone', page);
  await page.goto('/account/security');
  await see('security-password-alone', page);
  await page.goto('/account/totp');
  await see('authenticator-app', page);
  const secret = (await page.locator('code.secret').innerText()).replaceAll(' ', '');
  await fill(page, { Code: '000000' });
  await press(page, 'Confirm');
  await see('authenticator-app-refused', page);
  await fill(page, { Code: totpAt(secret, service.now()) });
  await press(page, 'Confirm');
  await see('codes', page);
  const codes = await page.locator('.codes code').allInnerTexts();
  await page.getByLabel('I have saved these codes').check();
  await press(page, 'Turn on these codes');
  await see('account', page);
  return { codes, secret };
}

async function loseThePhone(
  page: Page,
  { service, see, codes }: Trip & { codes: string[] },
): Promise<void> {
  await press(page, 'Log out');
  await fill(page, { Username: 'ada', Password: PASSWORD });
  await press(page, 'Log in');
  await see('second-factor', page);
  await page.getByRole('link', { name: 'Use a backup code instead' }).click();
  await see('backup-code', page);
  await enterBackupCode(page, 'ABCD');
  await see('backup-code-malformed', page);
  for (let attempt = 0; attempt < 6; attempt += 1) await enterBackupCode(page, 'AAAA-AAAA');
  await see('backup-code-wait', page);
  service.forward(61);
  await enterBackupCode(page, codes[0]!);
  await see('account-after-backup-code', page);
  const { userId } = service.events.at(-1)!;
  const here = { ip: '127.0.0.1', userAgent: await page.evaluate(() => navigator.userAgent) };
  for (const code of codes.slice(1, 7)) await service.backupCodes.consume(userId!, code, here);
  await page.goto('/account');
  await see('account-few-codes', page);
  await page.goto('/account/security');
  await see('security', page);
  await press(page, 'Make new backup codes');
  await service.backupCodes.stage(userId!);
  await page.getByLabel('I have saved these codes').check();
  await press(page, 'Turn on these codes');
  await see('codes-too-late', page);
}

async function stepUp(
  page: Page,
  { service, see, secret }: Trip & { secret: string },
): Promise<void> {
  await page.goto('/account/security');
  service.forward(301);
  await press(page, 'Make new backup codes');
  await see('step-up', page);
  await page.goto('/login/step-up/backup-code');
  await see('step-up-backup-code', page);
  await page.goto('/login/step-up');
  await fill(page, { Code: totpAt(secret, service.now()) });
  await press(page, 'Continue');
  await page.goto('/account/security-keys');
  await see('security-keys', page);
}

async function changeAddresses(page: Page, { see }: Trip): Promise<void> {
  await page.goto('/account/emails');
  await fill(page, {
    'Another email address': 'ada-has-a-rather-long-name@mail.department.university.example',
  });
  await press(page, 'Add');
  await see('emails', page);
  await press(page, 'Remove ada@example.com');
  await page.getByRole('button', { name: /^Remove ada-has/ }).click();
  await see('emails-refused', page);
}

async function comeFromSomewhereNew(
  page: Page,
  { see, code, mailbox }: { see: Visit; code: string; mailbox: Page },
): Promise<void> {
  await page.goto('/login');
  await fill(page, { Username: 'ada', Password: PASSWORD });
  await press(page, 'Log in');
  await page.getByRole('link', { name: 'Use a backup code instead' }).click();
  await enterBackupCode(page, code);
  await see('backup-code-mailed', page);
  await mailbox.goto('/outbox');
  await see('outbox', mailbox);
  const [, link] = /(\/login\/place\/[\w-]+)/.exec(await mailbox.locator('body').innerText())!;
  await mailbox.goto(link!);
  await see('confirm-place', mailbox);
  await press(mailbox, 'Yes, it is me');
  await see('place-confirmed', mailbox);
  await mailbox.goto(link!);
  await see('place-link-used', mailbox);
}

/** Only the pages matter here, so the key is simulated. */
async function useSecurityKey(page: Page, { service, see }: Trip): Promise<void> {
  const { visitor } = await enrollBySending(service, 'kim');
  await addKey(visitor, new SoftKey(ORIGIN));
  await carryOver(visitor, page.context(), service);
  await page.goto('/account/security-keys');
  await see('security-keys-one', page);
  await page.context().clearCookies();
  await page.goto('/login');
  await fill(page, { Username: 'kim', Password: PASSWORD });
  await press(page, 'Log in');
  await see('second-factor-either', page);
}

async function administer(
  page: Page,
  { service, see, other }: Trip & { other: Page },
): Promise<void> {
  const { visitor: root, codes } = await enrollBySending(service, 'root');
  await carryOver(root, page.context(), service);
  await page.goto('/admin');
  await see('admin', page);
  await page.getByText('The numbers').click();
  await see('admin-numbers', page);
  await page.goto('/admin?show=attacked#accounts');
  await see('admin-under-attack', page);
  await page.goto('/admin?show=expired');
  await see('admin-no-accounts', page);
  await page.goto('/admin?show=low');
  await page.locator('tbody a').first().click();
  await see('admin-user', page);
  await page.getByRole('button', { name: /^End these codes/ }).click();
  await see('admin-user-ended', page);
  const { visitor, codes: othersCodes } = await enrollBySending(service, 'second');
  await carryOver(visitor, other.context(), service);
  await openVault(page, { see, other, codes: [codes[0]!, othersCodes[0]!] });
}

/** This takes two administrators. */
async function openVault(
  page: Page,
  { see, other, codes: [code, othersCode] }: { see: Visit; other: Page; codes: [string, string] },
): Promise<void> {
  await page.goto('/vault');
  await fill(page, { Content: 'the combination is 12-7-33' });
  await press(page, 'Store in the vault');
  await see('vault', page);
  await fill(page, { Reason: 'the yearly audit', 'Your backup code': 'AAAA-AAAA' });
  await press(page, 'Request');
  await see('vault-refused', page);
  await fill(page, { 'Your backup code': code });
  await press(page, 'Request');
  await see('vault-request', page);
  await other.goto(page.url());
  await see('vault-request-of-another', other);
  await fill(other, { 'Your backup code': othersCode });
  await press(other, 'Approve');
  await see('vault-request-approved', other);
  await press(other, 'Run it now');
  await see('vault-opened', other);
}

/**
 * A month of a small service: users sign up, use codes and mistype them. In one night someone
 * guesses the codes of another user.
 */
async function livePastMonth(service: Service): Promise<void> {
  service.forward(-30 * DAY_SECONDS);
  const names = [
    'bela',
    'chidi',
    'dora',
    'emre',
    'farah',
    'goran',
    'hana',
    'ines',
    'jun',
    'kofi',
    'lena',
    'mateo',
  ];
  const people: { userId: string; codes: string[] }[] = [];
  for (let day = 0; day < 30; day += 1) {
    const name = day % 2 === 0 ? names[day / 2] : undefined;
    if (name !== undefined) people.push(await enrollAndFind(service, name));
    else if (day % 7 === 3) await register(service, `visitor-${day}`);
    const [one, other] = [people[day % people.length]!, people[(day * 5) % people.length]!];
    for (const code of one.codes.splice(0, day % 4))
      await service.backupCodes.consume(one.userId, code, HOME);
    for (let slip = 0; slip < day % 3; slip += 1)
      await service.backupCodes.consume(other.userId, 'AAAA-AAAA', HOME);
    if (day === 22)
      for (let guess = 0; guess < 12; guess += 1)
        await service.backupCodes.consume(people[3]!.userId, 'BBBB-BBBB', {
          ip: `127.0.0.${guess % 3}`,
        });
    service.forward(DAY_SECONDS);
  }
}

async function enrollAndFind(
  service: Service,
  username: string,
): Promise<{ userId: string; codes: string[] }> {
  const { codes } = await enrollBySending(service, username);
  const { userId } = (
    await service.backupCodes.audit.events({
      types: ['activated'],
      order: 'newest-first',
      limit: 1,
    })
  ).events[0]!;
  return { userId: userId!, codes };
}

/** Without a browser: signs up, turns on an authenticator app and saves the codes. */
export async function enrollBySending(
  service: Service,
  username: string,
): Promise<{ visitor: Visitor; codes: string[] }> {
  const visitor = await register(service, username);
  const secret = secretIn((await visitor.get('/account/totp')).text);
  const { text } = await visitor.submit('/account/totp', { code: totpAt(secret, service.now()) });
  const codes = codesIn(text);
  if (codes.length !== 10) throw new Error(`${username} was shown no codes.`);
  await visitor.post('/account/codes/activate', { _csrf: tokenIn(text), setId: setIdIn(text) });
  // Shows the one-time notice, so that it does not appear later.
  await visitor.get('/account');
  return { visitor, codes };
}

async function register(service: Service, username: string): Promise<Visitor> {
  const visitor = new Visitor(service);
  await visitor.submit('/signup', {
    username,
    email: `${username}@example.com`,
    password: PASSWORD,
  });
  return visitor;
}

export function setIdIn(html: string): string {
  return /name="setId" value="([^"]+)"/.exec(html)![1]!;
}

/** Continues the visitor's session in a browser. */
export async function carryOver(
  visitor: Visitor,
  context: BrowserContext,
  service: Service,
): Promise<void> {
  await context.addCookies(
    [...visitor.cookies].map(([name, value]) => ({ name, value, url: service.url })),
  );
}

async function enterBackupCode(page: Page, code: string): Promise<void> {
  await fill(page, { 'Backup code': code });
  await press(page, 'Continue');
}

async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields))
    await page.getByLabel(label, { exact: true }).fill(value);
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).click();
}
