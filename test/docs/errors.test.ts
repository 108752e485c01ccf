// Compares docs/errors.md with the codes in lib, and the addresses in messages with its headings.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupCodeError, type BackupCodeErrorCode } from '../../lib';
import { addressOf } from '../../lib/errors';

const ROOT = join(__dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
const ERRORS = readFileSync(join(ROOT, 'lib/errors.ts'), 'utf8');
const WARNINGS = readFileSync(join(ROOT, 'lib/internal/warn-once.ts'), 'utf8');

/** The sections of the page by the code in their heading. */
const sections = new Map(
  PAGE.split('\n### ')
    .slice(1)
    .map((section) => [/^`(\w+)`\n/.exec(section)?.[1], section.split('\n## ')[0]!]),
);

/** Each error code with its doc comment, in the order of the source. */
const errors = [...ERRORS.matchAll(/^ {2}\/\*\*([^/]*?)\*\/\n {2}\| '(\w+)'/gm)].map(
  ([, comment = '', code = '']) => ({
    code,
    meaning: comment
      .replace(/^\s*\* ?/gm, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  }),
);
const mistakes = [...WARNINGS.matchAll(/^ {2}\| '(BACKUP_CODE_\w+)'/gm)].map(([, code]) => code!);

test('docs/errors.md has one section for each error code and each mistake, in their order', () => {
  expect(errors.length).toBeGreaterThan(20);
  expect([...sections.keys()]).toEqual([...errors.map(({ code }) => code), ...mistakes]);
});

test.each(errors)('the section about $code says what its doc comment says', ({ code, meaning }) => {
  expect(sections.get(code)!.replace(/\s+/g, ' ')).toContain(meaning);
});

test.each([...errors.map(({ code }) => code), ...mistakes])(
  'the section about %s says what to do',
  (code) => {
    expect(sections.get(code)).toContain('**What to do:** ');
  },
);

test('the message of an error ends with the address of its section', () => {
  for (const { code } of errors) {
    const error = new BackupCodeError(code as BackupCodeErrorCode, 'The message.');
    expect(error.message).toBe(`The message. (docs/errors.md#${code})`);
  }
});

test('the address of a mistake is the anchor of its heading', () => {
  expect(addressOf('BACKUP_CODE_FIELD_NAME')).toBe('docs/errors.md#backup_code_field_name');
});
