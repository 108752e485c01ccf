// Input that is not a code or a user name: 400, with nothing looked up, counted or hashed.
import type { Express, Request, RequestHandler } from 'express';
import { BackupCodeStrategy, formats } from '../../lib';
import {
  ada,
  expressVersions,
  findUser,
  openTestApp,
  openLoginApp,
  makeService,
  makeStrategy,
  watchActions,
  type ExpressModule,
  type TestApp,
  type Person,
  type Service,
} from './test-app';

const MIB = 'A'.repeat(1024 * 1024);
const WRONG = 'AAAA-AAAA-AAAA-AAAA';

/**
 * Both channels after each parser: /simple and /extended for forms, /json, /text, /raw, and /none
 * without a parser.
 */
async function openParsers(
  express: ExpressModule,
  { backupCodes }: Service,
  handler?: (app: Express) => void,
): Promise<TestApp> {
  const parsers: Record<string, RequestHandler[]> = {
    simple: [express.urlencoded({ extended: false, limit: '2mb' })],
    extended: [express.urlencoded({ extended: true, limit: '2mb' })],
    json: [express.json({ strict: false, limit: '2mb' })],
    text: [express.text({ type: '*/*' })],
    raw: [express.raw({ type: '*/*' })],
    none: [],
  };
  return openTestApp(
    express,
    (app, { passport }) => {
      for (const channel of ['second_factor', 'recovery'] as const)
        passport.use(channel, watchActions(makeStrategy(backupCodes, channel)));
      handler?.(app);
      for (const [name, parse] of Object.entries(parsers)) {
        for (const channel of ['second_factor', 'recovery']) {
          const setUser: RequestHandler = (req, _res, next) => {
            if (channel === 'second_factor') Reflect.set(req, 'user', ada);
            next();
          };
          app.all(`/${name}/${channel}`, ...parse, setUser, (req, res, next) => {
            const answer = (
              error: unknown,
              user: unknown,
              info: unknown,
              status: unknown,
            ): void => {
              if (error) next(error);
              else res.status(Number(status ?? 200)).json({ user, info });
            };
            (passport.authenticate(channel, answer) as RequestHandler)(req, res, next);
          });
        }
      }
    },
    { parsers: [] },
  );
}

/** A service with a set, and a check that nothing was looked up, counted, hashed or spent since. */
async function untouched(): Promise<{
  served: Service;
  code: string;
  expectUntouched: () => Promise<void>;
}> {
  const served = makeService({ format: formats.recovery });
  const [code] = await served.issue();
  const spies = (['takeAttempt', 'nameKey', 'giveBack', 'consume', 'append'] as const).map((name) =>
    jest.spyOn(served.store, name),
  );
  return {
    served,
    code: code!,
    expectUntouched: async () => {
      expect(spies.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0, 0, 0]);
      expect(served.hasher.count).toBe(0);
      expect(await served.countAttempts()).toBe(0);
      expect((await served.backupCodes.status('ada'))?.remaining).toBe(10);
    },
  };
}

describe.each(expressVersions)('on %s', (_name, express) => {
  // One app for all input that must leave it untouched.
  let shared: Awaited<ReturnType<typeof untouched>> & { host: TestApp };
  beforeAll(async () => {
    const made = await untouched();
    shared = { ...made, host: await openParsers(express, made.served) };
  });

  describe.each(['second_factor', 'recovery'])('on the channel %s', (channel) => {
    it.each<[string, (code: string) => unknown]>([
      ['an array with a valid code', (code) => [code]],
      ['an object', (code) => ({ value: code })],
      ['an object that MongoDB would read as a condition', () => ({ $ne: null })],
      ['an object with a toString of its own', (code) => ({ toString: code, length: 19 })],
      ['a number', () => 12345678],
      ['true', () => true],
      ['null', () => null],
      ['a mebibyte of letters', () => MIB],
      ['129 characters', () => 'A'.repeat(129)],
      ['a valid code followed by NUL', (code) => `${code}\0`],
      ['a valid code with NUL inside', (code) => code.replace('-', '\0')],
      ['a lone surrogate', () => `${WRONG.slice(1)}\uD800`],
      ['an empty string', () => ''],
      ['blanks', () => ' \t\u00a0\u3000\n'],
      ['dashes', () => '----\u2014\u2013'],
      ['a TOTP', () => '123456'],
      ['one symbol too many', (code) => `${code}A`],
      ['one symbol too few', (code) => code.slice(1)],
      ['HTML', () => '<script>alert(1)</script>'],
    ])('%s as the code in a JSON body is answered with 400', async (_what, typed) => {
      const { host, code, expectUntouched } = shared;
      const answer = await host.post(`/json/${channel}`, { username: 'ada', code: typed(code) });
      expect([answer.status, answer.body.info.code]).toEqual([400, 'malformed']);
      await expectUntouched();
    });

    it.each<[string, (code: string) => string]>([
      ['a valid code twice', (code) => `code=${code}&code=${code}`],
      ['two codes', (code) => `code=AAAA&code=${code}`],
      ['code[]', (code) => `code[]=${code}`],
      ['code[0]', (code) => `code[0]=${code}`],
      ['code[$ne]', () => 'code[$ne]='],
      ['code[value]', (code) => `code[value]=${code}`],
      ['__proto__[code]', (code) => `__proto__[code]=${code}`],
      ['constructor[prototype][code]', (code) => `constructor[prototype][code]=${code}`],
      ['NUL', (code) => `code=${code}%00`],
      ['an empty value', () => 'code='],
      ['no value', () => 'code'],
      ['blanks', () => 'code=+%09%E3%80%80'],
      ['dashes', () => 'code=----'],
      ['a mebibyte of letters', () => `code=${MIB}`],
      ['another field', (code) => `Code=${code}`],
      ['bytes that are not UTF-8', () => 'code=%FF%FE%FF%FE'],
    ])('%s in a form is answered with 400 after every parser', async (_what, body) => {
      for (const parser of ['simple', 'extended']) {
        const { host, code, expectUntouched } = shared;
        const answer = await host.send(`/${parser}/${channel}`, {
          method: 'POST',
          body: `username=ada&${body(code)}`,
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
        });
        expect([answer.status, answer.body.info.code]).toEqual([400, 'malformed']);
        await expectUntouched();
      }
    });

    it('a valid code in a form or in JSON is accepted after every parser', async () => {
      for (const parser of ['simple', 'extended', 'json']) {
        const { served, code } = await untouched();
        const host = await openParsers(express, served);
        const path = `/${parser}/${channel}`;
        expect(
          (
            await (parser === 'json'
              ? host.post(path, { username: 'ada', code })
              : host.postForm(path, { username: 'ada', code }))
          ).status,
        ).toBe(200);
      }
    });

    it.each<[string, (code: string) => string]>([
      ['__proto__ as an own name', (code) => `{"username":"ada","__proto__":{"code":"${code}"}}`],
      ['an array', (code) => `["ada","${code}"]`],
      ['a string', (code) => `"${code}"`],
      ['null', () => 'null'],
      ['an empty object', () => '{}'],
    ])('%s as the whole JSON body is answered with 400', async (_what, body) => {
      const { host, code, expectUntouched } = shared;
      const answer = await host.send(`/json/${channel}`, {
        method: 'POST',
        body: body(code),
        headers: { 'content-type': 'application/json' },
      });
      expect([answer.status, answer.body.info.code]).toEqual([400, 'malformed']);
      await expectUntouched();
    });

    it.each<[string, string, RequestInit]>([
      ['no body', 'json', { method: 'POST' }],
      ['a GET', 'json', { method: 'GET' }],
      [
        'another content type',
        'json',
        { method: 'POST', headers: { 'content-type': 'text/plain' } },
      ],
      ['a text body', 'text', { method: 'POST', headers: { 'content-type': 'text/plain' } }],
      [
        'a body of bytes',
        'raw',
        { method: 'POST', headers: { 'content-type': 'application/octet-stream' } },
      ],
      [
        'a route without a parser',
        'none',
        { method: 'POST', headers: { 'content-type': 'application/json' } },
      ],
    ])(
      '%s is answered with 400, even with a valid code in URL, headers and cookies',
      async (_what, parser, init) => {
        const { host, code, expectUntouched } = shared;
        const body =
          init.method === 'POST' && init.headers ? JSON.stringify({ username: 'ada', code }) : null;
        const headers = {
          ...(init.headers as Record<string, string> | undefined),
          code,
          cookie: `code=${code}; username=ada`,
        };
        const answer = await host.send(`/${parser}/${channel}?username=ada&code=${code}`, {
          ...init,
          body,
          headers,
        });
        expect([answer.status, answer.body.info.code]).toEqual([400, 'malformed']);
        await expectUntouched();
      },
    );

    it('a valid code in the URL is not consumed, and still works in the body', async () => {
      const { served, code, expectUntouched } = await untouched();
      const host = await openParsers(express, served);
      expect((await host.post(`/json/${channel}?code=${code}`, { username: 'ada' })).status).toBe(
        400,
      );
      await expectUntouched();
      expect(
        (await host.post(`/json/${channel}?code=${WRONG}`, { username: 'ada', code })).status,
      ).toBe(200);
    });
  });

  it.each<[string, unknown]>([
    ['an array', ['ada']],
    ['an object', { $ne: null }],
    ['a number', 1],
    ['null', null],
    ['undefined', undefined],
    ['an empty string', ''],
    ['321 characters', 'a'.repeat(321)],
    ['a mebibyte of letters', MIB],
  ])(
    '%s as the user name is answered with 400, and findUser is not called',
    async (_what, username) => {
      const { served, code, expectUntouched } = await untouched();
      let asked = 0;
      const strategy = new BackupCodeStrategy<Person>({
        findUser: (name) => ((asked += 1) > 0 ? findUser(name) : null),
        backupCodes: served.backupCodes,
      });
      const site = await openLoginApp(express, strategy, { user: null });
      const answer = await site.post('/callback', { username, code });
      expect([answer.status, answer.body.info.code, asked]).toEqual([400, 'malformed', 0]);
      await expectUntouched();
    },
  );

  it.each([
    ['320 characters', 'a'.repeat(320)],
    ['NUL', '\0'],
    ['a lone surrogate', '\uD800'],
    ['blanks', '  '],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
    ['SQL', "' OR 1=1 --"],
  ])('%s as the user name is answered with 401, like any unknown name', async (_what, username) => {
    const { served, code } = await untouched();
    const site = await openLoginApp(express, makeStrategy(served.backupCodes, 'recovery'), {
      user: null,
    });
    const answer = await site.post('/callback', { username, code });
    expect([answer.status, answer.body.info.code]).toEqual([401, 'invalid_code']);
  });

  it('a code that the body inherits is not read', async () => {
    const { served, code, expectUntouched } = await untouched();
    const host = await openTestApp(express, (app, { passport }) => {
      app.use((req: Request, _res, next) => {
        req.body = Object.create({ code, username: 'ada' });
        next();
      });
      app.post(
        '/login',
        passport.authenticate(watchActions(makeStrategy(served.backupCodes, 'recovery')), {
          session: false,
        }) as RequestHandler,
      );
    });
    expect((await host.post('/login', {})).status).toBe(400);
    await expectUntouched();
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'a codeField of %s reads an own property of that name, and nothing inherited',
    async (codeField) => {
      const codes: string[] = [];
      const site = await openLoginApp(
        express,
        new BackupCodeStrategy({ codeField, consumeCode: (_user, code) => codes.push(code) === 1 }),
      );
      expect((await site.post('/login', {})).status).toBe(400);
      const own = await site.send('/login', {
        method: 'POST',
        body: `{"${codeField}":"ABCD-EFGH"}`,
        headers: { 'content-type': 'application/json' },
      });
      expect([own.status, codes]).toEqual([200, ['ABCD-EFGH']]);
    },
  );

  it("input that is not a code never reaches an app's own consumeCode", async () => {
    let asked = 0;
    for (const format of ['any', formats.standard] as const) {
      const site = await openLoginApp(
        express,
        new BackupCodeStrategy({ format, consumeCode: () => (asked += 1) > 0 }),
      );
      for (const code of [
        ['ABCD-EFGH'],
        { $ne: null },
        1,
        null,
        undefined,
        '',
        ' \n',
        MIB,
        'A'.repeat(129),
      ]) {
        expect((await site.post('/login', { code })).status).toBe(400);
      }
    }
    expect(asked).toBe(0);
  });

  it('a long header with control characters is cut and cleaned before it is recorded', async () => {
    const { backupCodes, issue } = makeService();
    const [code] = await issue();
    const agents: (string | null)[] = [];
    backupCodes.on('consumed', (event) => agents.push(event.context.userAgent));
    const site = await openLoginApp(express, new BackupCodeStrategy({ backupCodes }));
    await site.post('/login', { code }, { 'user-agent': `${'x'.repeat(300)}\t` });
    expect(agents).toEqual(['x'.repeat(256)]);
  });
});
