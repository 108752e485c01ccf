// The page with new backup codes, in a real browser with scripts: the codes are copied, downloaded,
// printed and saved, and never shown again.
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { describeInBrowser, goBack, launchChromium } from '../helpers/chromium';
import { drawnTexts } from '../helpers/drawn-text';
import { readPdf } from '../helpers/pdf-text';
import { type Service, startService } from '../helpers/service';
import { carryOver } from '../helpers/tour';
import { type Enrolled, enroll, givePassword } from '../helpers/visitor';

jest.setTimeout(60_000);

describeInBrowser('New backup codes in a browser', useCodesPage);

function useCodesPage(): void {
  let service: Service;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let ada: Enrolled;
  const complaints: string[] = [];

  beforeAll(async () => {
    [browser, service] = await Promise.all([launchChromium(), startService()]);
    ada = await enroll(service);
  });
  beforeEach(async () => {
    context = await browser.newContext({ baseURL: service.url });
    await carryOver(ada.visitor, context, service);
    page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
  });
  afterEach(() => context.close());
  afterAll(async () => {
    // Undefined if beforeAll failed. The report should then show that failure.
    await (browser as Browser | undefined)?.close();
    await (service as Service | undefined)?.stop();
  });

  /** Stages a set and returns the codes on the screen. */
  async function makeNewCodes(): Promise<string[]> {
    await page.goto('/account/security');
    await page.getByRole('button', { name: 'Make new backup codes' }).click();
    await page.getByRole('button', { name: 'Turn on these codes' }).waitFor();
    const codes = await page.locator('ol.codes > li > code').allInnerTexts();
    expect(codes).toHaveLength(10);
    return codes;
  }

  /** Whether Ada can log in with the code. */
  async function works(code: string): Promise<boolean> {
    return (
      (await (await givePassword(service)).submit('/login/backup-code', { code })).status === 303
    );
  }

  /** The clipboard and the file have the same content. */
  function expectSheet(lines: readonly string[], codes: readonly string[]): void {
    expect(lines.slice(0, 2)).toEqual(['Backup codes for Backup code example', 'Account: ada']);
    expect(lines[2]).toMatch(/^Made: \d+ \w+ \d{4} at \d\d:\d\d UTC$/);
    expect(lines[3]).toMatch(
      /^Each code logs you in once, after your password\. They work until .* at \d\d:\d\d UTC\.$/,
    );
    expect(lines.slice(4)).toEqual(['', ...codes, '']);
  }

  test('The codes are a numbered list in a fixed-width font', async () => {
    await makeNewCodes();
    const list = page.locator('ol.codes');
    expect(
      await list.evaluate((ol) => getComputedStyle(ol.querySelector('li')!).listStyleType),
    ).toBe('decimal');
    const widths = await list.evaluate((ol) =>
      [...ol.querySelectorAll('code')].map((code) =>
        Math.round(code.getBoundingClientRect().width),
      ),
    );
    expect(new Set(widths).size).toBe(1);
  });

  test.each(['screen', 'print'] as const)(
    'A page from right to left draws the codes in order on the %s',
    async (media) => {
      await makeNewCodes();
      await page.emulateMedia({ media });
      const codes = page.locator('ol.codes > li > code');
      const texts = await codes.evaluateAll((elements) => {
        document.documentElement.dir = 'rtl';
        elements[0]!.textContent = '4821 0937';
        elements[1]!.textContent = '2345-ABCD';
        return elements.map((element) => element.textContent);
      });
      expect(await drawnTexts(codes)).toEqual(texts);
    },
  );

  test('The codes can be copied by keyboard, and the page confirms it', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: service.url });
    const codes = await makeNewCodes();
    await page.getByRole('button', { name: 'Copy' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor();
    expectSheet((await page.evaluate(() => navigator.clipboard.readText())).split('\n'), codes);
  });

  test('The codes are selected if the browser does not let the page copy', async () => {
    // As in a page that was not loaded over TLS.
    await page.addInitScript(() =>
      Object.defineProperty(navigator, 'clipboard', { value: undefined }),
    );
    const codes = await makeNewCodes();
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('status').filter({ hasText: 'copy them yourself' }).waitFor();
    expect((await page.evaluate(() => getSelection()!.toString())).split(/\s+/)).toEqual(codes);
  });

  test('The codes can be downloaded as a .txt file', async () => {
    const codes = await makeNewCodes();
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download' }).focus();
    await page.keyboard.press('Space');
    const download = await coming;
    expect(download.suggestedFilename()).toBe('backup-codes.txt');
    expectSheet(readFileSync(await download.path(), 'utf8').split('\n'), codes);
  });

  test('The printed page has the codes, the account and the dates, but no controls', async () => {
    const codes = await makeNewCodes();
    await page.emulateMedia({ colorScheme: 'dark' });
    // The PDF comes first: print() opens a preview that a test cannot close, and Chromium makes no
    // PDF while it is open.
    const [paper, ...others] = readPdf(await page.pdf({ format: 'A4' }));
    expect(others).toEqual([]);
    // Added only now, because making a PDF also fires this event.
    await page.evaluate(() => addEventListener('beforeprint', () => (document.title = 'printing')));
    await page.getByRole('button', { name: 'Print' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.title === 'printing');
    await page.emulateMedia({ media: 'print' });
    for (const text of [paper!, await page.locator('body').innerText()]) {
      expect(text.match(/[A-Z2-9]{4}-[A-Z2-9]{4}/g)).toEqual(codes);
      for (const line of [
        'Backup codes for Backup code example',
        'Account: ada',
        'Made: ',
        'They work until ',
      ])
        expect(text).toContain(line);
      for (const control of ['Log out', 'Security', 'Copy', 'Turn on', 'I have saved', 'Help'])
        expect(text).not.toContain(control);
    }
  });

  test('The codes work only after the user confirms that they are saved', async () => {
    const codes = await makeNewCodes();
    expect(await works(codes[0]!)).toBe(false);
    await page.getByRole('button', { name: 'Turn on these codes' }).click();
    expect(
      await page
        .getByLabel('I have saved these codes')
        .evaluate((box: HTMLInputElement) => box.validity.valueMissing),
    ).toBe(true);
    expect(await works(codes[0]!)).toBe(false);
    await page.getByLabel('I have saved these codes').focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Turn on these codes' }).focus();
    await page.keyboard.press('Enter');
    await page.waitForURL('/account');
    expect(await page.getByRole('status').innerText()).toBe(
      'Your new backup codes work now. Any you had before do not.',
    );
    expect([await works(ada.codes[0]!), await works(codes[0]!)]).toEqual([false, true]);
    ada = { ...ada, codes: codes.slice(1) };
  });

  test('If the user leaves the page, the old codes still work', async () => {
    const codes = await makeNewCodes();
    await page.getByRole('link', { name: 'Account', exact: true }).click();
    await page.waitForURL('/account');
    expect([await works(codes[0]!), await works(ada.codes[0]!)]).toEqual([false, true]);
  });

  test('The codes are in no title, URL or storage, and going back does not show them', async () => {
    const codes = await makeNewCodes();
    const places = await page.evaluate(() =>
      [
        document.title,
        location.href,
        JSON.stringify(Object.entries(localStorage)),
        JSON.stringify(Object.entries(sessionStorage)),
        document.cookie,
      ].join(' '),
    );
    expect(codes.filter((code) => places.includes(code))).toEqual([]);
    await page.getByLabel('I have saved these codes').check();
    await page.getByRole('button', { name: 'Turn on these codes' }).click();
    await page.waitForURL('/account');
    const content = await goBack(page);
    expect(codes.filter((code) => content.includes(code))).toEqual([]);
  });

  test('The browser and the service report no errors', () => {
    const isExpected =
      /Failed to load resource: (the server responded with a status of 4\d\d|net::ERR_CACHE_MISS)/;
    expect(
      [...complaints, ...service.faults.map(String)].filter((text) => !isExpected.test(text)),
    ).toEqual([]);
  });
}
