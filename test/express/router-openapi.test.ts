// Compares the OpenAPI document with the real answers of the router: each answer is described, and
// each description is of an answer that comes.
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import type { BackupCodesOptions, Hasher } from '../../lib';
import { backupCodesOpenApi } from '../../lib/express';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { resolveReferences } from './openapi-references';
import {
  ask,
  BASE,
  expresses,
  openBareApp,
  openCodeSite,
  type BareApp,
  type CodeSite,
  type RouterRequest,
  type RouterAnswer,
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

const description = resolveReferences(backupCodesOpenApi({ basePath: BASE }));
const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'https://openapi.invalid/', components: description.components });

/** Compiles a schema, with the references that it has into the document. */
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

/** Each operation by method and path, such as `POST /stage`. */
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

/** Sends a request and compares the answer, and an accepted request, with the document. */
async function check(
  client: Parameters<typeof ask>[0],
  at: string,
  request: RouterRequest = {},
): Promise<RouterAnswer> {
  const answer = await ask(client, at, request);
  const described = operations.get(at)?.responses[answer.status];
  if (described === undefined)
    throw new Error(`${at} answered ${answer.status}, which is not in the document.`);
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
    expect(violations(asked, request.body)).toEqual([]);
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

  test('the document describes the answers about a set, from issue to revocation', async () => {
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

  test('the document describes the answers about a set that never expires', async () => {
    const app = await open({ expiresAfterDays: null });
    expect((await check(app, 'POST /', { body: {} })).body.expiresAt).toBeNull();
    expect((await check(app, 'GET /')).body.set.expiresAt).toBeNull();
  });

  test.each(CHANGES)('the document describes each refusal of %s', async (at) => {
    await check(bare, at, { body: '[]' });
    await check(bare, at, {
      body: {},
      headers: { 'sec-fetch-site': 'cross-site', cookie: 'session=1' },
    });
    await check(bare, at, { body: { setId: 'x'.repeat(5000) } });
    await check(bare, at, { body: '{}', headers: { 'content-type': 'text/plain' } });
    expect((await check(site.site.browser(), at, { body: {} })).body.code).toBe('login_required');
    expect((await check(await site.loggedInSixMinutesAgo(), at, { body: {} })).body.code).toBe(
      'insufficient_user_authentication',
    );
    await site.backupCodes.issue('ada');
    const halfway = site.site.browser();
    await halfway.post('/login/password-only', { user: 'ada' });
    expect((await check(halfway, at, { body: {} })).body.fresh).toEqual(['knowledge']);
  });

  test('the document describes the answers 401, 409 and 503', async () => {
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

test('the document describes no answer that the router does not give', () => {
  expect([...seen].sort()).toEqual(
    [...operations]
      .flatMap(([at, { responses }]) => Object.keys(responses).map((status) => `${at} ${status}`))
      .sort(),
  );
});

test('these tests notice an answer that the document does not describe', () => {
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
  test('the document is OpenAPI 3.1 as JSON, and each operation has an id of its own', () => {
    expect(description.openapi).toMatch(/^3\.1\.\d+$/);
    expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    const names = [...operations.values()].map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  test('each operation has a description, a listed tag, and an answer of status 4xx', () => {
    const { info, servers, security, tags, components } = backupCodesOpenApi();
    expect(info['license']).toBeDefined();
    expect(servers).toHaveLength(1);
    expect(Object.keys(security[0]!)).toEqual(Object.keys(components.securitySchemes));
    for (const operation of operations.values()) {
      expect(operation).toMatchObject({
        summary: expect.any(String),
        description: expect.any(String),
        tags: [tags[0]!['name']],
      });
      expect(Object.keys(operation.responses)).toContainEqual(expect.stringMatching(/^4\d\d$/));
    }
  });

  test('the document has the paths under which the router is mounted', () => {
    expect(Object.keys(backupCodesOpenApi().paths)).toEqual([
      '/backup-codes',
      '/backup-codes/stage',
      '/backup-codes/activate',
    ]);
    expect(Object.keys(backupCodesOpenApi({ basePath: '/users/{id}/codes' }).paths)).toContain(
      '/users/{id}/codes/stage',
    );
  });

  test('each call returns a new document, which the app may change', () => {
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
  ])('basePath %p is refused', (basePath, said) => {
    const make = (): unknown => backupCodesOpenApi({ basePath } as { basePath: string });
    expect(make).toThrow(failure('invalid_option'));
    expect(make).toThrow(said);
  });
});

/** A hasher whose hashes wait until `letGo` is called. */
function heldHasher(): Hasher & { readonly reached: Promise<void>; letGo(): void } {
  const quick = countingHasher();
  let reportReached = (): void => undefined;
  let letGo = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reportReached = resolve));
  const held = new Promise<void>((resolve) => (letGo = resolve));
  return {
    ...quick,
    reached,
    letGo,
    hash: async (code, salt) => {
      reportReached();
      await held;
      return quick.hash(code, salt);
    },
  };
}
