// Runs the blocks of docs/router.md, and compares its table of refusals with the OpenAPI document.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Express } from 'express';
import { backupCodesOpenApi, backupCodesRouter, requireAssurance } from '../../lib/express';
import { recipesOf, runRecipe } from '../helpers/recipes';
import { openService } from '../helpers/service';
import { memory } from '../helpers/stores';
import { resolveReferences } from './openapi-references';
import { BASE } from './router-apps';
import type { Browser } from './browser';
import { LoginSite } from './login-site';

const page = readFileSync(join(__dirname, '../../docs/router.md'), 'utf8');
const recipes = recipesOf('docs/router.md');

test('every block of docs/router.md is run here', () => {
  expect([...recipes.keys()]).toEqual(['mount', 'client', 'origins', 'openapi']);
});

describe('docs/router.md', () => {
  let site: LoginSite;
  let app: Express;
  let browser: Browser;
  const opened = openService(memory.open);

  beforeAll(async () => {
    site = await LoginSite.open({
      routes: (made) => {
        app = made;
      },
    });
    site.clock = Date.now();
    const { backupCodes } = await opened;
    // These routes come after the error handler of the site, which is not needed here.
    await runRecipe(recipes.get('mount')!, { app, backupCodes });
    await runRecipe(recipes.get('openapi')!, { app });
    browser = site.browser();
    await browser.post('/login', { user: 'ada' });
    await browser.post('/login/totp', { code: 'valid' });
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

  test('the client of the page stages a set, shows it and activates it', async () => {
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

  test('the client of the page steps up if both factors were shown long ago', async () => {
    const challenges: unknown[] = [];
    site.passSeconds(-360);
    const stale = site.browser();
    await (await opened).backupCodes.issue('bob');
    await stale.post('/login', { user: 'bob' });
    await stale.post('/login/totp', { code: 'valid' });
    browser = stale;
    const stepUp = (answer: unknown): never => {
      challenges.push(answer);
      throw new Error('went to step up');
    };
    await expect(
      runRecipe(recipes.get('client')!, { fetch: inBrowser, show: () => undefined, stepUp }),
    ).rejects.toThrow('went to step up');
    expect(challenges).toMatchObject([{ acr_values: 'aal2', max_age: 300 }]);
  });

  test('the app of the page serves the OpenAPI document', async () => {
    expect((await browser.get('/openapi.json')).body).toEqual(
      backupCodesOpenApi({ basePath: BASE }),
    );
  });
});

test('a page of a listed origin passes the preflight and makes codes, and no other', async () => {
  const { backupCodes } = await openService(memory.open);
  const site = await LoginSite.open({
    routes: (made, { now }) => {
      const scope = { app: made, backupCodes, backupCodesRouter: routerOf(now) };
      void runRecipe(recipes.get('origins')!, scope);
    },
  });
  const browser = site.browser();
  await browser.post('/login', { user: 'ada' });
  await browser.post('/login/totp', { code: 'valid' });
  const send = (method: string, origin: string): Promise<Response> =>
    fetch(browser.origin + BASE, {
      method,
      headers: {
        origin,
        cookie: browser.cookie!,
        'sec-fetch-site': 'same-site',
        'content-type': 'application/json',
      },
      ...(method === 'POST' && { body: '{}' }),
    });
  const preflight = await send('OPTIONS', 'https://app.example.com');
  expect([preflight.status, preflight.headers.get('access-control-allow-credentials')]).toEqual([
    204,
    'true',
  ]);
  const made = await send('POST', 'https://app.example.com');
  expect([made.status, made.headers.get('access-control-allow-origin')]).toEqual([
    201,
    'https://app.example.com',
  ]);
  const refused = await send('POST', 'https://evil.example');
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  await site.shut();
});

/** The router with the clock of the site. */
function routerOf(now: () => number): typeof backupCodesRouter {
  return (options) =>
    backupCodesRouter({ guard: requireAssurance({ maxAgeSeconds: 300, now }), ...options });
}

test('the table of refusals lists those of the OpenAPI document, and 405', () => {
  const rows = [...page.matchAll(/^\| (\d{3}) \| `(\w+)` \|/gm)].map(
    ([, status, code]) => `${status} ${code}`,
  );
  const described = Object.values(resolveReferences(backupCodesOpenApi()).paths)
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
