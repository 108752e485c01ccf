// Serves the page of `page/` under a strict content security policy. React 18 or 19 renders it, on
// the server and in the browser. Serves the component of docs/react.md as well, with the router.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import express from 'express';
import { BackupCodes, MemoryStore } from '../../lib';
import { backupCodesRouter } from '../../lib/express';
import { ENGLISH_LABELS } from '../../lib/react/labels';
import { fakeClock, type FakeClock } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import type { PageProps } from './page/page';
import { ACCOUNT, CODES, SERVICE } from './sample-set';

const execute = promisify(execFile);
const HOST = join(__dirname, '../hosts/react-18');
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** The styles of the app around the sheet. There are none for the sheet itself. */
const CSS = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 sans-serif; margin: 0; }
.shell { display: grid; grid-template-columns: minmax(0, 1fr); padding: 1rem; }
@media (min-width: 60rem) {
  .shell {
    grid-template-columns: 15rem minmax(0, 1fr);
    position: fixed;
    inset: 0;
    overflow: auto;
  }
}
a { color: inherit; }
button { min-block-size: 2.75rem; }
`;

const set: PageProps = {
  codes: CODES,
  createdAt: Date.UTC(2026, 10, 21),
  expiresAt: Date.UTC(2027, 10, 21),
  service: SERVICE,
  account: ACCOUNT,
};
export const LABELS = Object.fromEntries(
  Object.keys(ENGLISH_LABELS).map((name, index) => [name, `\u3042${index}\u3044`]),
) as Record<keyof typeof ENGLISH_LABELS, string>;

/** Codes that a page from right to left draws in another order, or not. */
export const BIDIRECTIONAL_CODES = [
  '4821 0937',
  '2345-ABCD',
  'ABCD-2345',
  '4821-0937',
  '48 21 09 37',
  '1a2b 3c4d',
];
/** The codes that the test app makes when the sheet asks for new ones. */
export const NEW_CODES = CODES.map((code) => code.split('-').reverse().join('-'));

/** The props of each test case. The query string of a request names the case. */
export const CASES: Readonly<Record<string, PageProps>> = {
  plain: set,
  // A set as the router returns it.
  spread: { ...set, setId: 'a-set' },
  replaced: { ...set, labels: LABELS, locale: 'ja', timeZone: 'Asia/Tokyo', fileName: 'codes.txt' },
  refused: set,
  failing: set,
  slow: set,
  bidirectional: { ...set, codes: BIDIRECTIONAL_CODES, account: '+49 170 1234567' },
  late: { ...set, canStartOver: true },
  'late-and-down': { ...set, canStartOver: true },
  'late-without-start-over': set,
  hidden: { ...set, hideCodes: true },
  'without-warning': { ...set, warnBeforeLeaving: false },
};

/** Installs the packages of the host app. */
export async function installHost(): Promise<void> {
  await execute('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], {
    cwd: HOST,
    timeout: 240_000,
  });
}

/** The text on each page of a PDF. */
export async function readPdf(file: string): Promise<string[]> {
  return JSON.parse(
    (await execute(process.execPath, ['pdf-text.mjs', file], { cwd: HOST })).stdout,
  ) as string[];
}

/** How many bytes of script the sheet adds to a page before compression, without React. */
export async function measureScript(): Promise<number> {
  return Number((await execute(process.execPath, ['size.mjs'], { cwd: HOST })).stdout);
}

export interface SheetSite {
  readonly url: string;
  /** The version of React that rendered the page on the server. */
  readonly version: string;
  /** How often each case sent POST /activate. */
  readonly activated: Map<string, number>;
  /** How often each case sent POST /stage. */
  readonly staged: Map<string, number>;
  /** The service behind the page of the guide, for the user `ada`. */
  readonly backupCodes: BackupCodes;
  readonly clock: FakeClock;
  /** Lets the site answer requests to activate the set of the case `slow`. */
  answerSlowCase(): void;
  close(): Promise<void>;
}

export async function openSheetSite(react: '18' | '19'): Promise<SheetSite> {
  const folder = mkdtempSync(join(tmpdir(), 'backup-code-sheet-'));
  writeFileSync(join(folder, 'guide.jsx'), readGuide());
  await execute(process.execPath, ['bundle.mjs', react, folder], { cwd: HOST });
  const render = async (props: PageProps): Promise<{ version: string; html: string }> =>
    JSON.parse(
      (await execute(process.execPath, [join(folder, 'server.cjs'), JSON.stringify(props)])).stdout,
    ) as { version: string; html: string };
  const rendered = new Map(
    await Promise.all(
      Object.entries(CASES).map(async ([name, props]) => [name, await render(props)] as const),
    ),
  );
  const activated = new Map<string, number>();
  const staged = new Map<string, number>();
  const count = (counter: Map<string, number>, name: string): number => {
    const times = (counter.get(name) ?? 0) + 1;
    counter.set(name, times);
    return times;
  };
  const clock = fakeClock();
  const backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: countingHasher(),
    now: clock.now,
  });
  const router = express().use(
    '/account/backup-codes',
    backupCodesRouter({
      backupCodes,
      userId: () => 'ada',
      guard: (_req, _res, next) => next(),
    }),
  );
  let answerSlowCase = (): void => undefined;
  const slowCase = new Promise<void>((resolve) => (answerSlowCase = resolve));

  const answers: Record<string, (name: string) => [status: number, type: string, body: string]> = {
    'GET /rendered': (name) => [200, 'text/html', pageOf(rendered.get(name)?.html ?? '')],
    'GET /empty': () => [200, 'text/html', pageOf('')],
    'GET /guide': () => [200, 'text/html', pageOf('', 'guide-client.js')],
    'GET /elsewhere': () => [200, 'text/html', '<!doctype html><title>Elsewhere</title>'],
    'GET /page.css': () => [200, 'text/css', CSS],
    'GET /client.js': () => [
      200,
      'text/javascript',
      readFileSync(join(folder, 'client.js'), 'utf8'),
    ],
    'GET /guide-client.js': () => [
      200,
      'text/javascript',
      readFileSync(join(folder, 'guide-client.js'), 'utf8'),
    ],
    'GET /props': (name) => [200, 'application/json', JSON.stringify(CASES[name])],
    'POST /activate': (name) => {
      const times = count(activated, name);
      const isLate = name.startsWith('late') && times === 1;
      const isDown = name === 'failing' && times === 1;
      return [isLate ? 409 : isDown ? 503 : 200, 'application/json', '{}'];
    },
    'POST /stage': (name) => {
      const body = JSON.stringify({ ...set, codes: NEW_CODES });
      const isDown = count(staged, name) === 1 && name === 'late-and-down';
      return [isDown ? 503 : 201, 'application/json', body];
    },
  };
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://here.invalid');
    if (pathname.startsWith('/account/')) {
      router(req, res);
      return;
    }
    const name = searchParams.get('case') ?? '';
    const [status, type, body] = answers[`${req.method ?? ''} ${pathname}`]?.(name) ?? [
      404,
      'text/plain',
      '',
    ];
    const headers = {
      'Content-Type': `${type}; charset=utf-8`,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
      // Chromium keeps the page for the Back button despite this header.
      ...(type === 'text/html' && { 'Cache-Control': 'no-store' }),
      ...(name === 'refused' && { 'Permissions-Policy': 'clipboard-write=()' }),
    };
    const answer = (): unknown => res.writeHead(status, headers).end(body);
    if (name === 'slow' && pathname === '/activate') void slowCase.then(answer);
    else answer();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    version: rendered.get('plain')?.version ?? '',
    activated,
    staged,
    backupCodes,
    clock,
    answerSlowCase,
    close: () =>
      new Promise((resolve) => {
        rmSync(folder, { recursive: true });
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The code block of docs/react.md that shows the sheet. */
function readGuide(): string {
  const guide = readFileSync(join(__dirname, '../../docs/react.md'), 'utf8');
  return /<!-- run: sheet -->\s*```jsx\n([\s\S]*?)```/.exec(guide)![1]!;
}

function pageOf(html: string, script = 'client.js'): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Security</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
</head>
<body>
<div class="shell">
<nav aria-label="Main"><a href="#home">Home</a></nav>
<main><h1>Security</h1><div id="root">${html}</div></main>
<footer><a href="#legal">Legal</a></footer>
</div>
<script type="module" src="/${script}"></script>
</body>
</html>`;
}
