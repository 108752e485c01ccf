// What a request must look like before anything changes: its method, origin, body and guard.
import type { RequestHandler } from 'express';
import { backupCodesRouter } from '../../lib/express';
import {
  ask,
  BASE,
  expresses,
  letThrough,
  openBareApp,
  type BareApp,
  type BareOptions,
  type RouterAnswer,
} from './router-apps';

const CHANGES = ['POST /', 'POST /stage', 'POST /activate', 'DELETE /'] as const;
const LARGE = JSON.stringify({ setId: 'x'.repeat(4096) });
let app: BareApp;

afterEach(() => app.shut());

describe.each(expresses)('on %s', (_name, express) => {
  const open = async (options: BareOptions = {}): Promise<void> => {
    app = await openBareApp(express, options);
  };
  /** No set was made or ended, and no code was hashed. */
  const expectUnchanged = (): void => {
    expect(app.received).toEqual([]);
    expect(app.hasher.count).toBe(0);
  };
  const json = { 'content-type': 'application/json' };

  describe.each<[string, RequestHandler[]]>([
    ['reads no bodies', []],
    ['reads JSON', [express.json()]],
    ['reads JSON as text', [express.text({ type: '*/*' })]],
    ['reads JSON as bytes', [express.raw({ type: '*/*' })]],
    [
      'reads JSON, forms and everything else',
      [express.json(), express.urlencoded({ extended: true }), express.text(), express.raw()],
    ],
  ])('in an app that %s', (_what, before) => {
    beforeEach(() => open({ before }));

    test('a JSON object is read in one piece or in many', async () => {
      const {
        body: { setId },
      } = await ask(app, 'POST /stage', { body: {} });
      const pieces = new ReadableStream({
        start: (controller) => {
          for (const piece of ['{"setId"', ':"', setId, '"}'])
            controller.enqueue(new TextEncoder().encode(piece));
          controller.close();
        },
      });
      const response = await fetch(`${app.origin}${BASE}/activate`, {
        method: 'POST',
        headers: json,
        body: pieces,
        duplex: 'half',
      } as RequestInit);
      expect([response.status, await response.json()]).toEqual([200, { setId }]);
    });

    test.each(CHANGES)('%s with a body that is not a JSON object changes nothing', async (at) => {
      for (const body of ['[]', '["setId"]', 'null', '1', '"setId"', '']) {
        const answer = await ask(app, at, { body, headers: json });
        expect([body, answer.status]).toEqual([body, 400]);
      }
      expect(await ask(app, at, { headers: json })).toMatchObject({
        status: 400,
        body: { code: 'invalid_body' },
      });
      expectUnchanged();
    });

    test.each(CHANGES)(
      '%s with another content type than application/json changes nothing',
      async (at) => {
        for (const type of [
          'text/plain',
          'application/x-www-form-urlencoded',
          'multipart/form-data',
          'application/jsonp',
          'text/plain; application/json',
          'application/json, text/plain',
        ]) {
          expect([
            type,
            await ask(app, at, { body: '{}', headers: { 'content-type': type } }),
          ]).toMatchObject([type, { status: 415, body: { code: 'unsupported_media_type' } }]);
        }
        expectUnchanged();
      },
    );

    test('activating needs setId as a string of the body itself', async () => {
      for (const body of [
        {},
        { setId: 1 },
        { setId: null },
        { setId: ['a'] },
        { setId: { $ne: null } },
        '{"__proto__":{"setId":"a"}}',
        { constructor: { setId: 'a' } },
      ]) {
        expect([body, await ask(app, 'POST /activate', { body })]).toMatchObject([
          body,
          { status: 400, body: { code: 'invalid_body' } },
        ]);
      }
      expectUnchanged();
    });
  });

  test('the content type may have a charset and upper case', async () => {
    await open();
    for (const type of [
      'application/json; charset=utf-8',
      'Application/JSON',
      'application/json ;charset=UTF-8',
    ]) {
      expect([
        type,
        (await ask(app, 'DELETE /', { body: '{}', headers: { 'content-type': type } })).status,
      ]).toEqual([type, 200]);
    }
  });

  test('the router refuses malformed JSON if the app has no body parser', async () => {
    await open();
    for (const body of ['{', '{}}', '{"setId":}', "{'setId':'a'}", '\0'])
      expect((await ask(app, 'POST /', { body })).status).toBe(400);
    expectUnchanged();
  });

  test('a body of more than 4 kB is refused, and the connection stays open', async () => {
    await open();
    expect(await ask(app, 'POST /activate', { body: LARGE })).toMatchObject({
      status: 413,
      body: { code: 'body_too_large' },
    });
    expect(
      await ask(app, 'POST /activate', {
        body: JSON.stringify({ setId: 'x', more: 'x'.repeat(8_000_000) }),
      }),
    ).toMatchObject({ status: 413 });
    expect(
      (await ask(app, 'POST /activate', { body: JSON.stringify({ setId: 'x'.repeat(4000) }) }))
        .status,
    ).toBe(409);
    expectUnchanged();
  });

  describe('a browser that sends Sec-Fetch-Site', () => {
    beforeEach(() => open());
    const from = (
      site: string,
      more: Record<string, string> = {},
    ): { body: object; headers: Record<string, string> } => ({
      body: {},
      headers: { 'sec-fetch-site': site, cookie: 'session=1', ...more },
    });

    test.each(CHANGES)(
      '%s from another site, a sibling site, a typed address or two places changes nothing',
      async (at) => {
        for (const site of [
          'cross-site',
          'same-site',
          'none',
          'same-origin, cross-site',
          'Same-Origin',
          '',
        ]) {
          expect([site, await ask(app, at, from(site))]).toMatchObject([
            site,
            { status: 403, body: { code: 'cross_site_request' } },
          ]);
        }
        expectUnchanged();
      },
    );

    test('a page of this origin may change codes, and every page may read the status', async () => {
      expect((await ask(app, 'POST /', from('same-origin'))).status).toBe(201);
      expect((await ask(app, 'GET /', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200);
    });

    test.each(CHANGES)('%s without a cookie is not checked: its client has a token', async (at) => {
      for (const site of ['cross-site', 'same-site', 'none']) {
        const { status } = await ask(app, at, {
          body: { setId: 'x' },
          headers: { 'sec-fetch-site': site, authorization: 'Bearer x' },
        });
        expect([site, status]).toEqual([
          site,
          new Map([
            ['POST /activate', 409],
            ['DELETE /', 200],
          ]).get(at) ?? 201,
        ]);
      }
    });

    test.each(['Basic YTpi', 'Digest a', 'negotiate x', 'NTLM'])(
      'a login that the browser adds by itself is checked like a cookie: %s',
      async (authorization) => {
        expect(
          await ask(app, 'POST /', {
            body: {},
            headers: { 'sec-fetch-site': 'cross-site', authorization },
          }),
        ).toMatchObject({ status: 403, body: { code: 'cross_site_request' } });
        expectUnchanged();
      },
    );

    test('a page of a listed origin may change codes, and no other', async () => {
      await app.shut();
      await open({ router: { origins: ['https://app.example.com', 'http://localhost:5173'] } });
      for (const origin of [
        'https://app.example.com.evil.example',
        'https://APP.example.com',
        'http://app.example.com',
        'https://app.example.com:8443',
        'https://app.example.com, https://evil.example',
        'null',
        '',
      ])
        expect([origin, await ask(app, 'POST /', from('same-site', { origin }))]).toMatchObject([
          origin,
          { status: 403, body: { code: 'cross_site_request' } },
        ]);
      expect((await ask(app, 'POST /', from('same-site'))).status).toBe(403);
      expectUnchanged();
      for (const origin of ['https://app.example.com', 'http://localhost:5173'])
        expect((await ask(app, 'DELETE /', from('same-site', { origin }))).status).toBe(200);
      expect((await ask(app, 'POST /', from('same-origin'))).status).toBe(201);
    });

    test('a preflight is refused, and no answer has a CORS header', async () => {
      const headers = {
        origin: 'https://other.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      };
      const answers = [
        await ask(app, 'OPTIONS /', { headers }),
        await ask(app, 'GET /', { headers }),
        await ask(app, 'POST /', { body: {}, headers }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([405, 200, 201]);
      expect(
        answers.flatMap(({ headers: sent }) =>
          [...sent.keys()].filter((name) => name.startsWith('access-control-')),
        ),
      ).toEqual([]);
    });
  });

  describe('methods and paths', () => {
    beforeEach(() => open());

    test.each([
      ['PUT /', 'GET, HEAD, POST, DELETE'],
      ['PATCH /', 'GET, HEAD, POST, DELETE'],
      ['OPTIONS /', 'GET, HEAD, POST, DELETE'],
      ['GET /stage', 'POST'],
      ['DELETE /stage', 'POST'],
      ['OPTIONS /stage', 'POST'],
      ['GET /activate', 'POST'],
      ['HEAD /activate', 'POST'],
    ])('%s is refused, and Allow says %s', async (at, allow) => {
      const answer = await ask(app, at, at.startsWith('PUT') ? { body: {} } : {});
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
      expectUnchanged();
    });

    test('HEAD answers like GET, without a body', async () => {
      const { status, text } = await ask(app, 'HEAD /');
      expect([status, text]).toEqual([200, '']);
    });

    test("a slash at the end changes nothing, and every other path is the app's", async () => {
      expect((await fetch(`${app.origin}${BASE}/?page=1`)).status).toBe(200);
      expect((await ask(app, 'POST /stage/', { body: {} })).status).toBe(201);
      for (const path of ['/Stage', '/stage/now', '/activate/x', '/codes', '/__proto__'])
        expect((await ask(app, `POST ${path}`, { body: {} })).status).toBe(404);
    });
  });

  test('no answer may be cached or has an ETag', async () => {
    await open();
    const answers: RouterAnswer[] = [];
    for (const at of ['GET /', 'HEAD /', ...CHANGES, 'PUT /']) {
      for (const request of [
        {},
        { body: {} },
        { body: '{' },
        { body: {}, headers: { 'sec-fetch-site': 'cross-site', cookie: 'session=1' } },
        { body: LARGE },
      ]) {
        if (/^(?:GET|HEAD)/.test(at) && 'body' in request) continue;
        answers.push(await ask(app, at, request));
      }
    }
    expect(answers.map(({ status }) => status)).toEqual(
      expect.arrayContaining([200, 201, 400, 403, 405, 413, 415]),
    );
    expect(
      answers.filter(
        ({ headers }) =>
          headers.get('cache-control') !== 'no-store' ||
          headers.has('etag') ||
          !headers.get('content-type')?.startsWith('application/json'),
      ),
    ).toEqual([]);
  });

  describe('a guard', () => {
    test.each<[string, RequestHandler, number]>([
      ['answers the request', (_req, res) => void res.status(418).end(), 418],
      ['gives next an error', (_req, _res, next) => next(new Error('no')), 500],
      ["gives next 'route'", (_req, _res, next) => next('route'), 500],
      [
        'throws',
        () => {
          throw new Error('no');
        },
        500,
      ],
      ['rejects', () => Promise.reject(new Error('no')), 500],
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      ['rejects with nothing', () => Promise.reject(), 500],
    ])('a guard that %s lets no change through', async (_what, guard, expected) => {
      await open({ router: { guard } });
      for (const at of CHANGES)
        expect((await ask(app, at, { body: { setId: 'a' } })).status).toBe(expected);
      expectUnchanged();
      expect((await ask(app, 'GET /')).status).toBe(200);
    });

    test('a guard that calls next twice makes one set', async () => {
      await open({
        router: {
          guard: (_req, _res, next) => {
            next();
            next();
          },
        },
      });
      await ask(app, 'POST /', { body: {} });
      expect(app.received.map(({ type }) => type)).toEqual(['issued']);
    });

    test('a guard may be slow, because the body is read after it', async () => {
      await open({ router: { guard: (_req, _res, next) => void setTimeout(next, 50) } });
      expect((await ask(app, 'DELETE /', { body: {} })).status).toBe(200);
    });

    test('the guard runs before a byte of the body is read', async () => {
      let wasRead: boolean | undefined;
      await open({
        router: {
          guard: (req, res) => {
            wasRead = req.readableDidRead;
            res.status(401).end();
          },
        },
      });
      expect((await ask(app, 'POST /', { body: LARGE })).status).toBe(401);
      expect(wasRead).toBe(false);
    });
  });

  describe('userId', () => {
    test('userId may return a promise, and no user is answered with 401', async () => {
      const ids: Record<string, string | null> = { a: 'ada', n: null };
      await open({
        router: { userId: (req) => Promise.resolve(ids[req.get('authorization') ?? '']) },
      });
      expect((await ask(app, 'POST /', { body: {}, headers: { authorization: 'a' } })).status).toBe(
        201,
      );
      for (const authorization of ['n', 'x'])
        expect((await ask(app, 'POST /', { body: {}, headers: { authorization } })).status).toBe(
          401,
        );
    });

    test('an invalid user id, or a user without one, gives an error to the app', async () => {
      await open({ router: { userId: () => ({}) as string } });
      expect((await ask(app, 'GET /')).status).toBe(500);
      await app.shut();
      await open({
        before: [
          (req, _res, next) => {
            Object.assign(req, { user: { name: 'ada' } });
            next();
          },
        ],
        router: { userId: undefined as never },
      });
      expect(await ask(app, 'POST /', { body: {} })).toMatchObject({
        status: 500,
        body: { error: expect.stringContaining('userId: (req) => ...') },
      });
      expectUnchanged();
    });
  });

  test('the audit trail records the context that the app gives', async () => {
    await open({
      before: [
        (req, _res, next) => {
          Object.assign(req, { id: 'request-7' });
          next();
        },
      ],
    });
    await ask(app, 'POST /', { body: {} });
    expect(app.received[0]?.context).toMatchObject({ requestId: 'request-7', actor: null });
    await app.shut();
    await open({
      router: { context: () => ({ ip: '192.0.2.1', actor: 'support' }), guard: letThrough },
    });
    await ask(app, 'POST /', { body: {} });
    expect(app.received[0]?.context).toMatchObject({
      ip: '192.0.2.1',
      actor: 'support',
      userAgent: null,
    });
  });
});

test.each<[unknown, RegExp]>([
  ['https://app.example.com', /origins must be an array/],
  [[1], /but was 1/],
  [['*'], /but was "\*"/],
  [['null'], /but was "null"/],
  [[''], /but was ""/],
  [['app.example.com'], /but was "app.example.com"/],
  [['https://app.example.com/'], /Did you mean "https:\/\/app.example.com"/],
  [['https://app.example.com/codes'], /Did you mean "https:\/\/app.example.com"/],
  [['https://APP.example.com'], /Did you mean "https:\/\/app.example.com"/],
  [['https://app.example.com:443'], /Did you mean "https:\/\/app.example.com"/],
  [['ftp://app.example.com'], /but was "ftp:\/\/app.example.com"/],
])('backupCodesRouter refuses the origins %j when the router is made', async (origins, message) => {
  app = await openBareApp(expresses[1][1]);
  expect(() =>
    backupCodesRouter({ backupCodes: app.backupCodes, origins: origins as string[] }),
  ).toThrow(
    expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(message) }),
  );
});

test('a later change of the array of origins changes nothing', async () => {
  const origins: string[] = [];
  app = await openBareApp(expresses[1][1], { router: { origins } });
  origins.push('https://evil.example');
  expect(
    await ask(app, 'POST /', {
      body: {},
      headers: { 'sec-fetch-site': 'cross-site', cookie: 'a=b', origin: 'https://evil.example' },
    }),
  ).toMatchObject({ status: 403 });
});
