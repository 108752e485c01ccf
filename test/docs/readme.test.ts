// Runs each block of README.md after a comment `<!-- run: NAME -->` as a program of its own, over
// HTTP. Compares the lists of README.md with the code.
//
// A block is a whole ES module, except for what each app has of its own. For that,
// test/helpers/readme-child.ts provides `users` (byId, byName), `secret`, and on the imported
// passport a passport-local strategy and serializeUser. All blocks except the quick start also have
// `app`, `passport`, `store`, `db` and `findCode`. `passport-backup-code` is this working tree.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EVENT_TYPES } from '../../lib/audit/events';

const ROOT = join(__dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const RESULTS = join(ROOT, 'test-results/readme');

/** The marked blocks, and the variables of each that the tests need. */
const STORIES = {
  'quick-start': ['app', 'backupCodes'],
  'recovery-login': ['backupCodes'],
  'own-storage': ['consumeCode'],
};
type Name = keyof typeof STORIES;

function block(name: Name): string {
  const [found, ...others] = [
    ...README.matchAll(
      new RegExp(`<!-- run: ${name} -->\\s*\`\`\`(?:js|ts)\\n([\\s\\S]*?)\`\`\``, 'g'),
    ),
  ];
  if (found?.[1] === undefined || others.length > 0)
    throw new Error(`README.md must have one block of code after <!-- run: ${name} -->.`);
  return found[1];
}

interface Running {
  readonly codes: readonly string[];
  visitor(): Visitor;
}

/** A browser with one cookie. */
type Visitor = (
  path: string,
  form?: Record<string, string>,
) => Promise<{ status: number; location: string | null; text: string }>;

let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await stop?.();
  stop = undefined;
});

async function run(name: Name): Promise<Running> {
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${name}.ts`);
  writeFileSync(file, `${block(name)}\nexport { ${STORIES[name].join(', ')} };\n`);
  const child = fork(join(__dirname, '../helpers/readme-child.ts'), [file], {
    cwd: ROOT,
    execArgv: ['--require', join(__dirname, '../helpers/run-typescript.js')],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => (said += String(chunk)));
  const exited = once(child, 'exit');
  stop = async () => {
    child.kill();
    await exited;
  };
  const [started] = (await Promise.race([once(child, 'message'), exited.then(() => [null])])) as [
    { port: number; codes: string[] } | null,
  ];
  if (started === null) throw new Error(`The block "${name}" of README.md failed:\n${said}`);
  return { codes: started.codes, visitor: () => visitor(`http://127.0.0.1:${started.port}`) };
}

function visitor(origin: string): Visitor {
  let cookie = '';
  return async (path, form) => {
    const init = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(origin + path, {
      ...init,
      headers: { cookie },
      redirect: 'manual',
      signal: AbortSignal.timeout(10_000),
    });
    cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    return {
      status: response.status,
      location: response.headers.get('location'),
      text: await response.text(),
    };
  };
}

const PASSWORD = { username: 'ada', password: 'correct horse' };
const LOGGED_OUT = { user: null, isAuthenticated: false };

describe('the quick start', () => {
  it('The quick start has at most 31 lines', () => {
    expect(block('quick-start').trimEnd().split('\n').length).toBeLessThanOrEqual(31);
  });

  it('The quick start logs in with a password and a code that was not used', async () => {
    const { codes, visitor: open } = await run('quick-start');
    const visit = open();

    expect(await visit('/login', { ...PASSWORD, password: 'wrong' })).toMatchObject({
      status: 401,
    });
    expect(await visit('/login/backup-code', { code: codes[0]! })).toMatchObject({ status: 401 });
    expect(await visit('/login', PASSWORD)).toMatchObject({
      status: 303,
      location: '/login/backup-code',
    });
    expect(JSON.parse((await visit('/whoami')).text)).toEqual(LOGGED_OUT);
    expect(await visit('/login/backup-code', { code: 'AAAA-AAAA' })).toMatchObject({ status: 401 });
    expect(await visit('/login/backup-code', { code: '123456' })).toMatchObject({ status: 400 });
    expect(JSON.parse((await visit('/whoami')).text)).toEqual(LOGGED_OUT);

    expect(await visit('/login/backup-code', { code: codes[0]!.toLowerCase() })).toMatchObject({
      status: 303,
      location: '/',
    });
    expect(JSON.parse((await visit('/whoami')).text)).toEqual({
      user: { id: 'u1', name: 'ada' },
      isAuthenticated: true,
    });

    const again = open();
    await again('/login', PASSWORD);
    expect(await again('/login/backup-code', { code: codes[0]! })).toMatchObject({ status: 401 });
    expect(JSON.parse((await again('/whoami')).text)).toEqual(LOGGED_OUT);
    expect(await again('/login/backup-code', { code: codes[1]! })).toMatchObject({ status: 303 });
  });
});

describe('the recovery login', () => {
  it('Recovery logs in with a long code once, and does not reveal unknown names', async () => {
    const { codes, visitor: open } = await run('recovery-login');
    const [visit, stranger] = [open(), open()];
    expect(codes[0]).toMatch(/^(?:[A-Z2-9]{4}-){3}[A-Z2-9]{4}$/);

    const wrong = { code: 'AAAA-AAAA-AAAA-AAAA' };
    expect(await stranger('/login/recovery', { username: 'eve', ...wrong })).toEqual(
      await visit('/login/recovery', { username: 'ada', ...wrong }),
    );
    expect(JSON.parse((await visit('/whoami')).text)).toEqual(LOGGED_OUT);

    expect(await visit('/login/recovery', { username: 'ada', code: codes[0]! })).toMatchObject({
      status: 303,
      location: '/account/security',
    });
    expect(JSON.parse((await visit('/whoami')).text)).toMatchObject({ isAuthenticated: true });
    await stranger('/login/recovery', { username: 'ada', code: codes[0]! });
    expect(JSON.parse((await stranger('/whoami')).text)).toEqual(LOGGED_OUT);
  });
});

describe("storage of the app's own", () => {
  it('An app with storage of its own passes consumeContract', async () => {
    await expect(run('own-storage')).resolves.toBeDefined();
  });
});

describe('lists of the README', () => {
  const sources = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts'),
  );
  const code = (file: string): string => readFileSync(join(ROOT, 'lib', file), 'utf8');
  const table = (heading: string): string[] =>
    [
      ...(README.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '').matchAll(
        /^\| `(\w+)` \|/gm,
      ),
    ].map(([, name]) => name!);

  it('The README lists each code of BackupCodeErrorCode', () => {
    expect(table('Errors')).toEqual(
      [...code('errors.ts').matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name]) => name),
    );
  });

  it('docs/errors.md explains each warning that the package causes', () => {
    const warned = sources.flatMap((file) =>
      [...code(file).matchAll(/'(BACKUP_CODE_\w+)'/g)].map(([, name]) => name),
    );
    const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
    const explained = [...page.matchAll(/^(?:### |\| )`(BACKUP_CODE_\w+)`/gm)].map(
      ([, name]) => name,
    );
    const names = new Set(warned);
    names.delete('BACKUP_CODE_PEPPER'); // a variable of the environment
    expect(explained.sort()).toEqual([...names].sort());
  });

  it('The README names each type of event', () => {
    const events = README.split('\n## Events\n')[1]?.split('\n## ')[0];
    expect(EVENT_TYPES.filter((type) => !events?.includes(`\`${type}\``))).toEqual([]);
  });
});
