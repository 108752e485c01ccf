// What the tests in a browser share. browser.test.ts opens the page before each test.
import type { Page } from 'playwright-core';
import type { SheetPage } from './sheet-page';
import type { SheetSite } from './site';

export interface BrowserTest {
  readonly page: Page;
  readonly sheet: SheetPage;
  readonly site: SheetSite;
  /** Allows problems on the console that the test provokes. All others make it fail. */
  allowProblems(pattern: RegExp): void;
}
