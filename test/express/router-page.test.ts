// docs/router.md: its blocks run, and its tables tell what the router answers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Express } from 'express';
import { backupCodesOpenApi } from '../../lib/express';
import { recipesOf, runRecipe } from '../helpers/recipes';
import { openService } from '../helpers/service';
import { memory } from '../helpers/stores';
import { BASE } from './router-apps';
import { Site, type Browser } from './login-site';

const page = readFileSync(join(__dirname, '../../docs/router.md'), 'utf8');
const recipes = recipesOf('docs/router.md');

test('every recipe is run here', () => {
  expect([...recipes.keys()]).toEqual(['mount', 'client', 'openapi']);
});

describe('the page', () => {
  let site: Site;
  let app: Express;
  let browser: Browser;
  const opened = openService(memory.open);

  beforeAll(async () => {
    site = await Site.open({
      routes: (made) => {
        app = made;
      },
    });
    site.clock = Date.now();
    const { backupCodes } = await opened;
    // Behind the error handling of the site, which is not needed here.
    await runRecipe(recipes.get('mount')!, { app, backupCodes });
    await runRecipe(recipes.get('openapi')!, { app });
    browser = site.browser();
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/totp', { code: 'right' });
  });
  afterAll(() => site.shut());

  const inBrowser = (path: string, init: RequestInit): Promise<Response> =>
    fetch(browser.origin + path, {
      ...init,
      headers: {
        ...(init.headers as Record<string, string>),
        cookie: browser.cookie!,
        'sec-fetch-site': 'same-origin',
      },
    });

  test('stages, shows and activates', async () => {
    const { backupCodes } = await opened;
    const show = async ({ codes }: { codes: string[] }): Promise<void> => {
      expect(codes).toHaveLength(10);
      expect(await backupCodes.status('ada')).toBeNull();
    };
    const { set } = await runRecipe(
      recipes.get('client')!,
      { fetch: inBrowser, show, stepUp: () => undefined },
      ['set'],
    );
    expect(await backupCodes.status('ada')).toMatchObject({
      setId: (set as { setId: string }).setId,
      remaining: 10,
    });
  });

  test('is led to show both factors again where that was long ago', async () => {
    const asked: unknown[] = [];
    site.passSeconds(-360);
    const tired = site.browser();
    await tired.post('/login', { user: 'bob' });
    await tired.post('/login/totp', { code: 'right' });
    browser = tired;
    const stepUp = (answer: unknown): never => {
      asked.push(answer);
      throw new Error('went to show them');
    };
    await expect(
      runRecipe(recipes.get('client')!, { fetch: inBrowser, show: () => undefined, stepUp }),
    ).rejects.toThrow('went to show them');
    expect(asked).toMatchObject([{ acr_values: 'aal2', max_age: 300 }]);
  });

  test('serves the description', async () => {
    expect((await browser.get('/openapi.json')).body).toEqual(
      backupCodesOpenApi({ basePath: BASE }),
    );
  });
});

test('its table of refusals is that of the description, but for the methods that are not described', () => {
  const rows = [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  const described = Object.values(backupCodesOpenApi().paths)
    .flatMap((methods) => Object.values(methods))
    .flatMap((operation) => Object.entries((operation as { responses: object }).responses))
    .flatMap(([status, response]) =>
      [...JSON.stringify(response).matchAll(/"code":\{"const":"(\w+)"\}/g)].map(
        ([, code]) => `${status} ${code}`,
      ),
    );
  expect(rows.sort()).toEqual(
    [
      ...new Set([...described, '401 insufficient_user_authentication', '405 method_not_allowed']),
    ].sort(),
  );
});
