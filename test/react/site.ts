// Serves the page of `page/` under a strict content security policy. React 18 or 19 renders it, on
// the server and in the browser.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ENGLISH_LABELS } from '../../lib/react/labels';
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

/** The props of each test case. The query string of a request names the case. */
export const CASES: Readonly<Record<string, PageProps>> = {
  plain: set,
  // A set as the router returns it.
  spread: { ...set, setId: 'a-set' },
  replaced: { ...set, labels: LABELS, locale: 'ja', timeZone: 'Asia/Tokyo', fileName: 'codes.txt' },
  refused: set,
  failing: set,
  slow: set,
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

export interface SheetSite {
  readonly url: string;
  /** The version of React that rendered the page on the server. */
  readonly version: string;
  /** How often each case sent POST /activate. */
  readonly activated: Map<string, number>;
  /** Lets the site answer requests to activate the set of the case `slow`. */
  answerSlowCase(): void;
  close(): Promise<void>;
}

export async function openSheetSite(react: '18' | '19'): Promise<SheetSite> {
  const folder = mkdtempSync(join(tmpdir(), 'backup-code-sheet-'));
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
  let answerSlowCase = (): void => undefined;
  const slowCase = new Promise<void>((resolve) => (answerSlowCase = resolve));

  const answers: Record<string, (name: string) => [status: number, type: string, body: string]> = {
    'GET /rendered': (name) => [200, 'text/html', pageOf(rendered.get(name)?.html ?? '')],
    'GET /empty': () => [200, 'text/html', pageOf('')],
    'GET /page.css': () => [200, 'text/css', CSS],
    'GET /client.js': () => [
      200,
      'text/javascript',
      readFileSync(join(folder, 'client.js'), 'utf8'),
    ],
    'GET /props': (name) => [200, 'application/json', JSON.stringify(CASES[name])],
    'POST /activate': (name) => {
      const times = (activated.get(name) ?? 0) + 1;
      activated.set(name, times);
      return [name === 'failing' && times === 1 ? 503 : 200, 'application/json', '{}'];
    },
  };
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://here.invalid');
    const name = searchParams.get('case') ?? '';
    const [status, type, body] = answers[`${req.method ?? ''} ${pathname}`]?.(name) ?? [
      404,
      'text/plain',
      '',
    ];
    const headers = {
      'Content-Type': `${type}; charset=utf-8`,
      'Content-Security-Policy': CONTENT_SECURITY_POLICY,
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
    answerSlowCase,
    close: () =>
      new Promise((resolve) => {
        rmSync(folder, { recursive: true });
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pageOf(html: string): string {
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
<script type="module" src="/client.js"></script>
</body>
</html>`;
}
