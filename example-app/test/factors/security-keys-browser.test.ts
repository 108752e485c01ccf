// Security keys in a real browser, with a virtual key of Chromium (WebAuthn, section 11), and the
// pages without scripts.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { describeInBrowser, launchChromium } from '../helpers/chromium';
import { type Service, startService } from '../helpers/service';
import { PASSWORD } from '../helpers/visitor';

describeInBrowser('Security keys in a browser', useKeys);

function useKeys(): void {
  let service: Service;
  let origin: string;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let devtools: CDPSession;
  let authenticatorId: string;
  let codes: string[];
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
    const port = await findFreePort();
    origin = `http://localhost:${port}`;
    service = await startService({ PORT: String(port), PUBLIC_URL: origin });
    context = await browser.newContext({ baseURL: origin });
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    devtools = await context.newCDPSession(page);
    await devtools.send('WebAuthn.enable');
    authenticatorId = await plugIn();
  });
  afterAll(async () => {
    // Undefined if beforeAll failed. The report should then show that failure.
    await (browser as Browser | undefined)?.close();
    await (service as Service | undefined)?.stop();
  });

  async function plugIn(): Promise<string> {
    const options = {
      protocol: 'ctap2',
      transport: 'usb',
      hasResidentKey: false,
      hasUserVerification: false,
      automaticPresenceSimulation: true,
    } as const;
    return (await devtools.send('WebAuthn.addVirtualAuthenticator', { options })).authenticatorId;
  }

  async function givePassword(): Promise<void> {
    await page.goto('/login');
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL('**/login/second-factor');
  }

  async function logOut(): Promise<void> {
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL('**/login');
  }

  test('A user adds a security key and sees ten codes', async () => {
    await page.goto('/signup');
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Email').fill('ada@example.com');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign up' }).click();
    await page.goto('/account/security');
    await page.getByRole('link', { name: 'Add a security key' }).click();
    await page.getByLabel('Name').fill('Blue key');
    // The hint for browsers without scripts is removed, so it is not read out.
    expect(await page.locator('#key-hint').count()).toBe(0);
    await page.getByRole('button', { name: 'Add this key' }).click();
    await page.getByLabel('I have saved these codes').check();
    codes = await page.locator('.codes code').allInnerTexts();
    expect(codes).toHaveLength(10);
    await page.locator('form.save button').click();
    await page.waitForURL('**/account');
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ rpId: 'localhost', isResidentCredential: false }]);
  });

  test('The same security key cannot be added again', async () => {
    await page.goto('/account/security-keys');
    await page.getByLabel('Name').last().fill('Again');
    await page.getByRole('button', { name: 'Add this key' }).click();
    await page.getByText('This security key is in use already.').waitFor();
    await page.goto('/account');
  });

  test('A user logs in with the key, and a double click asks the key once', async () => {
    await logOut();
    await givePassword();
    await page.getByRole('button', { name: 'Use your security key' }).dblclick();
    await page.waitForURL('**/account');
    const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
    expect(credentials).toMatchObject([{ signCount: 2 }]);
  });

  test('A user with another key gets an error and logs in with a backup code', async () => {
    await logOut();
    await devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
    authenticatorId = await plugIn();
    await givePassword();
    await page.getByRole('button', { name: 'Use your security key' }).click();
    await page
      .getByText('The security key did not answer, or is not one of this account. Try again.')
      .waitFor();
    expect(await page.getByRole('button', { name: 'Use your security key' }).isEnabled()).toBe(
      true,
    );
    await page.getByRole('link', { name: 'Use a backup code instead' }).click();
    await page.getByLabel('Backup code').fill(codes[0]!);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL('**/account');
    expect(await page.getByRole('status').innerText()).toBe(
      'You used a backup code. 9 of 10 are left.',
    );
  });

  test('Removing the only key also ends the backup codes', async () => {
    await page.goto('/account/security-keys');
    await page.getByRole('button', { name: 'Remove Blue key' }).click();
    await page
      .getByText(
        'Your password alone opens this account now, and your backup codes no longer work.',
      )
      .waitFor();
    await logOut();
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL('**/account');
  });

  test('Without JavaScript the page says that keys need it, and a backup code works', async () => {
    await page.goto('/account/security-keys');
    await page.getByLabel('Name').fill('Red key');
    // A double click adds one key, and the codes that are shown work.
    await page.getByRole('button', { name: 'Add this key' }).dblclick();
    await page.getByLabel('I have saved these codes').check();
    codes = await page.locator('.codes code').allInnerTexts();
    expect(
      (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    ).toHaveLength(1);
    await page.locator('form.save button').click();
    await page.waitForURL('**/account');

    // The place is known by its browser and address, so no mailed link is needed.
    const plain = await browser.newContext({ baseURL: origin, javaScriptEnabled: false });
    const tab = await plain.newPage();
    await tab.goto('/login');
    await tab.getByLabel('Username').fill('ada');
    await tab.getByLabel('Password').fill(PASSWORD);
    await tab.getByRole('button', { name: 'Log in' }).click();
    expect(
      await tab
        .getByText('Security keys need JavaScript, which is off in this browser.')
        .isVisible(),
    ).toBe(true);
    expect(await tab.getByRole('button', { name: 'Use your security key' }).isDisabled()).toBe(
      true,
    );
    await tab.getByRole('link', { name: 'Use a backup code instead' }).click();
    await tab.getByLabel('Backup code').fill(codes[0]!);
    await tab.getByRole('button', { name: 'Continue' }).click();
    expect(new URL(tab.url()).pathname).toBe('/account');
    await plain.close();
  });

  test('The browser and the service report no errors', () => {
    expect([complaints, service.faults]).toEqual([[], []]);
  });
}

/** A key is bound to an origin, so the port must be known before the service starts. */
async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
