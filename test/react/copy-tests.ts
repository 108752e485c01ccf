// Copying if the clipboard is refused or missing. Run by browser.test.ts.
import { ENGLISH_LABELS } from '../../lib/react/labels';
import type { BrowserTest } from './browser-tests';
import { CODES } from './sample-set';
import { SheetPage } from './sheet-page';

/** Not a secure context: without HTTPS only `localhost` and its addresses are. */
export const INSECURE_HOST = 'shop.test';

export function copyTests(current: BrowserTest): void {
  test('if the browser refuses every way to copy, the status says what to do', async () => {
    const { page, sheet } = current;
    current.allowProblems(/clipboard/i);
    await page.addInitScript(() => Object.assign(document, { execCommand: () => false }));
    await sheet.open('refused');
    await sheet.button('Copy').click();
    await sheet.waitForText(ENGLISH_LABELS.copyFailed);
    expect(await sheet.status()).toBe(ENGLISH_LABELS.copyFailed);
    const selected = await page.evaluate(() => {
      getSelection()?.selectAllChildren(document.querySelector('ol')!);
      return getSelection()?.toString().split('\n');
    });
    expect(selected).toEqual(CODES);
  });

  test('the codes can be copied on a page without HTTPS, which has no clipboard', async () => {
    const { page, site } = current;
    const insecure = new SheetPage(page, site.url.replace('127.0.0.1', INSECURE_HOST));
    await insecure.open();
    expect(await page.evaluate(() => [isSecureContext, 'clipboard' in navigator])).toEqual([
      false,
      false,
    ]);
    await insecure.button('Copy').click();
    await insecure.waitForText(ENGLISH_LABELS.copied);
    expect(await insecure.focusedName()).toBe('Copy');
    expect(await page.evaluate(() => getSelection()?.toString())).toBe('');
    await page.evaluate(() => {
      const field = document.createElement('textarea');
      document.body.replaceChildren(field);
      field.focus();
    });
    await page.keyboard.press('ControlOrMeta+V');
    expect(await page.locator('textarea').inputValue()).toBe(CODES.join('\n'));
  });
}
