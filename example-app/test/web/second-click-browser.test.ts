// A double click on the button of every form, in a real browser, leads to the same page as one
// click. It creates no second code, address or account.
import { setTimeout as wait } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { LocalFormsInProgress } from '../../src/web/forms-in-progress';
import { describeInBrowser, launchChromium } from '../helpers/chromium';
import { listRoutes } from '../helpers/routes';
import { type Service, startService } from '../helpers/service';
import { addKey, SoftKey } from '../helpers/soft-key';
import { carryOver } from '../helpers/tour';
import { until } from '../helpers/until';
import {
  type Enrolled,
  enroll,
  givePassword,
  PASSWORD,
  secretIn,
  signUp,
  tokenIn,
  totpAt,
  type Visitor,
} from '../helpers/visitor';

jest.setTimeout(120_000);

/** Longer than two clicks take on a busy machine. */
const HOLD_MS = 400;
const ORIGIN = 'https://codes.example.com';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';

/** A script sends these forms once, and ignores clicks until the security key has answered. */
const SENT_BY_SCRIPT = [
  '/account/security-keys',
  '/login/security-key',
  '/login/step-up/security-key',
];

describeInBrowser('A double click leads to the same page as one click', checkDoubleClicks);

/** The state before the click. */
interface Scene {
  /** The visitor whose session the browser has. Without one there is no session. */
  readonly visitor?: Visitor;
  readonly start: string;
  /** Values by label. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly button: string | RegExp;
  /** Must be the same after one click and after two. */
  readonly outcome?: () => Promise<unknown>;
}

function checkDoubleClicks(): void {
  let service: Service;
  let browser: Browser;
  let page: Page;

  /** By the route of the form. */
  const scenes: Readonly<Record<string, (name: string) => Promise<Scene>>> = {
    '/signup': async (name) => ({
      start: '/signup',
      fields: { Username: name, Email: `${name}@example.com`, Password: PASSWORD },
      button: 'Sign up',
    }),
    '/login': async (name) => {
      await signUp(service, name);
      return { start: '/login', fields: { Username: name, Password: PASSWORD }, button: 'Log in' };
    },
    '/logout': async (name) => ({
      visitor: await signUp(service, name),
      start: '/account',
      button: 'Log out',
    }),
    '/login/second-factor': async (name) => {
      const { newTotp } = await enroll(service, name);
      return {
        visitor: await givePassword(service, name),
        start: '/login/second-factor',
        fields: { Code: newTotp() },
        button: 'Continue',
      };
    },
    '/login/backup-code': async (name) => {
      const person = await enroll(service, name);
      return {
        visitor: await givePassword(service, name),
        start: '/login/backup-code',
        fields: { 'Backup code': person.codes[0]! },
        button: 'Continue',
        outcome: () => countCodes(person),
      };
    },
    '/login/step-up': async (name) => {
      const { visitor, newTotp } = await enroll(service, name);
      return { visitor, start: '/login/step-up', fields: { Code: newTotp() }, button: 'Continue' };
    },
    '/login/step-up/backup-code': async (name) => {
      const person = await enroll(service, name);
      return {
        visitor: person.visitor,
        start: '/login/step-up/backup-code',
        fields: { 'Backup code': person.codes[0]! },
        button: 'Continue',
        outcome: () => countCodes(person),
      };
    },
    '/login/place/:token': async (name) => {
      const { codes } = await enroll(service, name);
      const elsewhere = await givePassword(service, name);
      elsewhere.headers['user-agent'] = FIREFOX;
      await elsewhere.submit('/login/backup-code', { code: codes[0]! });
      const [, link] = /(\/login\/place\/[\w-]+)/.exec((await elsewhere.get('/outbox')).text)!;
      return { start: link!, button: 'Yes, it is me' };
    },
    '/account/totp': async (name) => {
      const visitor = await signUp(service, name);
      const code = totpAt(secretIn((await visitor.get('/account/totp')).text), service.now());
      return { visitor, start: '/account/totp', fields: { Code: code }, button: 'Confirm' };
    },
    '/account/totp/disable': async (name) => ({
      visitor: (await enroll(service, name)).visitor,
      start: '/account/security',
      button: 'Turn off',
    }),
    '/account/security/codes': async (name) => {
      const person = await enroll(service, name);
      return {
        visitor: person.visitor,
        start: '/account/security',
        button: 'Make new backup codes',
        outcome: () => countCodes(person),
      };
    },
    '/account/codes/activate': async (name) => {
      const person = await enroll(service, name);
      return {
        visitor: person.visitor,
        start: '/account/security',
        button: 'Turn on these codes',
        outcome: () => countCodes(person),
      };
    },
    '/account/emails': async (name) => {
      const visitor = await signUp(service, name);
      return {
        visitor,
        start: '/account/emails',
        fields: { 'Another email address': 'second@example.com' },
        button: 'Add',
        outcome: () => listAddresses(visitor),
      };
    },
    '/account/emails/remove': async (name) => {
      const visitor = await signUp(service, name);
      await visitor.submit('/account/emails', { email: 'second@example.com' });
      return {
        visitor,
        start: '/account/emails',
        button: 'Remove second@example.com',
        outcome: () => listAddresses(visitor),
      };
    },
    '/account/security-keys/rename': async (name) => ({
      visitor: await enrollWithKey(name),
      start: '/account/security-keys',
      fields: { Name: 'Red key' },
      button: 'Rename Blue key',
    }),
    '/account/security-keys/remove': async (name) => ({
      visitor: await enrollWithKey(name),
      start: '/account/security-keys',
      button: 'Remove Blue key',
    }),
    '/admin/users/:id/revoke': async (name) => {
      const person = await enroll(service, name);
      return {
        visitor: root.visitor,
        start: `/admin/users/${person.userId}`,
        button: /^End these codes/,
        outcome: () => service.backupCodes.status(person.userId),
      };
    },
    '/vault/text': async (name) => {
      await root.visitor.submit('/login/step-up', { code: root.newTotp() });
      return {
        visitor: root.visitor,
        start: '/vault',
        fields: { Content: name },
        button: 'Store in the vault',
      };
    },
    '/vault/requests': async (name) => {
      await enroll(service, name);
      const fields = {
        Action: 'reset-factors',
        'Account, if the action is about one': name,
        Reason: 'lost',
        'Your backup code': await newCode(root),
      };
      return {
        visitor: root.visitor,
        start: '/vault',
        fields,
        button: 'Request',
        outcome: () => countCodes(root),
      };
    },
    '/vault/requests/:id/approve': async (name) => {
      const start = await ask(name);
      return {
        visitor: second.visitor,
        start,
        fields: { 'Your backup code': await newCode(second) },
        button: 'Approve',
        outcome: () => countCodes(second),
      };
    },
    '/vault/requests/:id/deny': async (name) => ({
      visitor: second.visitor,
      start: await ask(name),
      button: 'Deny',
    }),
    '/vault/requests/:id/cancel': async (name) => ({
      visitor: root.visitor,
      start: await ask(name),
      button: 'Withdraw',
    }),
    '/vault/requests/:id/execute': async (name) => {
      const start = await ask(name);
      const { text } = await second.visitor.get(start);
      await second.visitor.post(`${start}/approve`, {
        _csrf: tokenIn(text),
        digest: /name="digest" value="([^"]+)"/.exec(text)![1]!,
        code: await newCode(second),
      });
      return { visitor: root.visitor, start, button: 'Run it now' };
    },
  };
  let root: Enrolled;
  let second: Enrolled;
  let holdMs = 0;

  beforeAll(async () => {
    // Slow enough for a second click while the first one is processed. At other times the forms are
    // not delayed.
    const forms = new LocalFormsInProgress();
    const slowForms = {
      begin: async (form: string) => forms.begin(form).finally(() => wait(holdMs)),
      end: forms.end.bind(forms),
    };
    [browser, service] = await Promise.all([
      launchChromium(),
      startService({ ADMINS: 'root, second', PUBLIC_URL: ORIGIN }, { forms: slowForms }),
    ]);
    [root, second] = [await enroll(service, 'root'), await enroll(service, 'second')];
    // The same user agent as fetch, so that backup codes come from a known place.
    page = await (await browser.newContext({ baseURL: service.url, userAgent: 'node' })).newPage();
    page.setDefaultTimeout(10_000);
  });
  afterEach(() => expect(service.faults).toEqual([]));
  afterAll(async () => {
    // Undefined if beforeAll failed. The report should then show that failure.
    await (browser as Browser | undefined)?.close();
    await (service as Service | undefined)?.stop();
  });

  async function countCodes({ userId }: Enrolled): Promise<unknown> {
    const status = await service.backupCodes.status(userId);
    return [status?.remaining, status?.total];
  }

  /** A code of a new set. It is the only one that is used. */
  async function newCode({ userId }: Enrolled): Promise<string> {
    return (await service.backupCodes.issue(userId)).codes[0]!;
  }

  /** Requests an action about a new user, and returns the page of the request. */
  async function ask(name: string): Promise<string> {
    await enroll(service, name);
    const { location } = await root.visitor.submit(
      '/vault',
      { action: 'reset-factors', username: name, reason: 'lost', code: await newCode(root) },
      '/vault/requests',
    );
    return location!;
  }

  async function listAddresses(visitor: Visitor): Promise<string[]> {
    return [...(await visitor.get('/account/emails')).text.matchAll(/<span>([^<]+)<\/span>/g)].map(
      ([, email]) => email!.replace(/^.*-(once|twice)@/, '@'),
    );
  }

  async function enrollWithKey(name: string): Promise<Visitor> {
    const { visitor } = await enroll(service, name);
    await addKey(visitor, new SoftKey(ORIGIN));
    return visitor;
  }

  /** The page after the click and its messages, without the user's name. */
  async function clickAndInspect(route: string, name: string): Promise<unknown> {
    const {
      visitor,
      start,
      fields = {},
      button,
      outcome = () => Promise.resolve(null),
    } = await scenes[route]!(name);
    await page.context().clearCookies();
    if (visitor !== undefined) await carryOver(visitor, page.context(), service);
    await page.goto(start);
    if (route === '/account/codes/activate') {
      await page.getByRole('button', { name: 'Make new backup codes' }).click();
      await page.getByLabel('I have saved these codes').check();
    }
    for (const [label, value] of Object.entries(fields)) await enter(page, label, value);
    await page.evaluate(() => document.documentElement.setAttribute('data-before', ''));
    const target = page.getByRole('button', { name: button, exact: true });
    if (name.endsWith('-twice')) {
      holdMs = HOLD_MS;
      await target.dblclick({ delay: 40 });
    } else {
      await target.click();
    }
    await until(() => hasNextPage(page));
    holdMs = 0;
    const result = {
      path: new URL(page.url()).pathname.replace(/[\w-]{32,}/, '…'),
      heading: await page.getByRole('heading', { level: 1 }).innerText(),
      messages: (
        await page.locator('main [role=status], main [role=alert]:visible').allInnerTexts()
      ).map((text) => text.replaceAll(name, '…')),
      codes: await page.locator('ol.codes > li').count(),
      outcome: await outcome(),
    };
    return { ...result, heading: result.heading.replaceAll(name, '…') };
  }

  test('Every form of the app has a scene in this test', () => {
    const forms = listRoutes(service)
      .filter(({ method }) => method === 'POST')
      .map(({ path }) => path);
    expect([...Object.keys(scenes), ...SENT_BY_SCRIPT].sort()).toEqual([...new Set(forms)].sort());
  });

  test.each(Object.keys(scenes))(
    'A double click on the form of %s leads to the same page as one click',
    async (route) => {
      const name = route.replace(/\W/g, '').slice(-20);
      const once = await clickAndInspect(route, `${name}-once`);
      expect(once).not.toMatchObject({ heading: 'This form is no longer valid' });
      expect(await clickAndInspect(route, `${name}-twice`)).toEqual(once);
    },
  );

  test('Each login by backup code used one code, and no code was refused', async () => {
    const byAdministrators = [root.userId, second.userId];
    expect(
      service.events.filter(
        ({ type, userId }) => type === 'consumed' && !byAdministrators.includes(userId!),
      ),
    ).toHaveLength(4);
    expect(service.events.filter(({ type }) => type === 'rejected')).toEqual([]);
  });
}

/** Fills the first field with this label. */
async function enter(page: Page, label: string, value: string): Promise<void> {
  const field = page.getByLabel(label, { exact: true }).first();
  if ((await field.evaluate((element) => element.tagName)) === 'SELECT')
    await field.selectOption(value);
  else await field.fill(value);
}

/** Whether the next page has loaded. While a page is loading it cannot be evaluated. */
async function hasNextPage(page: Page): Promise<boolean> {
  return page
    .evaluate(
      () =>
        document.readyState === 'complete' && !document.documentElement.hasAttribute('data-before'),
    )
    .catch(() => false);
}
