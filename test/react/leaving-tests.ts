// What happens when the user leaves the page of the sheet and comes back. Run by browser.test.ts.
import type { Dialog } from 'playwright-core';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import type { BrowserTest } from './browser-tests';
import { CODES } from './sample-set';
import { NEW_CODES } from './site';

/** What a page shows at the moment when the Back button brings it back. */
interface ShownAgain {
  readonly wasKept: boolean;
  readonly html: string;
}

export function leavingTests(current: BrowserTest): void {
  const codesIn = (html: string): string[] => CODES.filter((code) => html.includes(code));
  const leave = (): Promise<void> =>
    current.page.evaluate(() => {
      location.href = '/elsewhere';
    });

  /** Leaves the page and goes back to it. */
  async function leaveAndGoBack(): Promise<ShownAgain> {
    const { page } = current;
    await page.evaluate(() => {
      addEventListener('pageshow', ({ persisted }) => {
        const html = document.documentElement.outerHTML;
        Object.assign(window, { shownAgain: { wasKept: persisted, html } });
      });
    });
    await leave();
    await page.waitForURL('**/elsewhere');
    // goBack() would wait for the event "load", which a kept page does not have.
    await page.evaluate(() => history.back());
    await page.waitForURL('**/rendered*', { waitUntil: 'commit' });
    const shownAgain = await page.waitForFunction(
      () => Reflect.get(window, 'shownAgain') as unknown,
    );
    return (await shownAgain.jsonValue()) as ShownAgain;
  }

  test('going back shows a sentence instead of the codes, although the browser kept the page', async () => {
    const { page, sheet, site } = current;
    await sheet.open('spread');
    expect(codesIn(await page.content())).toEqual(CODES);
    const { wasKept, html } = await leaveAndGoBack();
    expect(wasKept).toBe(true);
    expect(codesIn(html)).toEqual([]);
    expect(html).toContain(ENGLISH_LABELS.leftPage);
    expect(await sheet.focusedName()).toBe(ENGLISH_LABELS.leftPage);
    for (const name of ['Copy', 'Download', 'Print', ENGLISH_LABELS.startOver]) {
      expect(await sheet.button(name).count()).toBe(0);
    }
    // A user who has saved the codes can still turn them on.
    await sheet.checkbox().check();
    await sheet.button('Continue').click();
    await sheet.waitForEnd();
    expect([...site.activated]).toEqual([['spread', 1]]);
  });

  test('a user who comes back can ask for new codes, which are shown', async () => {
    const { page, sheet, site } = current;
    await sheet.open('late');
    await leaveAndGoBack();
    await sheet.button(ENGLISH_LABELS.startOver).click();
    await page.locator('li').first().waitFor();
    expect(await page.locator('li').allInnerTexts()).toEqual(NEW_CODES);
    expect([...site.staged]).toEqual([['late', 1]]);
    expect(await page.getByText(ENGLISH_LABELS.leftPage).count()).toBe(0);
  });

  async function dialogs(): Promise<Dialog[]> {
    const seen: Dialog[] = [];
    current.page.on('dialog', (dialog) => {
      seen.push(dialog);
      void dialog.dismiss();
    });
    return seen;
  }

  test('the browser asks before the user leaves a sheet that is not saved', async () => {
    const { page, sheet } = current;
    await sheet.open();
    const seen = await dialogs();
    // A browser asks only on a page that the user has touched.
    await sheet.checkbox().check();
    const asked = page.waitForEvent('dialog');
    await leave();
    expect((await asked).type()).toBe('beforeunload');
    expect(seen).toHaveLength(1);
    expect(new URL(page.url()).pathname).toBe('/rendered');
    expect(await page.locator('li').count()).toBe(CODES.length);
  });

  test('a download, a copy and a print do not make the browser ask', async () => {
    const { page, sheet } = current;
    await sheet.open();
    const seen = await dialogs();
    const download = page.waitForEvent('download');
    await sheet.button('Download').click();
    await download;
    await sheet.button('Copy').click();
    await sheet.waitForText(ENGLISH_LABELS.copied);
    await sheet.button('Print').click();
    expect(seen).toEqual([]);
  });

  test.each([
    ['plain', 'after the user has continued'],
    ['without-warning', 'if the app turns the warning off'],
  ])('in the case %s the browser does not ask: %s', async (testCase) => {
    const { page, sheet } = current;
    await sheet.open(testCase);
    const seen = await dialogs();
    await sheet.checkbox().check();
    if (testCase === 'plain') {
      await sheet.button('Continue').click();
      await sheet.waitForEnd();
    }
    await leave();
    await page.waitForURL('**/elsewhere');
    expect(seen).toEqual([]);
  });
}
