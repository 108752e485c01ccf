// Checks the links and samples of every Markdown page of this repository.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseSync } from '@swc/core';

const ROOT = join(__dirname, '../..');
const pages = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(ROOT, page)));
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');
/** Without samples: brackets in them are not links. */
const proseOf = (page: string): string =>
  read(page)
    .replace(/^ *```[\s\S]*?^ *```$/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));

/** The anchors that GitHub makes from the headings. */
function anchorsOf(page: string): Set<string> {
  const headings = proseOf(page).match(/^#{1,6} .+$/gm) ?? [];
  return new Set(
    headings.map((heading) =>
      heading
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
        .replace(/ /g, '-'),
    ),
  );
}

interface Sample {
  readonly language: string;
  readonly text: string;
}

function samplesOf(page: string): Sample[] {
  return [...read(page).matchAll(/^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', text = '']) => ({
      language,
      text: text.replace(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  );
}

it('The pages to check include the main documents', () => {
  expect(pages).toEqual(
    expect.arrayContaining([
      'README.md',
      'SECURITY.md',
      'CONTRIBUTING.md',
      'example-app/README.md',
      'docs/peppers.md',
    ]),
  );
});

describe.each(pages)('%s', (page) => {
  it('Every link leads to an existing page and heading', () => {
    const links = [...proseOf(page).matchAll(/!?\[[^\]]*\]\(([^)\s]+)\)/g)].map(
      ([, target = '']) => target,
    );
    const broken = links.filter((link) => {
      if (/^(?:https:|mailto:)/.test(link)) return !URL.canParse(link);
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(target).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('Every sample has a listed language, and JavaScript, TypeScript and JSON parse', () => {
    for (const { language, text } of samplesOf(page)) {
      if (['js', 'mjs', 'jsx'].includes(language))
        expect(() =>
          parseSync(text, { syntax: 'ecmascript', jsx: true, target: 'es2022' }),
        ).not.toThrow();
      if (['ts', 'tsx'].includes(language))
        expect(() =>
          parseSync(text, {
            syntax: 'typescript',
            tsx: language === 'tsx',
            decorators: true,
            target: 'es2022',
          }),
        ).not.toThrow();
      if (language === 'json') expect(() => JSON.parse(text) as unknown).not.toThrow();
      // Other samples need a listed language too, so that a misspelt `js` is not skipped.
      expect([
        'js',
        'mjs',
        'jsx',
        'ts',
        'tsx',
        'json',
        'sh',
        'sql',
        'text',
        'ini',
        'html',
        'yaml',
        'http',
        'csv',
        'ruby',
        'python',
        'ejs',
        'css',
        'diff',
        'nginx',
        '',
      ]).toContain(language);
    }
  });
});
