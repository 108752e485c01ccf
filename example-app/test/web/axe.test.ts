// Every page in every state, in a real browser: the findings of axe, the width on a phone, the size
// of the download, layout shifts, and accessible form fields.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, launchChromium } from '../helpers/chromium';
import { type Service, startService } from '../helpers/service';
import { takeTour, TOUR_ENV } from '../helpers/tour';

const VIEWS = join(__dirname, '..', '..', 'views');
const SIZES = [
  { width: 320, height: 640 },
  { width: 1280, height: 800 },
] as const;
const COLORS = ['light', 'dark'] as const;
/** The rules that depend on colours. */
const OF_COLORS = ['color-contrast', 'link-in-text-block'];
const MAX_BYTES = 100_000;
/** The height of every control: WCAG 2.2, 2.5.5. */
const TARGET_PX = 44;

jest.setTimeout(600_000);

describeInBrowser(
  'Every page, light and dark, on a phone with 320 pixels and on a desktop',
  checkAllPages,
);

interface Field {
  readonly type: string;
  readonly name: string;
  readonly label: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The text that a screen reader reads with the field. */
  readonly description: string;
}

/** The browser's name for this type, which TypeScript's library lacks. */
interface LayoutShift extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
}

interface Seen {
  readonly name: string;
  readonly bytes: number;
  readonly shift: number;
  readonly fields: readonly Field[];
  readonly alerts: readonly string[];
  /** Buttons and standalone links that are too small for a finger. */
  readonly small: readonly string[];
}

function checkAllPages(): void {
  const stops: Seen[] = [];
  const views = new Set<string>();
  const violations: string[] = [];
  const tooWide: string[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const [browser, service] = await Promise.all([launchChromium(), startService(TOUR_ENV)]);
    const rendered = watchViews(service);
    const see = async (name: string, page: Page): Promise<void> => {
      await page.waitForLoadState('load');
      stops.push({ name, ...(await inspect(page)) });
      for (const size of SIZES) {
        await page.setViewportSize(size);
        for (const colorScheme of COLORS) {
          await page.emulateMedia({ colorScheme });
          violations.push(
            ...(await runAxe(page, colorScheme)).map(
              (what) => `${name}, ${size.width} ${colorScheme}: ${what}`,
            ),
          );
        }
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width !== size.width) tooWide.push(`${name} is ${width} pixels wide at ${size.width}`);
      }
      views.add(rendered.at(-1)!);
    };
    try {
      await takeTour({
        browser,
        service,
        see,
        onTab: (page) => page.on('console', (message) => complaints.push(message.text())),
      });
    } finally {
      await closeAll(browser, service);
    }
    complaints.push(...service.faults.map(String));
  });

  test('axe finds no violation on any page', () => {
    expect(violations).toEqual([]);
  });

  test('Every view was checked', () => {
    const pages = readdirSync(VIEWS).filter(
      (file) =>
        file.endsWith('.ejs') &&
        readFileSync(join(VIEWS, file), 'utf8').includes("include('partials/top')"),
    );
    expect(pages.length).toBeGreaterThan(15);
    expect(pages.filter((file) => !views.has(file.replace('.ejs', '')))).toEqual([]);
  });

  test('No page is wider than the screen', () => {
    expect(tooWide).toEqual([]);
  });

  test('A page downloads less than 100 kB on the first visit', () => {
    expect(stops.filter(({ bytes }) => bytes === 0 || bytes >= MAX_BYTES)).toEqual([]);
  });

  test('No page shifts its layout after it is shown', () => {
    expect(stops.filter(({ shift }) => shift > 0).map(({ name, shift }) => [name, shift])).toEqual(
      [],
    );
  });

  test('Every control is at least 44 pixels high', () => {
    expect(stops.flatMap(({ name, small }) => small.map((what) => `${name}: ${what}`))).toEqual([]);
  });

  test('Each field has a visible label, and its error is an alert that describes it', () => {
    const fields = stops.flatMap((stop) =>
      stop.fields.map((field) => ({ stop: stop.name, ...field })),
    );
    expect(fields.filter(({ label }) => label === '')).toEqual([]);
    const invalid = fields.filter(({ attributes }) => attributes['aria-invalid'] === 'true');
    expect(invalid.map(({ stop, name }) => [stop, name])).toEqual(
      expect.arrayContaining([
        ['sign-up-refused', 'password'],
        ['authenticator-app-refused', 'code'],
        ['backup-code-malformed', 'code'],
        ['backup-code-wait', 'code'],
      ]),
    );
    const alertsAt = (stop: string): readonly string[] =>
      stops.find(({ name }) => name === stop)!.alerts;
    expect(
      invalid.filter(
        ({ stop, description }) => !alertsAt(stop).some((alert) => description.includes(alert)),
      ),
    ).toEqual([]);
  });

  test('A code has one field: one-time-code for TOTP, no autocomplete for backup codes', () => {
    const codeFields = stops
      .map(({ name, fields }) => ({
        name,
        fields: fields.filter((field) => field.name === 'code'),
      }))
      .filter(({ fields }) => fields.length > 0);
    expect(codeFields.filter(({ fields }) => fields.length !== 1)).toEqual([]);
    const isBackupCode = ({ fields: [field] }: (typeof codeFields)[number]): boolean =>
      /backup code/i.test(field!.label);
    const kinds = (stopsOfKind: typeof codeFields, attributes: readonly string[]): string[] => [
      ...new Set(
        stopsOfKind.map(({ fields: [field] }) =>
          attributes.map((name) => field!.attributes[name] ?? 'none').join(' '),
        ),
      ),
    ];
    const [ofBackupCodes, ofTheApp] = [
      codeFields.filter(isBackupCode),
      codeFields.filter((stop) => !isBackupCode(stop)),
    ];
    expect(ofBackupCodes.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'backup-code',
        'backup-code-wait',
        'step-up-backup-code',
        'vault',
        'vault-request-of-another',
      ]),
    );
    expect(
      kinds(ofBackupCodes, ['type', 'autocomplete', 'autocapitalize', 'spellcheck', 'maxlength']),
    ).toEqual(['text off characters false none']);
    expect(ofTheApp.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['second-factor', 'step-up', 'authenticator-app']),
    );
    expect(kinds(ofTheApp, ['type', 'autocomplete', 'inputmode', 'maxlength'])).toEqual([
      'text one-time-code numeric none',
    ]);
  });

  test('The browser and the service report no errors', () => {
    expect(
      complaints.filter(
        (text) =>
          !/Failed to load resource: the server responded with a status of 4\d\d/.test(text),
      ),
    ).toEqual([]);
  });
}

/** The names of the views, in the order in which they are rendered. */
function watchViews({ app }: Service): readonly string[] {
  const rendered: string[] = [];
  const render = app.render.bind(app) as (...args: unknown[]) => void;
  app.render = (...args: unknown[]) => {
    rendered.push(String(args[0]));
    render(...args);
  };
  return rendered;
}

/** The page's security policy stays on, because this script is not part of the page. */
async function runAxe(page: Page, colorScheme: (typeof COLORS)[number]): Promise<string[]> {
  if (await page.evaluate(() => !('axe' in globalThis))) await page.evaluate(axe.source);
  // In dark mode only the colours differ. Elements, sizes and names were checked in light mode.
  const options: axe.RunOptions = {
    resultTypes: ['violations'],
    ...(colorScheme === 'dark' && { runOnly: OF_COLORS }),
  };
  const found = await page.evaluate(
    (given) => (globalThis as unknown as { axe: typeof axe }).axe.run(document, given),
    options,
  );
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} at ${html}: ${failureSummary ?? ''}`),
  );
}

/** The page before it is resized. */
function inspect(page: Page): Promise<Omit<Seen, 'name'>> {
  return page.evaluate(async (targetPx) => {
    const shifts = await new Promise<number[]>((resolve) => {
      const seen: number[] = [];
      new PerformanceObserver((list) =>
        seen.push(
          ...(list.getEntries() as LayoutShift[])
            .filter(({ hadRecentInput }) => !hadRecentInput)
            .map(({ value }) => value),
        ),
      ).observe({ type: 'layout-shift', buffered: true });
      // Buffered entries are delivered before the next but one frame.
      requestAnimationFrame(() => setTimeout(() => resolve(seen), 20));
    });
    const transfers = performance
      .getEntries()
      .filter(
        (entry): entry is PerformanceResourceTiming => entry instanceof PerformanceResourceTiming,
      );
    const textOf = (ids: string | null): string =>
      (ids ?? '')
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent.trim() ?? '')
        .join(' ');
    const isShown = (element: Element): boolean =>
      element.checkVisibility() && element.getBoundingClientRect().width > 1;
    const inputs = [
      ...document.querySelectorAll<HTMLInputElement | HTMLSelectElement>('input, select'),
    ].filter(isShown);
    const touched = [
      ...document.querySelectorAll(
        'button, a.button, input:not([type=checkbox]), select, label:has(input), nav a, ' +
          'footer a, p > a:only-child, summary',
      ),
    ].filter(isShown);
    return {
      // Cached files count too.
      bytes: transfers.reduce(
        (sum, { transferSize, encodedBodySize }) => sum + Math.max(transferSize, encodedBodySize),
        0,
      ),
      shift: shifts.reduce((sum, value) => sum + value, 0),
      fields: inputs.map((input) => ({
        type: input.type,
        name: input.name,
        label: [...(input.labels ?? [])]
          .filter(isShown)
          .map((label) => label.textContent.trim())
          .join(' '),
        attributes: Object.fromEntries(
          [...input.attributes].map(({ name, value }) => [name, value]),
        ),
        description: textOf(input.getAttribute('aria-describedby')),
      })),
      alerts: [...document.querySelectorAll('[role=alert]')].map((alert) =>
        alert.textContent.trim(),
      ),
      // A link within a sentence is only as high as the sentence.
      small: touched
        .filter(
          (element) =>
            !(
              element.matches('p > a') &&
              element.parentElement!.textContent.trim() !== element.textContent.trim()
            ),
        )
        .filter((element) => Math.round(element.getBoundingClientRect().height) < targetPx)
        .map(
          (element) =>
            `${element.outerHTML.slice(0, 120)} is ${element.getBoundingClientRect().height} high`,
        ),
    };
  }, TARGET_PX);
}

async function closeAll(browser: Browser, service: Service): Promise<void> {
  await browser.close();
  await service.stop();
}
