// The page of the test app in Chromium, in the words of a user.
import type { Locator, Page } from 'playwright-core';

export class SheetPage {
  readonly page: Page;
  /** Errors and warnings on the console, and errors that no code caught. */
  readonly problems: string[] = [];
  readonly #url: string;

  constructor(page: Page, url: string) {
    this.page = page;
    this.#url = url;
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.problems.push(message.text());
    });
    page.on('pageerror', (error) => this.problems.push(error.message));
  }

  /** @param path `/rendered`: the server renders the page. `/empty`: only the browser does. */
  async open(testCase = 'plain', path = '/rendered'): Promise<void> {
    await this.page.goto(`${this.#url}${path}?case=${testCase}`);
    await this.page.locator('#root[data-ready]').waitFor();
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  checkbox(): Locator {
    return this.page.getByRole('checkbox');
  }

  status(): Promise<string> {
    return this.page.getByRole('status').innerText();
  }

  error(): Promise<string> {
    return this.page.getByRole('alert').innerText();
  }

  /** Waits until the page shows this message. */
  async waitForText(text: string): Promise<void> {
    await this.page.getByText(text).waitFor();
  }

  /** Waits until the app has replaced the sheet. */
  async waitForEnd(): Promise<void> {
    await this.page.locator('#done').waitFor();
  }

  clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** The name of the element that has the focus. */
  focusedName(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const named = element instanceof HTMLInputElement ? element.labels?.[0] : element;
      return named?.innerText.trim() ?? '';
    });
  }

  /** Presses the tab key until the element with this name has the focus. */
  async tabTo(name: string): Promise<void> {
    for (let steps = 0; steps < 10; steps += 1) {
      if ((await this.focusedName()) === name) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`The tab key does not reach "${name}".`);
  }
}
