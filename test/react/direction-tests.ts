// The sheet on a page that is written from right to left. Run by browser.test.ts.
import { drawnTexts } from '../../example-app/test/helpers/drawn-text';
import type { BrowserTest } from './browser-tests';
import { BIDIRECTIONAL_CODES, readPdf } from './site';

export function directionTests(current: BrowserTest, folder: () => string): void {
  async function openInLanguage(lang: string): Promise<void> {
    await current.sheet.open('bidirectional');
    await current.page.evaluate((given) => {
      document.documentElement.dir = 'rtl';
      document.documentElement.lang = given;
    }, lang);
  }

  describe.each([
    ['Hebrew', 'he'],
    ['Arabic', 'ar'],
  ])('on a page in %s', (_language, lang) => {
    test.each(['screen', 'print'] as const)(
      'every code is drawn from left to right on the %s, as the user types it',
      async (media) => {
        await current.page.emulateMedia({ media });
        await openInLanguage(lang);
        expect(await drawnTexts(current.page.locator('li > code'))).toEqual(BIDIRECTIONAL_CODES);
      },
    );

    test('every code is printed from left to right, in a PDF too', async () => {
      await openInLanguage(lang);
      const file = `${folder()}/${lang}.pdf`;
      await current.page.pdf({ path: file, format: 'A4' });
      const [printed = ''] = await readPdf(file);
      for (const code of BIDIRECTIONAL_CODES) expect(printed).toContain(code);
    });

    test('dates and an account of digits are drawn from left to right', async () => {
      await openInLanguage(lang);
      const { page } = current;
      expect(await drawnTexts(page.locator('time'))).toEqual([
        '2026-11-21 00:00 UTC',
        '2027-11-21 00:00 UTC',
      ]);
      const account = page.locator('bdi').nth(1);
      expect(await drawnTexts(account)).toEqual(['+49 170 1234567']);
    });
  });
}
