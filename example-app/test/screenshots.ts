// `npm run screenshots`: takes a picture of every page in every state, light and dark, on a phone
// and a desktop. All go to test-results/screenshots, and those for the README also to docs/images.
// Checks nothing; the tests do.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromiumPath, launchChromium } from './helpers/chromium';
import { startService } from './helpers/service';
import { takeTour, TOUR_ENV } from './helpers/tour';

const ROOT = join(__dirname, '..', '..');
const FOLDER = join(ROOT, 'test-results', 'screenshots');
const IMAGES = join(ROOT, 'docs', 'images');
const SIZES = { phone: { width: 320, height: 640 }, desktop: { width: 1280, height: 800 } };
const COLORS = ['light', 'dark'] as const;

/** The pictures for the README, with their maximum heights in pixels. */
const FOR_README: Readonly<Record<string, number>> = {
  'codes-desktop-light': 960,
  'codes-phone-dark': 1400,
  'second-factor-either-phone-light': 700,
  'admin-desktop-light': 960,
};

async function main(): Promise<void> {
  if (chromiumPath === undefined)
    throw new Error('There is no Chromium or Chrome here: install one or set CHROMIUM_PATH.');
  for (const folder of [FOLDER, IMAGES]) mkdirSync(folder, { recursive: true });
  const service = await startService(TOUR_ENV);
  const browser = await launchChromium();
  try {
    await takeTour({
      browser,
      service,
      see: async (name, page) => {
        for (const [size, viewport] of Object.entries(SIZES)) {
          await page.setViewportSize(viewport);
          for (const colorScheme of COLORS) {
            await page.emulateMedia({ colorScheme });
            const picture = `${name}-${size}-${colorScheme}`;
            await page.screenshot({ path: join(FOLDER, `${picture}.png`), fullPage: true });
            const height = FOR_README[picture];
            if (height === undefined) continue;
            const pageHeight = await page.evaluate(() => document.documentElement.scrollHeight);
            await page.screenshot({
              path: join(IMAGES, `${picture}.png`),
              fullPage: true,
              clip: { x: 0, y: 0, width: viewport.width, height: Math.min(height, pageHeight) },
            });
          }
        }
      },
    });
  } finally {
    await browser.close();
    await service.stop();
  }
  process.stdout.write(`${FOLDER}\n`);
}

void main();
