// The sheet in Chromium, on React 18 and 19, in StrictMode and under a strict content security policy: what a person does with it, by keyboard
// alone; what comes out of it; and what it leaves behind, which is nothing.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { describeInBrowser, launchChromium } from '../../example-app/test/helpers/chromium';
import { ENGLISH } from '../../lib/react/labels';
import { ACCOUNT, CODES, SERVICE } from './set';
import { installHost, LABELS, openSheetSite, readPdf, type SheetSite } from './site';

const VERSIONS = ['18', '19'] as const;
jest.setTimeout(120_000);

describeInBrowser('in a browser', trySheet);

function trySheet(): void {
  let browser: Browser;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'backup-code-sheet-'));
    await installHost();
    browser = await launchChromium();
  }, 300_000);
  afterAll(async () => {
    await (browser as Browser | undefined)?.close();
    rmSync(folder, { recursive: true });
  });

  describe.each(VERSIONS)('with React %s', (version) => {
    let site: SheetSite;
    let context: BrowserContext;
    let page: Page;
    let complaints: string[];

    beforeAll(async () => {
      site = await openSheetSite(version);
    }, 120_000);
    afterAll(() => (site as SheetSite | undefined)?.close());
    beforeEach(async () => {
      complaints = [];
      context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
      page = await context.newPage();
      page.on(
        'console',
        (message) =>
          ['error', 'warning'].includes(message.type()) && complaints.push(message.text()),
      );
      page.on('pageerror', (error) => complaints.push(error.message));
      site.activated.clear();
    });
    afterEach(async () => {
      await context.close();
      expect(complaints).toEqual([]);
    });

    /** Rendered by the server, and taken over. */
    const open = async (name = 'plain', path = '/rendered'): Promise<void> => {
      await page.goto(`${site.url}${path}?case=${name}`);
      await page.locator('#root[data-ready]').waitFor();
    };
    const button = (name: string): ReturnType<Page['locator']> =>
      page.getByRole('button', { name, exact: true });
    const status = (): Promise<string> => page.getByRole('status').innerText();
    const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
    /** Where the focus is, by name. */
    const focused = (): Promise<string> =>
      page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        return (
          (element instanceof HTMLInputElement
            ? element.labels?.[0]?.innerText
            : element.innerText
          )?.trim() ?? ''
        );
      });
    const tabTo = async (name: string): Promise<void> => {
      for (let steps = 0; steps < 10 && (await focused()) !== name; steps += 1)
        await page.keyboard.press('Tab');
      expect(await focused()).toBe(name);
    };

    test.each(['/rendered', '/empty'])(
      'it is there, from %s, of that React, numbered and monospaced, and without a complaint',
      async (path) => {
        await open('spread', path);
        expect(site.version.split('.')[0]).toBe(version);
        expect(await page.locator('ol > li').allInnerTexts()).toEqual(CODES);
        expect(
          await page
            .locator('ol > li code')
            .first()
            .evaluate((code) => [
              getComputedStyle(code).fontFamily,
              getComputedStyle(code.parentElement!).listStyleType,
            ]),
        ).toEqual(['monospace', 'decimal']);
      },
    );

    test('a screen reader is told all there is, each thing once and by its name', async () => {
      await open();
      expect(await page.locator('section').ariaSnapshot()).toBe(`- region "Your backup codes":
  - heading "Your backup codes" [level=2]
  - paragraph: ${ENGLISH.introduction}
  - term: Service
  - definition: ${SERVICE}
  - term: Account
  - definition: ${ACCOUNT}
  - term: Created
  - definition:
    - time: 2026-11-21
  - term: Valid until
  - definition:
    - time: 2027-11-21
  - list "Your backup codes":
${CODES.map((code) => `    - listitem:\n      - code: ${code}`).join('\n')}
  - button "Copy"
  - button "Download"
  - button "Print"
  - status
  - checkbox "I have saved these codes"
  - text: I have saved these codes
  - alert
  - button "Continue"`);
    });

    test('by keyboard alone a person copies, downloads, is held back until the box is ticked, and goes on', async () => {
      await open();
      const order: string[] = [];
      for (let i = 0; i < 7; i += 1) {
        await page.keyboard.press('Tab');
        order.push(await focused());
      }
      expect(order).toEqual([
        'Home',
        'Copy',
        'Download',
        'Print',
        'I have saved these codes',
        'Continue',
        'Legal',
      ]);
      await page.keyboard.press('Shift+Tab');
      await page.keyboard.press('Enter');
      expect(await page.getByRole('alert').innerText()).toBe(ENGLISH.acknowledgeFirst);
      expect(await focused()).toBe('I have saved these codes');
      const box = page.getByRole('checkbox');
      expect(await box.getAttribute('aria-invalid')).toBe('true');
      expect(
        await page
          .locator(`[id="${(await box.getAttribute('aria-describedby')) ?? ''}"]`)
          .innerText(),
      ).toBe(ENGLISH.acknowledgeFirst);
      expect(site.activated.size).toBe(0);

      await page.keyboard.press('Space');
      expect(await page.getByRole('alert').innerText()).toBe('');
      for (const name of ['Print', 'Download', 'Copy']) {
        await page.keyboard.press('Shift+Tab');
        expect(await focused()).toBe(name);
      }
      await page.keyboard.press('Space');
      await page.getByText(ENGLISH.copied).waitFor();
      expect(await clipboard()).toBe(CODES.join('\n'));
      await tabTo('Download');
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.keyboard.press('Enter'),
      ]);
      expect(download.suggestedFilename()).toBe('backup-codes.txt');
      await tabTo('Continue');
      await page.keyboard.press('Enter');
      await page.locator('#done').waitFor();
      expect([...site.activated]).toEqual([['plain', 1]]);
    });

    test('what was copied is said, and said again the next time', async () => {
      await open();
      expect(await status()).toBe('');
      await button('Copy').click();
      await page.getByText(ENGLISH.copied).waitFor();
      const said = await page.getByRole('status').locator('span').elementHandle();
      await button('Copy').click();
      await page.waitForFunction((element) => !element.isConnected, said);
      expect(await status()).toBe(ENGLISH.copied);
    });

    test('a clipboard that is refused is said too, with what else to do, and the codes can be selected', async () => {
      await open('refused');
      await button('Copy').click();
      await page.getByText(ENGLISH.copyFailed).waitFor();
      expect(await status()).toBe(ENGLISH.copyFailed);
      const selected = await page.evaluate(() => {
        getSelection()?.selectAllChildren(document.querySelector('ol')!);
        return getSelection()?.toString().split('\n');
      });
      expect(selected).toEqual(CODES);
      expect(complaints.filter((text) => !/clipboard/i.test(text))).toEqual([]);
      complaints = [];
    });

    test('the file is text, with service and dates on top and a code on each line; its URL does not stay', async () => {
      await page.addInitScript(() => {
        const { createObjectURL, revokeObjectURL } = URL;
        const urls = new Set<string>();
        Object.assign(window, { urls, types: [] as string[] });
        URL.createObjectURL = (blob: Blob) => {
          const url = createObjectURL(blob);
          (Reflect.get(window, 'types') as string[]).push(blob.type);
          urls.add(url);
          return url;
        };
        URL.revokeObjectURL = (url) => {
          revokeObjectURL(url);
          urls.delete(url);
        };
      });
      await page.clock.install();
      await open();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        button('Download').click(),
      ]);
      const file = join(folder, `${version}.txt`);
      await download.saveAs(file);
      expect(readFileSync(file, 'utf8')).toBe(
        `Service: ${SERVICE}\nAccount: ${ACCOUNT}\nCreated: 2026-11-21\nValid until: 2027-11-21\n\n${CODES.join('\n')}\n`,
      );
      expect(await status()).toBe(ENGLISH.downloaded);
      const left = (): Promise<number> =>
        page.evaluate(() => (Reflect.get(window, 'urls') as Set<string>).size);
      expect([
        await left(),
        await page.evaluate(() => Reflect.get(window, 'types') as string[]),
      ]).toEqual([1, ['text/plain;charset=utf-8']]);
      await page.clock.runFor(40_000);
      expect(await left()).toBe(0);
    });

    test('the printed sheet is one page with the ten codes and what they are for, and nothing of the page around it', async () => {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.emulateMedia({ colorScheme: 'dark' });
      await open();
      const file = join(folder, `${version}.pdf`);
      await page.pdf({ path: file, format: 'A4' });
      const pages = await readPdf(file);
      expect(pages).toHaveLength(1);
      expect(pages[0]!.match(/[A-Z2-9]{4}-[A-Z2-9]{4}/g)).toEqual(CODES);
      for (const text of [SERVICE, ACCOUNT, '2026-11-21', ENGLISH.heading])
        expect(pages[0]).toContain(text);
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
      expect(
        await page
          .locator('code')
          .first()
          .evaluate((code) => [
            getComputedStyle(code).color,
            getComputedStyle(document.documentElement).colorScheme,
          ]),
      ).toEqual(['rgb(0, 0, 0)', 'light']);
      for (const text of [
        'Home',
        'Security',
        'Legal',
        ENGLISH.copy,
        ENGLISH.acknowledge,
        ENGLISH.goOn,
      ])
        expect(pages[0]).not.toContain(text);
    });

    test('the button prints; where the sheet has gone the page prints as before', async () => {
      await open();
      await page.evaluate(() =>
        addEventListener(
          'beforeprint',
          () => (document.documentElement.dataset['printed'] = 'yes'),
        ),
      );
      await button('Print').click();
      await page.locator('html[data-printed]').waitFor({ state: 'attached' });
      expect(await page.evaluate(() => document.adoptedStyleSheets.length)).toBe(1);
      await page.getByRole('checkbox').check();
      await button('Continue').click();
      await page.locator('#done').waitFor();
      expect(await page.evaluate(() => document.adoptedStyleSheets.length)).toBe(0);
    });

    test('a double click goes on once, and once only while it takes its time', async () => {
      await open('slow');
      await page.getByRole('checkbox').check();
      await button('Continue').dblclick();
      await button('Continue').click();
      await page.locator('#done').waitFor();
      expect([...site.activated]).toEqual([['slow', 1]]);
    });

    test('where going on fails the person is told, the app hears of it, and the next try works', async () => {
      await open('failing');
      await page.getByRole('checkbox').check();
      await button('Continue').click();
      await page.getByText(ENGLISH.goOnFailed).waitFor();
      expect(await page.getByRole('alert').innerText()).toBe(ENGLISH.goOnFailed);
      expect(complaints).toContain('the set could not be activated');
      await button('Continue').click();
      await page.locator('#done').waitFor();
      expect([...site.activated]).toEqual([['failing', 2]]);
      complaints = [];
    });

    test('with every label replaced there is no English left, whatever is done', async () => {
      await open('replaced');
      const strangers: string[] = [];
      const look = async (): Promise<void> => {
        const text = await page.locator('section').innerText();
        const rest = [...CODES, SERVICE, ACCOUNT].reduce(
          (left, known) => left.replaceAll(known, ''),
          text,
        );
        strangers.push(...(rest.match(/[a-z]+/gi) ?? []));
      };
      await look();
      await button(LABELS.copy).click();
      await page.getByText(LABELS.copied).waitFor();
      await look();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        button(LABELS.download).click(),
      ]);
      await look();
      await button(LABELS.goOn).click();
      await page.getByText(LABELS.acknowledgeFirst).waitFor();
      await look();
      const file = join(folder, 'replaced.txt');
      await download.saveAs(file);
      expect([download.suggestedFilename(), readFileSync(file, 'utf8').split('\n')[2]]).toEqual([
        'codes.txt',
        `${LABELS.createdAt}: 2026年11月21日`,
      ]);
      expect(strangers).toEqual([]);
    });

    test('after all of it no code is in the title, the URL, a storage, a cookie or an attribute', async () => {
      await open();
      await button('Copy').click();
      await Promise.all([page.waitForEvent('download'), button('Download').click()]);
      await button('Print').click();
      await button('Continue').click();
      const kept = await page.evaluate(async () =>
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
      for (const there of ['/rendered?case=plain', 'list']) expect(kept).toContain(there);
      for (const code of CODES)
        for (const form of [code, code.replace('-', ''), code.toLowerCase()])
          expect(kept).not.toContain(form);
    });

    test.each(['light', 'dark'] as const)(
      'axe finds nothing at 320 px, %s, before and after; nothing sticks out',
      async (colorScheme) => {
        await page.setViewportSize({ width: 320, height: 640 });
        await page.emulateMedia({ colorScheme });
        await open();
        await page.evaluate(axe.source);
        const violations = (): Promise<string[]> =>
          page.evaluate(async () => {
            const { violations: found } = await (Reflect.get(window, 'axe') as typeof axe).run(
              document,
            );
            return found.map(
              ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`,
            );
          });
        expect(await violations()).toEqual([]);
        await button('Copy').click();
        await button('Continue').click();
        expect(await violations()).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      },
    );
  });
}
