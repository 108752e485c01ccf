// How a staged set becomes active, and what a user sees if it no longer can. Run by browser.test.ts.
import { ENGLISH_LABELS } from '../../lib/react/labels';
import { HOUR_MS } from '../helpers/clock';
import type { BrowserTest } from './browser-tests';
import { CODES } from './sample-set';
import { NEW_CODES } from './site';

export function activationTests(current: BrowserTest): void {
  const shownCodes = (): Promise<string[]> => current.page.locator('li').allInnerTexts();
  const acknowledge = async (): Promise<void> => {
    await current.sheet.checkbox().check();
    await current.sheet.button('Continue').click();
  };

  test('the sheet sends no request, although StrictMode mounts it twice', async () => {
    const { page, sheet, site } = current;
    const requests: string[] = [];
    page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
    await sheet.open();
    const posts = requests.filter((request) => request.startsWith('POST'));
    expect([posts, [...site.staged], [...site.activated]]).toEqual([[], [], []]);
  });

  test('if a set can no longer be turned on, the sheet says so and removes its codes', async () => {
    const { page, sheet } = current;
    current.allowProblems(/409/);
    await sheet.open('late-without-start-over');
    await acknowledge();
    await sheet.waitForText(ENGLISH_LABELS.notActivated);
    const content = await page.content();
    expect(CODES.filter((code) => content.includes(code))).toEqual([]);
    expect(content).not.toContain(ENGLISH_LABELS.continueFailed);
    expect(await sheet.focusedName()).toBe(ENGLISH_LABELS.notActivated);
    expect(await page.locator('section').getByRole('button').count()).toBe(0);
    expect(await sheet.checkbox().count()).toBe(0);
  });

  test('a user whose set can no longer be turned on starts over with new codes', async () => {
    const { sheet, site } = current;
    current.allowProblems(/409/);
    await sheet.open('late');
    await acknowledge();
    await sheet.button(ENGLISH_LABELS.startOver).dblclick();
    await sheet.waitForText(NEW_CODES[0]!);
    expect(await shownCodes()).toEqual(NEW_CODES);
    expect(await sheet.checkbox().isChecked()).toBe(false);
    await acknowledge();
    await sheet.waitForEnd();
    expect([[...site.staged], [...site.activated]]).toEqual([[['late', 1]], [['late', 2]]]);
  });

  test('if new codes cannot be made, the user and the app see it, and a retry works', async () => {
    const { sheet } = current;
    current.allowProblems(/./);
    await sheet.open('late-and-down');
    await acknowledge();
    await sheet.button(ENGLISH_LABELS.startOver).click();
    await sheet.waitForText(ENGLISH_LABELS.continueFailed);
    expect(sheet.problems).toContain('the set could not be staged');
    await sheet.button(ENGLISH_LABELS.startOver).click();
    await sheet.waitForText(NEW_CODES[0]!);
  });

  describe('the component in the documentation, with the router', () => {
    const MAKE = 'Make new backup codes';
    let eventsBefore = 0;
    /** The types of the events of this test, in their order. */
    const listEvents = async (): Promise<string[]> => {
      const { events } = await current.site.backupCodes.audit.events();
      return events.slice(eventsBefore).map(({ type }) => type);
    };

    beforeEach(async () => {
      eventsBefore = 0;
      eventsBefore = (await listEvents()).length;
    });

    test('the documented component stages once in StrictMode, even on a double click', async () => {
      const { page, sheet, site } = current;
      await sheet.open('', '/guide');
      expect(await listEvents()).toEqual([]);
      await sheet.button(MAKE).dblclick();
      await page.locator('li').first().waitFor();
      for (const text of ['Example Shop', 'ada@example.com']) await sheet.waitForText(text);
      expect(await listEvents()).toEqual(['staged']);
      const [code = ''] = await shownCodes();
      await acknowledge();
      await sheet.waitForEnd();
      expect(await listEvents()).toEqual(['staged', 'activated']);
      expect(await site.backupCodes.consume('ada', code)).toMatchObject({ ok: true });
      expect(await page.content()).not.toContain(code);
    });

    test('the documented component starts over after an hour', async () => {
      const { page, sheet, site } = current;
      current.allowProblems(/409/);
      await sheet.open('', '/guide');
      await sheet.button(MAKE).click();
      await page.locator('li').first().waitFor();
      const old = await shownCodes();
      site.clock.advance(HOUR_MS);
      await acknowledge();
      await sheet.waitForText(ENGLISH_LABELS.notActivated);
      await sheet.button(ENGLISH_LABELS.startOver).click();
      await page.locator('li').first().waitFor();
      const [code = ''] = await shownCodes();
      expect(old).not.toContain(code);
      await acknowledge();
      await sheet.waitForEnd();
      expect(await site.backupCodes.consume('ada', code)).toMatchObject({ ok: true });
    });
  });
}
