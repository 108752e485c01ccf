// The description of the router against its real answers: each is valid by it, none is missing in it, and it tells of none that never comes.
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import type { BackupCodesOptions, Hasher } from '../../lib';
import { backupCodesOpenApi } from '../../lib/express';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import {
  ask,
  BASE,
  expresses,
  openBareApp,
  openCodeSite,
  type BareApp,
  type CodeSite,
  type Question,
  type Told,
} from './router-apps';

interface Described {
  readonly headers: Readonly<
    Record<string, { readonly required?: boolean; readonly schema: object }>
  >;
  readonly content?: { readonly 'application/json': { readonly schema: object } };
}
interface Operation {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: object } };
  };
  readonly responses: Readonly<Record<string, Described>>;
}

const description = backupCodesOpenApi({ basePath: BASE });
const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'https://openapi.invalid/', components: description.components });

/** A schema of the description, its references read there. */
function validator(schema: object): ValidateFunction {
  return ajv.compile(
    JSON.parse(
      JSON.stringify(schema).replaceAll('"#/components/', '"https://openapi.invalid/#/components/'),
    ) as object,
  );
}

function violations(schema: object, value: unknown): string[] {
  const validate = validator(schema);
  return validate(value)
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${instancePath} ${message} ${JSON.stringify(params)}`,
      );
}

/** `POST /stage`, of each path and method. */
const operations = new Map<string, Operation>(
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) =>
        [
          `${method.toUpperCase()} ${path.slice(BASE.length) || '/'}`,
          operation as Operation,
        ] as const,
    ),
  ),
);

const seen = new Set<string>();

/** Asks, and holds the answer, and what was asked where it was accepted, against the description. */
async function check(
  who: Parameters<typeof ask>[0],
  at: string,
  question: Question = {},
): Promise<Told> {
  const answer = await ask(who, at, question);
  const described = operations.get(at)?.responses[answer.status];
  if (described === undefined)
    throw new Error(`${at} answered ${answer.status}, which is not in the description.`);
  seen.add(`${at} ${answer.status}`);
  for (const [name, { required, schema }] of Object.entries(described.headers)) {
    expect([name, required, violations(schema, answer.headers.get(name))]).toEqual([
      name,
      true,
      [],
    ]);
  }
  if (described.content === undefined) expect(answer.text).toBe('');
  else
    expect([
      at,
      answer.status,
      violations(described.content['application/json'].schema, answer.body),
    ]).toEqual([at, answer.status, []]);
  const asked = operations.get(at)?.requestBody?.content['application/json'].schema;
  if (answer.status < 300 && asked !== undefined)
    expect(violations(asked, question.body)).toEqual([]);
  return answer;
}

const CHANGES = ['POST /', 'POST /stage', 'POST /activate', 'DELETE /'];
const MAKES = ['POST /', 'POST /stage'];

describe.each(expresses)('on %s', (_name, express) => {
  let site: CodeSite;
  let bare: BareApp;
  const opened: { shut(): Promise<void> }[] = [];
  const open = async (service: Partial<BackupCodesOptions> = {}): Promise<BareApp> => {
    const app = await openBareApp(express, { service });
    opened.push(app);
    return app;
  };
  beforeAll(async () => {
    site = await openCodeSite(express);
    opened.push(site);
    bare = await open();
  });
  afterAll(() => Promise.all(opened.map((app) => app.shut())));

  test('a set is described from its making to its end, and no set too', async () => {
    await check(bare, 'HEAD /');
    expect((await check(bare, 'GET /')).body).toEqual({ set: null });
    await check(bare, 'POST /', { body: {} });
    const {
      body: { setId, codes },
    } = await check(bare, 'POST /stage', { body: {} });
    await check(bare, 'POST /activate', { body: { setId } });
    await check(bare, 'POST /activate', { body: { setId } });
    await bare.backupCodes.consume('ada', codes[0]);
    expect((await check(bare, 'GET /')).body.set.lastConsumedAt).toBe(bare.clock.now());
    expect((await check(bare, 'DELETE /', { body: {} })).body).toEqual({ revoked: true });
    await check(bare, 'DELETE /', { body: {} });
  });

  test('a set that never expires is described', async () => {
    const app = await open({ expiresAfterDays: null });
    expect((await check(app, 'POST /', { body: {} })).body.expiresAt).toBeNull();
    expect((await check(app, 'GET /')).body.set.expiresAt).toBeNull();
  });

  test.each(CHANGES)('what %s is refused for is described', async (at) => {
    await check(bare, at, { body: '[]' });
    await check(bare, at, { body: {}, headers: { 'sec-fetch-site': 'cross-site' } });
    await check(bare, at, { body: { setId: 'x'.repeat(5000) } });
    await check(bare, at, { body: '{}', headers: { 'content-type': 'text/plain' } });
    expect((await check(site.site.browser(), at, { body: {} })).body.code).toBe('login_required');
    expect((await check(await site.stale(), at, { body: {} })).body.code).toBe(
      'insufficient_user_authentication',
    );
    const halfway = site.site.browser();
    await halfway.post('/login/without', { user: 'ada' });
    expect((await check(halfway, at, { body: {} })).body.fresh).toEqual(['knowledge']);
  });

  test('that nobody is logged in, that no such set is staged and that the service is busy are described', async () => {
    await check(site.site.browser(), 'GET /');
    await check(site.site.browser(), 'HEAD /');
    await check(bare, 'POST /activate', { body: { setId: 'recovery' } });
    const held = heldHasher();
    const app = await open({ hasher: held, hashConcurrency: 1, maxQueuedHashes: 0 });
    const first = ask(app, 'POST /', { body: {} });
    await held.reached;
    for (const at of MAKES)
      expect((await check(app, at, { body: {} })).body).toMatchObject({
        code: 'busy',
        retryAfterSeconds: 5,
      });
    held.letGo();
    expect((await first).status).toBe(201);
  });
});

test('the description tells of what was answered, and of nothing else', () => {
  expect([...seen].sort()).toEqual(
    [...operations]
      .flatMap(([at, { responses }]) => Object.keys(responses).map((status) => `${at} ${status}`))
      .sort(),
  );
});

test('an answer that is not as described is noticed', () => {
  const { schema } = operations.get('POST /')!.responses['201']!.content!['application/json'];
  const set = { setId: 'a', codes: ['A'], createdAt: 1, expiresAt: null };
  expect(violations(schema, set)).toEqual([]);
  for (const [name, value] of Object.entries({
    setId: 1,
    codes: [],
    createdAt: '1',
    expiresAt: undefined,
    digest: 'x',
  }))
    expect(violations(schema, { ...set, [name]: value })).not.toEqual([]);
});

describe('backupCodesOpenApi', () => {
  test('is OpenAPI 3.1 as JSON, with a name of its own for each operation', () => {
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    const names = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test('describes the router where it is mounted', () => {
    expect(Object.keys(backupCodesOpenApi().paths)).toEqual([
      '/backup-codes',
      '/backup-codes/stage',
      '/backup-codes/activate',
    ]);
    expect(Object.keys(backupCodesOpenApi({ basePath: '/users/{id}/codes' }).paths)).toContain(
      '/users/{id}/codes/stage',
    );
  });

  test('is a new one each time, so that an app may add to its own', () => {
    Object.assign(backupCodesOpenApi().components.schemas, { Mine: {} });
    expect(backupCodesOpenApi().components.schemas).not.toHaveProperty('Mine');
  });

  test.each([
    ['', 'a slash'],
    ['/', '"/"'],
    ['/codes/', '"/codes/"'],
    ['codes', '"codes"'],
    ['//codes', '"//codes"'],
    ['/codes?a', '"/codes?a"'],
    [7, '7'],
  ])('%p is no place to mount it', (basePath, said) => {
    const make = (): unknown => backupCodesOpenApi({ basePath } as { basePath: string });
    expect(make).toThrow(failure('invalid_option'));
    expect(make).toThrow(said);
  });
});

/** Keeps its first hash waiting until it is let go. */
function heldHasher(): Hasher & { readonly reached: Promise<void>; letGo(): void } {
  const quick = countingHasher();
  let [tell, letGo] = [(): void => undefined, (): void => undefined];
  const reached = new Promise<void>((resolve) => (tell = resolve));
  const held = new Promise<void>((resolve) => (letGo = resolve));
  return {
    ...quick,
    reached,
    letGo,
    hash: async (code, salt) => {
      tell();
      await held;
      return quick.hash(code, salt);
    },
  };
}
