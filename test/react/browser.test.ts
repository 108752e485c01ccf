// The sheet in Chromium, with React 18 and 19, in StrictMode and under a strict content security
// policy.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContext, Download, Page } from 'playwright-core';
import { describeInBrowser, launchChromium } from '../../example-app/test/helpers/chromium';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import { activationTests } from './activation-tests';
import { copyTests, INSECURE_HOST } from './copy-tests';
import { directionTests } from './direction-tests';
import { hiddenCodesTests } from './hidden-codes-tests';
import { leavingTests } from './leaving-tests';
import { ACCOUNT, CODES, SERVICE } from './sample-set';
import { SheetPage } from './sheet-page';
import { installHost, LABELS, measureScript, openSheetSite, readPdf, type SheetSite } from './site';

const VERSIONS = ['18', '19'] as const;
const ACKNOWLEDGE = 'I have saved these codes';
jest.setTimeout(120_000);

describeInBrowser('in a browser', () => {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'backup-code-sheet-'));
    await installHost();
    browser = await launchChromium([`--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`]);
  }, 300_000);
  afterAll(async () => {
    await (browser as Browser | undefined)?.close();
    rmSync(folder, { recursive: true });
  });

  test('the sheet adds at most 11 kB of script to a page before compression', async () => {
    expect(await measureScript()).toBeLessThanOrEqual(11_000);
  });

  describe.each(VERSIONS)('with React %s', (version) => {
    let site: SheetSite;
    let context: BrowserContext;
    let page: Page;
    let sheet: SheetPage;
    /** The problems that a test provokes. All others make it fail. */
    let expectedProblems: RegExp | undefined;

    beforeAll(async () => {
      site = await openSheetSite(version);
    }, 120_000);
    afterAll(() => (site as SheetSite | undefined)?.close());
    beforeEach(async () => {
      expectedProblems = undefined;
      context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
      page = await context.newPage();
      sheet = new SheetPage(page, site.url);
      site.activated.clear();
      site.staged.clear();
    });
    afterEach(async () => {
      await context.close();
      expect(sheet.problems.filter((text) => !expectedProblems?.test(text))).toEqual([]);
    });

    const current = {
      get page() {
        return page;
      },
      get sheet() {
        return sheet;
      },
      get site() {
        return site;
      },
      allowProblems: (pattern: RegExp) => {
        expectedProblems = pattern;
      },
    };
    copyTests(current);
    directionTests(current, () => folder);
    leavingTests(current);
    activationTests(current);
    hiddenCodesTests(current, () => folder);

    async function downloadAfter(action: () => Promise<unknown>): Promise<Download> {
      const [download] = await Promise.all([page.waitForEvent('download'), action()]);
      return download;
    }

    test.each(['/rendered', '/empty'])(
      'the codes are a numbered, monospaced list, rendered from %s by this version of React',
      async (path) => {
        await sheet.open('spread', path);
        expect(site.version.split('.')[0]).toBe(version);
        expect(await page.locator('ol > li').allInnerTexts()).toEqual(CODES);
        const firstCode = page.locator('ol > li code').first();
        const styles = await firstCode.evaluate((code) => [
          getComputedStyle(code).fontFamily,
          getComputedStyle(code.parentElement!).listStyleType,
        ]);
        expect(styles).toEqual(['monospace', 'decimal']);
      },
    );

    test('a screen reader finds every element once, with its name', async () => {
      await sheet.open();
      expect(await page.locator('section').ariaSnapshot()).toBe(`- region "Your backup codes":
  - heading "Your backup codes" [level=2]
  - paragraph: ${ENGLISH_LABELS.introduction}
  - term: Service
  - definition: ${SERVICE}
  - term: Account
  - definition: ${ACCOUNT}
  - term: Created
  - definition:
    - time: 2026-11-21 00:00 UTC
  - term: Valid until
  - definition:
    - time: 2027-11-21 00:00 UTC
  - list "Your backup codes":
${CODES.map((code) => `    - listitem:\n      - code: ${code}`).join('\n')}
  - button "Copy"
  - button "Download"
  - button "Print"
  - status
  - checkbox "${ACKNOWLEDGE}"
  - text: ${ACKNOWLEDGE}
  - alert
  - button "Continue"`);
    });

    test('a user can do everything with the keyboard, and must tick the checkbox', async () => {
      await sheet.open();
      const order: string[] = [];
      for (let presses = 0; presses < 7; presses += 1) {
        await page.keyboard.press('Tab');
        order.push(await sheet.focusedName());
      }
      const controls = ['Copy', 'Download', 'Print', ACKNOWLEDGE, 'Continue'];
      expect(order).toEqual(['Home', ...controls, 'Legal']);
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      expect(await sheet.error()).toBe(ENGLISH_LABELS.acknowledgeFirst);
      expect(await sheet.focusedName()).toBe(ACKNOWLEDGE);
      expect(await sheet.checkbox().getAttribute('aria-invalid')).toBe('true');
      const description = (await sheet.checkbox().getAttribute('aria-describedby')) ?? '';
      expect(await page.locator(`[id="${description}"]`).innerText()).toBe(
        ENGLISH_LABELS.acknowledgeFirst,
      );
      expect(site.activated.size).toBe(0);

      await page.keyboard.press('Space');
      expect(await sheet.error()).toBe('');
      for (const name of ['Print', 'Download', 'Copy']) {
        await page.keyboard.press('Shift+Tab');
        expect(await sheet.focusedName()).toBe(name);
      }
      await page.keyboard.press('Space');
      await sheet.waitForText(ENGLISH_LABELS.copied);
      expect(await sheet.clipboard()).toBe(CODES.join('\n'));
      await sheet.tabTo('Download');
      const download = await downloadAfter(() => page.keyboard.press('Enter'));
      expect(download.suggestedFilename()).toBe('Bücher-Co-backup-codes.txt');
      await sheet.tabTo('Continue');
      await page.keyboard.press('Enter');
      await sheet.waitForEnd();
      expect([...site.activated]).toEqual([['plain', 1]]);
    });

    test('every copy shows a new status message, which screen readers read', async () => {
      await sheet.open();
      expect(await sheet.status()).toBe('');
      await sheet.button('Copy').click();
      await sheet.waitForText(ENGLISH_LABELS.copied);
      const message = await page.getByRole('status').locator('span').elementHandle();
      await sheet.button('Copy').click();
      await page.waitForFunction((element) => !element.isConnected, message);
      expect(await sheet.status()).toBe(ENGLISH_LABELS.copied);
    });

    test('the file has the details and one code a line, and its URL is revoked', async () => {
      await page.addInitScript(() => {
        const { createObjectURL, revokeObjectURL } = URL;
        const urls = new Set<string>();
        const types: string[] = [];
        Object.assign(window, { urls, types });
        URL.createObjectURL = (blob: Blob) => {
          const url = createObjectURL(blob);
          types.push(blob.type);
          urls.add(url);
          return url;
        };
        URL.revokeObjectURL = (url) => {
          revokeObjectURL(url);
          urls.delete(url);
        };
      });
      const readTypes = (): Promise<unknown> =>
        page.evaluate(() => Reflect.get(window, 'types') as unknown);
      const countUrls = (): Promise<number> =>
        page.evaluate(() => (Reflect.get(window, 'urls') as Set<string>).size);
      await page.clock.install();
      await sheet.open();
      const download = await downloadAfter(() => sheet.button('Download').click());
      const file = join(folder, `${version}.txt`);
      await download.saveAs(file);
      expect(readFileSync(file, 'utf8').split('\n')).toEqual([
        `Service: ${SERVICE}`,
        `Account: ${ACCOUNT}`,
        'Created: 2026-11-21 00:00 UTC',
        'Valid until: 2027-11-21 00:00 UTC',
        '',
        ...CODES,
        '',
      ]);
      expect(await sheet.status()).toBe(ENGLISH_LABELS.downloaded);
      expect(await readTypes()).toEqual(['text/plain;charset=utf-8']);
      expect(await countUrls()).toBe(1);
      await page.clock.runFor(40_000);
      expect(await countUrls()).toBe(0);
    });

    test('the sheet prints on one page, with the codes and details and nothing else', async () => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'dark' });
      await sheet.open();
      const file = join(folder, `${version}.pdf`);
      await page.pdf({ path: file, format: 'A4' });
      const pages = await readPdf(file);
      expect(pages).toHaveLength(1);
      expect(pages[0]!.match(/[A-Z2-9]{4}-[A-Z2-9]{4}/g)).toEqual(CODES);
      const printed = [SERVICE, ACCOUNT, '2027-11-21 00:00 UTC', ENGLISH_LABELS.heading];
      for (const text of printed) expect(pages[0]).toContain(text);
      const { copy, acknowledge, continue: continueLabel } = ENGLISH_LABELS;
      const hidden = ['Home', 'Security', 'Legal', copy, acknowledge, continueLabel];
      for (const text of hidden) expect(pages[0]).not.toContain(text);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      const firstCode = page.locator('code').first();
      const colours = await firstCode.evaluate((code) => [
        getComputedStyle(code).color,
        getComputedStyle(document.documentElement).colorScheme,
      ]);
      expect(colours).toEqual(['rgb(0, 0, 0)', 'light']);
    });

    test('the button prints, and an unmounted sheet leaves no print styles', async () => {
      const countStyleSheets = (): Promise<number> =>
        page.evaluate(() => document.adoptedStyleSheets.length);
      await sheet.open();
      await page.evaluate(() =>
        addEventListener('beforeprint', () => {
          document.documentElement.dataset['printed'] = 'yes';
        }),
      );
      await sheet.button('Print').click();
      await page.locator('html[data-printed]').waitFor({ state: 'attached' });
      expect(await countStyleSheets()).toBe(1);
      await sheet.checkbox().check();
      await sheet.button('Continue').click();
      await sheet.waitForEnd();
      expect(await countStyleSheets()).toBe(0);
    });

    test('a double click calls onAcknowledge once, also while it is still running', async () => {
      await sheet.open('slow');
      await sheet.checkbox().check();
      await sheet.button('Continue').dblclick();
      await sheet.button('Continue').click();
      site.answerSlowCase();
      await sheet.waitForEnd();
      expect([...site.activated]).toEqual([['slow', 1]]);
    });

    test('if onAcknowledge fails, the user and the app see it, and a retry works', async () => {
      expectedProblems = /./;
      await sheet.open('failing');
      await sheet.checkbox().check();
      await sheet.button('Continue').click();
      await sheet.waitForText(ENGLISH_LABELS.continueFailed);
      expect(await sheet.error()).toBe(ENGLISH_LABELS.continueFailed);
      expect(sheet.problems).toContain('the set could not be activated');
      await sheet.button('Continue').click();
      await sheet.waitForEnd();
      expect([...site.activated]).toEqual([['failing', 2]]);
    });

    test('if every label is replaced, no English appears in any state', async () => {
      await sheet.open('replaced');
      const englishWords: string[] = [];
      const collectEnglishWords = async (): Promise<void> => {
        let text = await page.locator('section').innerText();
        for (const known of [...CODES, SERVICE, ACCOUNT, 'JST']) text = text.replaceAll(known, '');
        englishWords.push(...(text.match(/[a-z]+/gi) ?? []));
      };
      await collectEnglishWords();
      await sheet.button(LABELS.copy).click();
      await sheet.waitForText(LABELS.copied);
      await collectEnglishWords();
      const download = await downloadAfter(() => sheet.button(LABELS.download).click());
      await collectEnglishWords();
      await sheet.button(LABELS.continue).click();
      await sheet.waitForText(LABELS.acknowledgeFirst);
      await collectEnglishWords();
      expect(englishWords).toEqual([]);
      const file = join(folder, 'replaced.txt');
      await download.saveAs(file);
      expect(download.suggestedFilename()).toBe('codes.txt');
      const lines = readFileSync(file, 'utf8').split('\n');
      expect(lines[2]).toBe(`${LABELS.createdAt}: 2026年11月21日 09:00 JST`);
    });

    test('no action leaves a code in the title, a URL, storage or an attribute', async () => {
      await sheet.open();
      await sheet.button('Copy').click();
      await downloadAfter(() => sheet.button('Download').click());
      await sheet.button('Print').click();
      await sheet.button('Continue').click();
      const traces = await page.evaluate(async () =>
        [
          document.title,
          location.href,
          JSON.stringify(history.state),
          document.cookie,
          JSON.stringify(localStorage),
          JSON.stringify(sessionStorage),
          JSON.stringify(await indexedDB.databases()),
          JSON.stringify(await caches.keys()),
          ...[...document.querySelectorAll('*')].flatMap((element) =>
            [...element.attributes].map(({ value }) => value),
          ),
          ...performance.getEntries().map(({ name }) => name),
        ].join('\n'),
      );
      for (const present of ['/rendered?case=plain', 'list']) expect(traces).toContain(present);
      for (const code of CODES) {
        for (const form of [code, code.replace('-', ''), code.toLowerCase()]) {
          expect(traces).not.toContain(form);
        }
      }
    });

    test.each(['light', 'dark'] as const)(
      'axe finds no problem at 320 px in %s mode, and nothing overflows',
      async (colorScheme) => {
        await page.setViewportSize({ width: 320, height: 640 });
        await page.emulateMedia({ colorScheme });
        await sheet.open();
        await page.evaluate(axe.source);
        const violations = (): Promise<string[]> =>
          page.evaluate(async () => {
            const { run } = Reflect.get(window, 'axe') as typeof axe;
            const { violations: found } = await run(document);
            return found.map(
              ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
            );
          });
        expect(await violations()).toEqual([]);
        await sheet.button('Copy').click();
        await sheet.button('Continue').click();
        expect(await violations()).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      },
    );
  });
});
