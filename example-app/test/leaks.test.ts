// The canary: the deployed service is used as people use it. A backup code appears on the page that
// first shows it and nowhere else: in no log, file, session, mail, header, URL or later page, in
// any form.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { Canary } from '../../test/helpers/canary';
import { playStory } from './helpers/stories';
import {
  codesIn,
  givePassword,
  keepCodes,
  signUp,
  tokenIn,
  turnOnTotp,
  type Visitor,
} from './helpers/visitor';

jest.setTimeout(120_000);

const MAIN = join(__dirname, '..', 'dist', 'main.js');

/** A response that a browser received. */
interface Page {
  readonly path: string;
  readonly headers: string;
  readonly text: string;
  /** The codes on the page. */
  readonly codes: readonly string[];
}

const canary = new Canary();
const pages: Page[] = [];
let child: ChildProcess;
let dataDir: string;
let output = '';
/** By name: the files while the service runs and afterwards, and all rows in them. */
const contents = new Map<string, string>();

beforeAll(async () => {
  if (!existsSync(MAIN))
    throw new Error(
      'There is no build of the example: run `npm run build && npm run build:example` first.',
    );
  dataDir = mkdtempSync(join(tmpdir(), 'backup-code-leaks-'));
  child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0' },
  });
  for (const stream of [child.stdout!, child.stderr!])
    stream.on('data', (chunk) => (output += String(chunk)));
  await once(child.stdout!, 'data');
  recordPages();

  const site = { url: output.trim().replace('localhost', '127.0.0.1'), now: Date.now };
  const codes = await playStory(site, 'ada');
  await useEveryForm(await signUp(site, 'bob'));
  await readEveryPage(
    await logIn(await givePassword(site, 'ada'), codes[4]!.toLowerCase().replace('-', ' ')),
  );
  recordFiles('while it runs');
  await breakAndTry(await givePassword(site, 'ada'), codes[5]!);
  child.kill('SIGTERM');
  await once(child, 'close');
  recordFiles('afterwards');
});
afterAll(() => {
  jest.restoreAllMocks();
  child.kill('SIGKILL');
  rmSync(dataDir, { recursive: true });
});

/** Records every response, regardless of the visitor. */
function recordPages(): void {
  const realFetch = fetch;
  jest.spyOn(globalThis, 'fetch').mockImplementation(async (...request) => {
    const response = await realFetch(...request);
    const text = await response.clone().text();
    const codes = codesIn(text);
    for (const code of codes) canary.addCode(code, 'a code');
    pages.push({ path: response.url, headers: JSON.stringify([...response.headers]), text, codes });
    return response;
  });
}

function recordFiles(when: string): void {
  for (const name of readdirSync(dataDir))
    contents.set(`${name} ${when}`, readFileSync(join(dataDir, name), 'latin1'));
  for (const name of readdirSync(dataDir).filter((file) => file.endsWith('.sqlite'))) {
    const database = new Database(join(dataDir, name));
    const tables = database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all() as { name: string }[];
    for (const table of tables)
      contents.set(
        `the rows of ${table.name} ${when}`,
        JSON.stringify(database.prepare(`SELECT * FROM "${table.name}"`).all()),
      );
    database.close();
  }
}

/**
 * Turns codes on, uses valid and invalid ones in every form that accepts one, and replaces them.
 */
async function useEveryForm(visitor: Visitor): Promise<void> {
  const { codes: first } = await turnOnTotp(visitor);
  await visitor.submit('/login/step-up/backup-code', { code: mistype(first[0]!) });
  await visitor.submit('/login/step-up/backup-code', { code: `${first[0]!}X` });
  await visitor.submit('/login/step-up/backup-code', { code: first[0]! });
  const second = await showNew(visitor);
  const other = await givePassword(visitor.site, 'bob');
  await other.submit('/login/backup-code', { code: first[1]! });
  await other.get(`/login/backup-code?code=${second[0]!}`);
  await other.submit('/login/second-factor', { code: second[0]! });
  await sendAsProgram(other, second[1]!);
  await showNew(other);
  await readEveryPage(other);
  await other.submit('/account/security', {}, '/account/totp/disable');
  await readEveryPage(other);
}

async function logIn(visitor: Visitor, code: string): Promise<Visitor> {
  expect((await visitor.submit('/login/backup-code', { code })).location).toBe('/account');
  return visitor;
}

async function showNew(visitor: Visitor): Promise<string[]> {
  return keepCodes(
    visitor,
    await visitor.submit('/account/security', {}, '/account/security/codes'),
  );
}

/**
 * Sends bodies that no form sends. Parsers refuse some of them, in errors that may quote them. The
 * last one logs in.
 */
async function sendAsProgram(visitor: Visitor, code: string): Promise<void> {
  const token = tokenIn((await visitor.get('/login/backup-code')).text);
  for (const [type, body] of [
    ['application/json', `{"_csrf":"${token}","code":"${code}"`],
    ['application/x-www-form-urlencoded', `_csrf=${token}&code[${code}]=${code}`],
    ['application/x-www-form-urlencoded', `_csrf=${token}&code=${code}&code=${code}`],
    ['application/x-www-form-urlencoded; charset=none', `code=${code}`],
    [
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n${code}\r\n--b--`,
    ],
    ['application/json', JSON.stringify({ _csrf: token, code })],
  ] as const) {
    await visitor.send('/login/backup-code', {
      method: 'POST',
      body,
      headers: { 'content-type': type, accept: 'application/json' },
    });
  }
}

/** Reads every page that can be reached by links from the first one. */
async function readEveryPage(visitor: Visitor): Promise<void> {
  const seen = new Set(['/']);
  for (const path of seen) {
    const { text, location } = await visitor.get(path);
    for (const next of [
      location ?? '',
      ...[...text.matchAll(/(?:href|action)="([^"#]+)"/g)].map(([, link]) =>
        link!.replaceAll('&amp;', '&'),
      ),
    ]) {
      if (next.startsWith('/') && seen.size < 100) seen.add(next);
    }
  }
  expect([...seen]).toEqual(expect.arrayContaining(['/account', '/account/security']));
}

/** Causes a fault during a login with a valid code, which the operator sees in the log. */
async function breakAndTry(visitor: Visitor, code: string): Promise<void> {
  const database = new Database(join(dataDir, 'app.sqlite'));
  database.exec('PRAGMA busy_timeout = 5000; ALTER TABLE backup_code_events RENAME TO gone');
  database.close();
  expect((await visitor.submit('/login/backup-code', { code })).status).toBe(500);
}

/** A mistyped code, which is almost a code and just as secret. */
function mistype(code: string): string {
  const mistyped = code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A');
  canary.addCode(mistyped, 'a mistyped code');
  return mistyped;
}

test('Four pages showed ten codes each, all of them different', () => {
  const shown = pages.map(({ codes }) => codes).filter(({ length }) => length > 0);
  expect(shown.map(({ length }) => length)).toEqual([10, 10, 10, 10]);
  expect(new Set(shown.flat()).size).toBe(40);
});

test('No other page, header or URL contains a code, except a URL that the test typed', () => {
  expect(pages.filter(({ codes }) => codes.length === 0).length).toBeGreaterThan(50);
  const found = pages.flatMap(({ path, headers, text, codes }) =>
    canary
      .findIn(codes.length === 0 ? `${headers} ${text}` : headers)
      .map((finding) => `${finding} at ${path}`),
  );
  expect(found).toEqual([]);
  expect(
    pages
      .filter(({ path }) => canary.findIn(path).length > 0)
      .map(({ path }) => new URL(path).pathname),
  ).toEqual(['/login/backup-code']);
});

test('No log contains a code, even after a fault', () => {
  expect(output).toContain('no such table: backup_code_events');
  expect(canary.findIn(output)).toEqual([]);
});

test('No database file and no row contains a code', () => {
  expect([...contents.keys()]).toEqual(
    expect.arrayContaining([
      'app.sqlite-wal while it runs',
      'sessions.sqlite afterwards',
      'the rows of backup_codes while it runs',
      'the rows of sessions afterwards',
    ]),
  );
  expect(contents.get('the rows of backup_code_events while it runs')).toContain('"consumed"');
  expect(
    [...contents].flatMap(([name, content]) =>
      canary.findIn(content).map((finding) => `${finding} in ${name}`),
    ),
  ).toEqual([]);
});
