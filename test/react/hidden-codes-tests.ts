// Codes that are hidden until the user asks for them. Run by browser.test.ts.
import { readFileSync } from 'node:fs';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import type { BrowserTest } from './browser-tests';
import { CODES } from './sample-set';
import { readPdf } from './site';

export function hiddenCodesTests(current: BrowserTest, folder: () => string): void {
  const codesOnPage = async (): Promise<string[]> => {
    const content = await current.page.content();
    return CODES.filter((code) => content.includes(code));
  };

  test('a user shows and hides the codes with the keyboard, and the focus stays', async () => {
    const { page, sheet } = current;
    await sheet.open('hidden');
    expect(await codesOnPage()).toEqual([]);
    await sheet.tabTo(ENGLISH_LABELS.show);
    await page.keyboard.press('Enter');
    expect(await page.locator('li').allInnerTexts()).toEqual(CODES);
    expect(await sheet.focusedName()).toBe(ENGLISH_LABELS.hide);
    await page.keyboard.press('Space');
    expect(await codesOnPage()).toEqual([]);
    expect(await sheet.focusedName()).toBe(ENGLISH_LABELS.show);
  });

  test('a screen reader finds hidden codes only after the user asks for them', async () => {
    const { page, sheet } = current;
    await sheet.open('hidden');
    const section = page.locator('section');
    expect(await section.ariaSnapshot()).not.toMatch(/- (?:list|code)/);
    await sheet.button(ENGLISH_LABELS.show).click();
    const snapshot = await section.ariaSnapshot();
    for (const code of CODES) expect(snapshot).toContain(`code: ${code}`);
  });

  test('hidden codes can be copied and downloaded, and stay hidden', async () => {
    const { page, sheet } = current;
    await sheet.open('hidden');
    await sheet.button('Copy').click();
    await sheet.waitForText(ENGLISH_LABELS.copied);
    expect(await sheet.clipboard()).toBe(CODES.join('\n'));
    const coming = page.waitForEvent('download');
    await sheet.button('Download').click();
    const file = readFileSync(await (await coming).path(), 'utf8');
    for (const code of CODES) expect(file).toContain(code);
    expect(await codesOnPage()).toEqual([]);
  });

  test('a page prints its codes only if they are shown, and the button shows them', async () => {
    const { page, sheet } = current;
    await sheet.open('hidden');
    const file = `${folder()}/hidden.pdf`;
    await page.pdf({ path: file });
    const [hidden = ''] = await readPdf(file);
    expect(CODES.filter((code) => hidden.includes(code))).toEqual([]);
    expect(hidden).not.toContain(ENGLISH_LABELS.show);
    await page.evaluate(() =>
      addEventListener('beforeprint', () => {
        document.documentElement.dataset['printed'] = document.body.innerText;
      }),
    );
    await sheet.button('Print').click();
    const printed = page.locator('html[data-printed]');
    await printed.waitFor({ state: 'attached' });
    const text = (await printed.getAttribute('data-printed')) ?? '';
    expect(CODES.filter((code) => text.includes(code))).toEqual(CODES);
  });
}
