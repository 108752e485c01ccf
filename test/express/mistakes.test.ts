// The mistakes that integrators make most, each in a small app: what the app answers stays the same,
// and a warning outside production says what is wrong and what to write.
import type { RequestHandler } from 'express';
import { HTML } from './login-site';
import { openApp, shutApps, type AppContext, type AppParts } from './mistakes-site';

let warn: jest.SpyInstance;

beforeEach(() => {
  warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
});
afterEach(async () => {
  warn.mockRestore();
  await shutApps();
});

/** The warnings so far: the message of each, by its code. */
function warnings(): Record<string, string> {
  const calls = warn.mock.calls as [string, { code: string }][];
  return Object.fromEntries(calls.map(([message, { code }]) => [code, message]));
}

/** Passes the code on without `completeLogin`. */
const loginWithPassport = ({ passport }: AppContext): readonly RequestHandler[] => [
  passport.authenticate('backup-code', { session: false }) as RequestHandler,
  (req, res, next) => {
    req.login(req.user!, (error) => (error ? next(error) : res.json({})));
  },
];

test('the app of the quick start logs in, and causes no warning', async () => {
  const { browser, logIn } = await openApp();
  expect((await logIn()).body).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
  expect((await browser.get('/app', HTML)).body).toBe('in');
  expect(warnings()).toEqual({});
});

const MISTAKES: readonly [
  mistake: string,
  app: Partial<AppParts>,
  code: string,
  fix: string | RegExp,
][] = [
  [
    'beginLogin was forgotten',
    {
      login: ({ passport }) => [
        passport.authenticate('local', { session: false }) as RequestHandler,
        (_req, res) => res.json({}),
      ],
    },
    'BACKUP_CODE_NO_PENDING_LOGIN',
    'write await beginLogin(req, user)',
  ],
  [
    'beginLogin is not awaited',
    {
      login: ({ passport, lib }) => [
        passport.authenticate('local', { session: false }) as RequestHandler,
        (req, res) => {
          void lib.beginLogin(req, req.user);
          res.json({});
        },
      ],
    },
    'BACKUP_CODE_NOT_AWAITED',
    'Write await beginLogin(req, user), in an async handler, before the answer.',
  ],
  [
    'completeLogin is not awaited',
    {
      code: ({ passport, lib }) => [
        passport.authenticate('backup-code', { session: false }) as RequestHandler,
        (req, res) => {
          void lib.completeLogin(req);
          res.json({});
        },
      ],
    },
    'BACKUP_CODE_NOT_AWAITED',
    'Write await completeLogin(req), in an async handler, before the answer.',
  ],
  [
    'the password logs in by Passport in place of beginLogin',
    {
      login: ({ passport }) => [
        passport.authenticate('local') as RequestHandler,
        (_req, res) => res.json({}),
      ],
    },
    'BACKUP_CODE_REQ_LOGIN',
    /passport\.authenticate\('local', \{ session: false \}\), and then await beginLogin/,
  ],
  [
    'the code logs in by req.login in place of completeLogin',
    { code: loginWithPassport },
    'BACKUP_CODE_REQ_LOGIN',
    'and then await completeLogin(req)',
  ],
  [
    'currentUser is missing',
    {
      register: ({ passport, lib, backupCodes }) => {
        passport.use(new lib.BackupCodeStrategy({ backupCodes }));
      },
    },
    'BACKUP_CODE_NO_CURRENT_USER',
    /give the strategy currentUser: \(req\) => \{ const pending = pendingLogin\(req\);/,
  ],
  [
    'currentUser is undefined',
    {
      register: ({ passport, lib, backupCodes }) => {
        const currentUser = undefined as never;
        passport.use(new lib.BackupCodeStrategy({ backupCodes, currentUser }));
      },
    },
    'BACKUP_CODE_NO_CURRENT_USER',
    'it is missing or undefined',
  ],
  [
    'currentUser forgets to return the user',
    {
      register: ({ passport, lib, backupCodes }) => {
        const currentUser = (req: Parameters<typeof lib.pendingLogin>[0]): undefined => {
          lib.pendingLogin(req);
        };
        passport.use(new lib.BackupCodeStrategy({ backupCodes, currentUser }));
      },
    },
    'BACKUP_CODE_CURRENT_USER_EMPTY',
    'currentUser returned undefined, although this session has a pending login.',
  ],
  [
    'passport.session() is missing',
    { readsSession: false },
    'BACKUP_CODE_NO_PASSPORT_SESSION',
    'Write app.use(passport.session())',
  ],
  [
    'two strategies have one name',
    {
      register: ({ passport, lib, backupCodes, currentUser }) => {
        const recovery = new lib.BackupCodes({
          store: new lib.MemoryStore(),
          format: lib.formats.recovery,
        });
        passport.use(new lib.BackupCodeStrategy({ backupCodes, currentUser }));
        passport.use(new lib.BackupCodeStrategy({ backupCodes: recovery, findUser: () => null }));
      },
    },
    'BACKUP_CODE_NAME_TWICE',
    "passport.use('recovery', new BackupCodeStrategy(",
  ],
  [
    'the cookie is secure, and the app runs over HTTP',
    { cookie: { secure: true } },
    'BACKUP_CODE_SECURE_COOKIE',
    "Write cookie: { secure: 'auto' }",
  ],
  [
    'no body parser is mounted',
    { parsers: [] },
    'BACKUP_CODE_NO_BODY_PARSER',
    'app.use(express.urlencoded({ extended: false }))',
  ],
];

test.each(MISTAKES)('if %s, a warning names the fix, once', async (_what, app, code, fix) => {
  const { browser, logIn } = await openApp(app);
  for (let time = 0; time < 2; time += 1) {
    await logIn();
    await browser.get('/app', HTML);
  }
  // What is not awaited may warn after the answer.
  while (warnings()[code] === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(warnings()[code]).toMatch(fix);
  expect(warnings()[code]).toContain(`(docs/errors.md#${code.toLowerCase()})`);
  expect(warn.mock.calls.filter(([, { code: given }]) => given === code)).toHaveLength(1);
});

test('if the form names its field otherwise, a warning names the option, and no value', async () => {
  const { codes, logIn } = await openApp();
  expect((await logIn({ backupCode: codes[0] })).status).toBe(400);
  expect(warnings()).toEqual({
    BACKUP_CODE_FIELD_NAME:
      'The body has no field "code". It has "backupCode": write codeField: \'backupCode\', or ' +
      'rename it to "code". (docs/errors.md#backup_code_field_name)',
  });
});

test('a warning repeats no field name that a client made up', async () => {
  const { codes, logIn } = await openApp();
  await logIn({ [codes[0]!]: 'x' });
  expect(warnings()['BACKUP_CODE_FIELD_NAME']).toBe(
    'The body has no field "code". Name the field of the form "code", or give the strategy ' +
      'codeField. (docs/errors.md#backup_code_field_name)',
  );
});

test.each(MISTAKES)('in production nothing is said if %s', async (_what, app) => {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    const { browser, logIn } = await openApp(app);
    await logIn();
    await browser.get('/app', HTML);
    const inProduction = ['BACKUP_CODE_MEMORY_STORE', 'BACKUP_CODE_NO_PEPPER'];
    expect(Object.keys(warnings()).filter((code) => !inProduction.includes(code))).toEqual([]);
  } finally {
    process.env['NODE_ENV'] = before;
  }
});

describe('passport.authenticate without { session: false } on a pending login', () => {
  const plain = ({ passport, lib }: AppContext): readonly RequestHandler[] => [
    passport.authenticate('backup-code') as RequestHandler,
    async (req, res) => {
      res.json(await lib.completeLogin(req));
    },
  ];

  test('a pending login without { session: false } is refused before a code is looked at', async () => {
    const { backupCodes, browser, codes, logIn } = await openApp({ code: plain });
    const answer = await logIn();
    expect(answer.status).toBe(500);
    expect(answer.body.message).toContain(
      "Write passport.authenticate('backup-code', { session: false })",
    );
    expect((await browser.get('/app', HTML)).status).toBe(303);
    expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10 });
    const { events } = await backupCodes.audit.events({ userId: 'ada' });
    expect(events.map(({ type }) => type)).toEqual(['issued']);
    expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true });
  });

  test('a pending login without { session: false } is refused with a callback too', async () => {
    const code = ({ passport }: AppContext): readonly RequestHandler[] => [
      (req, res, next) => {
        const callback = (error: Error | null): void => {
          res.status(500).json({ message: error?.message });
        };
        (passport.authenticate('backup-code', callback) as RequestHandler)(req, res, next);
      },
    ];
    const { logIn } = await openApp({ code });
    expect((await logIn()).body.message).toContain('before a callback of your own too');
  });

  test('with assignProperty Passport logs no user in, so a pending login is accepted', async () => {
    const code = ({ passport }: AppContext): readonly RequestHandler[] => [
      passport.authenticate('backup-code', { assignProperty: 'confirmed' }) as RequestHandler,
      (req, res) => res.json({ confirmed: Reflect.get(req, 'confirmed') as unknown }),
    ];
    const { logIn } = await openApp({ code });
    expect((await logIn()).body).toEqual({ confirmed: { id: 'ada' } });
  });
});
