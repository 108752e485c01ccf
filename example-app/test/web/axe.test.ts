// Every page in every state, in a real browser: what axe says of it, whether all of it fits a
// phone, what it weighs, whether it holds still, and whether its forms tell what they want to
// people who cannot see them.
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
/** The rules that ask for colours. */
const OF_COLORS = ['color-contrast', 'link-in-text-block'];
const MAX_BYTES = 100_000;
/** Of whatever is touched: WCAG 2.2, 2.5.5. */
const TARGET_PX = 44;

jest.setTimeout(180_000);

describeInBrowser(
  'every page, light and dark, on a phone of 320 pixels and on a desktop',
  lookAtAll,
);

interface Field {
  readonly type: string;
  readonly name: string;
  readonly label: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** What is read out with it. */
  readonly description: string;
}

/** The browser's own name for it, which TypeScript's library lacks. */
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
  /** Buttons and links that stand for themselves, too small for a finger. */
  readonly small: readonly string[];
}

function lookAtAll(): void {
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
      stops.push({ name, ...(await look(page)) });
      for (const size of SIZES) {
        await page.setViewportSize(size);
        for (const colorScheme of COLORS) {
          await page.emulateMedia({ colorScheme });
          violations.push(
            ...(await askAxe(page, colorScheme)).map(
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

  test('axe finds nothing', () => {
    expect(violations).toEqual([]);
  });

  test('none is left out: each view was looked at', () => {
    const pages = readdirSync(VIEWS).filter(
      (file) =>
        file.endsWith('.ejs') &&
        readFileSync(join(VIEWS, file), 'utf8').includes("include('partials/top')"),
    );
    expect(pages.length).toBeGreaterThan(15);
    expect(pages.filter((file) => !views.has(file.replace('.ejs', '')))).toEqual([]);
  });

  test('nothing sticks out at the side', () => {
    expect(tooWide).toEqual([]);
  });

  test('a first view is less than 100 kB', () => {
    expect(stops.filter(({ bytes }) => bytes === 0 || bytes >= MAX_BYTES)).toEqual([]);
  });

  test('nothing moves while it is read', () => {
    expect(stops.filter(({ shift }) => shift > 0).map(({ name, shift }) => [name, shift])).toEqual(
      [],
    );
  });

  test('whatever is touched is 44 pixels high or more', () => {
    expect(stops.flatMap(({ name, small }) => small.map((what) => `${name}: ${what}`))).toEqual([]);
  });

  test('each field has a visible label, and its error is an alert that is read out with it', () => {
    const fields = stops.flatMap((stop) =>
      stop.fields.map((field) => ({ stop: stop.name, ...field })),
    );
    expect(fields.filter(({ label }) => label === '')).toEqual([]);
    const wrong = fields.filter(({ attributes }) => attributes['aria-invalid'] === 'true');
    expect(wrong.map(({ stop, name }) => [stop, name])).toEqual(
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
      wrong.filter(
        ({ stop, description }) => !alertsAt(stop).some((alert) => description.includes(alert)),
      ),
    ).toEqual([]);
  });

  test('a code is one field: of the app with one-time-code, a backup code with no completion, in capitals and unchecked', () => {
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
      expect.arrayContaining(['second-factor', 'step_up', 'authenticator-app']),
    );
    expect(kinds(ofTheApp, ['type', 'autocomplete', 'inputmode', 'maxlength'])).toEqual([
      'text one-time-code numeric none',
    ]);
  });

  test('the browser has nothing to complain of, and the service neither', () => {
    expect(
      complaints.filter(
        (text) =>
          !/Failed to load resource: the server responded with a status of 4\d\d/.test(text),
      ),
    ).toEqual([]);
  });
}

/** Names of views, as they are rendered. */
function watchViews({ app }: Service): readonly string[] {
  const rendered: string[] = [];
  const render = app.render.bind(app) as (...args: unknown[]) => void;
  app.render = (...args: unknown[]) => {
    rendered.push(String(args[0]));
    render(...args);
  };
  return rendered;
}

/** The page's own security policy stays on: this is no script of the page. */
async function askAxe(page: Page, colorScheme: (typeof COLORS)[number]): Promise<string[]> {
  if (await page.evaluate(() => !('axe' in globalThis))) await page.evaluate(axe.source);
  // In the dark only colours are others: the same elements, sizes and names were looked at in the
  // light.
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

/** As a person finds it, before anything is resized. */
function look(page: Page): Promise<Omit<Seen, 'name'>> {
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
      // What was buffered is told before the next but one frame.
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
        'button, a.button, input:not([type=checkbox]), select, label:has(input), nav a, footer a, p > a:only-child, summary',
      ),
    ].filter(isShown);
    return {
      // What a cache spares counts too.
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
      // A link within a sentence is as high as the sentence.
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
