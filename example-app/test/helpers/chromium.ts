// A real browser, if one is installed: Chromium as Debian ships it, or Chrome. Downloads nothing.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** `undefined` if no browser is found. Then install one, or set CHROMIUM_PATH. */
export const chromiumPath = [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((path) =>
  existsSync(path),
);

/**
 * Tests in a browser. Without a browser they are skipped with a message. With REQUIRE_ALL=1 that is
 * a failure.
 */
export function describeInBrowser(title: string, body: () => void): void {
  if (chromiumPath !== undefined) {
    describe(title, body);
    return;
  }
  const missing = 'There is no Chromium or Chrome: install one or set CHROMIUM_PATH.';
  if (process.env.REQUIRE_ALL === '1') {
    test(`${title}: a browser is installed`, () => {
      throw new Error(`${missing} REQUIRE_ALL=1 requires one.`);
    });
    return;
  }
  // Jest does not print the names of skipped tests.
  process.stderr.write(`Skipped: ${title}. ${missing}\n`);
  describe.skip(title, body);
}

/**
 * With the back/forward cache, which Playwright turns off and real browsers use.
 *
 * @param moreArguments arguments of Chromium besides the usual ones
 */
export function launchChromium(moreArguments: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...moreArguments,
    ],
  });
}

/**
 * The page after going back. If the browser kept no copy it shows an error page, which appears
 * after `goBack` has failed. Meanwhile the page cannot be read.
 */
export async function goBack(page: Page): Promise<string> {
  await page.goBack().catch(() => null);
  for (let tries = 0; ; tries += 1) {
    try {
      await page.waitForLoadState();
      return await page.content();
    } catch (error) {
      if (tries === 20 || !String(error).includes('navigating')) throw error;
      await page.waitForTimeout(100);
    }
  }
}
