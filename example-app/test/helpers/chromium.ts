// A real browser, if there is one: Chromium as Debian ships it, or an installed Chrome. Downloads
// none.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/opt/google/chrome/chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** `undefined` where there is none; then set CHROMIUM_PATH, or install one. */
export const chromiumPath = [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((path) =>
  existsSync(path),
);

/**
 * Tests in a browser. Where there is none they are skipped and say so, but under REQUIRE_ALL=1 that
 * is a failure.
 */
export function describeInBrowser(title: string, body: () => void): void {
  if (chromiumPath !== undefined) {
    describe(title, body);
    return;
  }
  const missing = 'There is no Chromium or Chrome: install one or set CHROMIUM_PATH.';
  if (process.env.REQUIRE_ALL === '1') {
    test(`${title}: a browser is there`, () => {
      throw new Error(`${missing} REQUIRE_ALL=1 wants one.`);
    });
    return;
  }
  // Jest does not print the name of what it skips.
  process.stderr.write(`Skipped: ${title}. ${missing}\n`);
  describe.skip(title, body);
}

/** With the page cache for going back, which playwright turns off and people have. */
export function launchChromium(): Promise<Browser> {
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
    ],
  });
}

/**
 * What the browser shows after going back. Where no copy was kept that is a page of its own, which
 * it swaps in when `goBack` has long failed; while it does, nothing can be read.
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
