// The whole story in a real browser without JavaScript. `npm run screenshots` and web/axe.test.ts
// check how the pages look.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { describeInBrowser, goBack, launchChromium } from './helpers/chromium';
import { type Service, startService } from './helpers/service';
import { until } from './helpers/until';
import { PASSWORD, totpAt } from './helpers/visitor';

describeInBrowser('The story in a browser without JavaScript', playStory);

function playStory(): void {
  let service: Service;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let codes: string[];
  let secret: string;

  beforeAll(async () => {
    browser = await launchChromium();
    service = await startService();
    context = await browser.newContext({ javaScriptEnabled: false });
    page = await context.newPage();
    page.on('console', (message) => service.faults.push(message.text()));
  });
  afterAll(async () => {
    // Undefined if beforeAll failed. The report should then show that failure.
    await (browser as Browser | undefined)?.close();
    await (service as Service | undefined)?.stop();
  });

  test('A user signs up', async () => {
    await page.goto(service.url);
    await page.getByRole('link', { name: 'Sign up' }).first().click();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password').fill('short');
    await page.getByRole('button', { name: 'Sign up' }).click();
    expect(await page.getByRole('alert').innerText()).toBe('Use at least 15 characters.');
    expect(await page.getByLabel('Username').inputValue()).toBe('ada');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign up' }).click();
    expect(new URL(page.url()).pathname).toBe('/account');
  });

  test('The user turns on an authenticator app and sees ten codes', async () => {
    await page.getByRole('link', { name: 'Set up an authenticator app' }).click();
    const qrCode = page.getByRole('img', { name: /QR code/ });
    expect(
      await qrCode.evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0),
    ).toBe(true);
    secret = (await page.locator('code.secret').innerText()).replaceAll(' ', '');
    await page.getByLabel('Code').fill(totpAt(secret, service.now()));
    await page.getByRole('button', { name: 'Confirm' }).click();
    codes = await page.getByRole('listitem').locator('code').allInnerTexts();
    expect(codes).toHaveLength(10);
    // These buttons need scripts, which are off.
    for (const name of ['Copy', 'Download', 'Print'])
      expect(await page.getByRole('button', { name }).count()).toBe(0);
  });

  test('Going back does not show the codes again', async () => {
    await page.getByLabel('I have saved these codes').check();
    await page.getByRole('button', { name: 'Turn on these codes' }).click();
    expect(new URL(page.url()).pathname).toBe('/account');
    // The codes were the response to a form and are not cached, so the browser cannot go back to
    // them.
    const shown = await goBack(page);
    expect(codes.filter((code) => shown.includes(code))).toEqual([]);
    await page.goto(`${service.url}/account`);
  });

  test('The user logs out and logs in with a backup code instead of the phone', async () => {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('link', { name: 'Use a backup code instead' }).click();
    await page.getByLabel('Backup code').fill('AAAA-AAAA');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Backup code').fill(codes[0]!.toLowerCase());
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(new URL(page.url()).pathname).toBe('/account');
    expect(await page.getByRole('status').innerText()).toBe(
      'You used a backup code. 9 of 10 are left.',
    );
  });

  test('After five minutes the user needs a fresh factor to make new codes', async () => {
    await page.getByRole('link', { name: 'Security', exact: true }).click();
    service.forward(301);
    await page.getByRole('button', { name: 'Make new backup codes' }).click();
    expect(new URL(page.url()).pathname).toBe('/login/step-up');
    await page.getByLabel('Code').fill(totpAt(secret, service.now()));
    await page.getByRole('button', { name: 'Continue' }).click();
    expect(new URL(page.url()).pathname).toBe('/account/security');
    await page.getByRole('button', { name: 'Make new backup codes' }).click();
    const newCodes = await page.getByRole('listitem').locator('code').allInnerTexts();
    expect(newCodes).toHaveLength(10);
    expect(newCodes.filter((code) => codes.includes(code))).toEqual([]);
  });

  test('The user adds an email address and removes the old one', async () => {
    await page.goto(`${service.url}/account/security`);
    await page.getByRole('link', { name: 'Your addresses' }).click();
    await page
      .getByLabel('Another email address')
      .fill('ada-has-a-rather-long-name@mail.department.university.example');
    await page.getByRole('button', { name: 'Add' }).click();
    expect(await page.getByRole('status').innerText()).toBe(
      'ada-has-a-rather-long-name@mail.department.university.example is one of your addresses.',
    );
    await page.getByRole('button', { name: 'Remove ada@example.com' }).click();
    await page.getByRole('button', { name: /^Remove ada-has/ }).click();
    expect(await page.getByRole('alert').innerText()).toBe(
      'This is your last address. Add another one before you remove it.',
    );
  });

  test('The outbox shows the mail that the user received', async () => {
    await until(async () => {
      await page.goto(`${service.url}/outbox`);
      return (
        (await page.getByRole('heading', { name: 'An email address was removed' }).count()) === 2
      );
    });
    expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(
      expect.arrayContaining(['New backup codes were made', 'A backup code was used']),
    );
  });

  test('A double click on the sign-up button does no harm', async () => {
    const other = await browser.newContext({ javaScriptEnabled: false });
    const tab = await other.newPage();
    await tab.goto(`${service.url}/signup`);
    await tab.getByLabel('Username').fill('bob');
    await tab.getByLabel('Email').fill('bob@example.com');
    await tab.getByLabel('Password').fill(PASSWORD);
    await tab.getByRole('button', { name: 'Sign up' }).dblclick();
    // waitForURL would fail on the navigation that the second click aborts.
    await tab.getByText('bob@example.com').waitFor();
    expect(new URL(tab.url()).pathname).toBe('/account');
    await other.close();
  });

  test('The browser and the service report no errors', () => {
    expect(
      service.faults.filter(
        (fault) =>
          !/Failed to load resource: the server responded with a status of 4\d\d/.test(
            String(fault),
          ),
      ),
    ).toEqual([]);
  });
}
