// A real browser, if there is one: Chromium as Debian ships it, or an installed Chrome. Downloads none.
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/opt/google/chrome/chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** `undefined` where there is none; then set CHROMIUM_PATH, or install one. */
export const chromiumPath = [process.env.CHROMIUM_PATH ?? '', ...PLACES].find((path) => existsSync(path));

/** With the page cache for going back, which playwright turns off and people have. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath!,
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/**
 * What the browser shows after going back. Where no copy was kept that is a page of its own, which it swaps in when
 * `goBack` has long failed; while it does, nothing can be read.
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
