// The story once more in a real browser, without JavaScript. What its pages look like is for `npm
// run screenshots` and web/axe.test.ts.
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { describeInBrowser, goBack, launchChromium } from './helpers/chromium';
import { type Service, startService } from './helpers/service';
import { until } from './helpers/until';
import { PASSWORD, totpAt } from './helpers/visitor';

describeInBrowser('in a browser without JavaScript', playStory);

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
    // Undefined where beforeAll failed, which is then what the report should show.
    await (browser as Browser | undefined)?.close();
    await (service as Service | undefined)?.stop();
  });

  test('a person signs up', async () => {
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

  test('turns on an authenticator app, and is shown ten codes', async () => {
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
    // They are scripts', and there are none.
    for (const name of ['Copy', 'Download', 'Print'])
      expect(await page.getByRole('button', { name }).count()).toBe(0);
  });

  test('which going back or loading the page again does not show once more', async () => {
    await page.getByLabel('I have saved these codes').check();
    await page.getByRole('button', { name: 'Turn on these codes' }).click();
    expect(new URL(page.url()).pathname).toBe('/account');
    // The codes were the answer to a form, and no copy is kept: the browser has nothing to go back
    // to.
    const shown = await goBack(page);
    expect(codes.filter((code) => shown.includes(code))).toEqual([]);
    await page.goto(`${service.url}/account`);
  });

  test('logs out, loses the phone, and gets in with a backup code instead', async () => {
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

  test('makes new codes: at once while that login is fresh, later after showing a factor again', async () => {
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

  test('adds an email address, and takes it away again', async () => {
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
      'This is your last address. Add another one first: somebody must hear of what happens here.',
    );
  });

  test('and whoever develops the service reads in the outbox what she was told', async () => {
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

  test('a second click on a button does no harm', async () => {
    const other = await browser.newContext({ javaScriptEnabled: false });
    const tab = await other.newPage();
    await tab.goto(`${service.url}/signup`);
    await tab.getByLabel('Username').fill('bob');
    await tab.getByLabel('Email').fill('bob@example.com');
    await tab.getByLabel('Password').fill(PASSWORD);
    await tab.getByRole('button', { name: 'Sign up' }).dblclick();
    // Not waitForURL: it fails on the navigation that the second click cuts off.
    await tab.getByText('bob@example.com').waitFor();
    expect(new URL(tab.url()).pathname).toBe('/account');
    await other.close();
  });

  test('with nothing for the browser to complain of', () => {
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
