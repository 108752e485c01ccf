// docs/troubleshooting.md has every text by which somebody is turned away, word for word, and none
// that nobody is told.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

const APP = join(__dirname, '..');
const PAGE = readFileSync(join(APP, '../docs/troubleshooting.md'), 'utf8');
const STRATEGY = join(APP, '../lib/strategy/outcomes.ts');

/**
 * Whoever answers a person. What is written to the owner by mail, or to whoever starts the service,
 * is elsewhere.
 */
const ANSWERING = [
  ...readdirSync(join(APP, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('-routes.ts'))
    .map((file) => `src/${file}`),
  ...[
    'app',
    'factors/factor-changes',
    'factors/security-key-strategy',
    'factors/totp-strategy',
    'login/authenticate',
    'login/passport',
    'notices/email-address',
    'web/error-pages',
    'web/describe-refusal',
  ].map((name) => `src/${name}.ts`),
  ...readdirSync(join(APP, 'public'))
    .filter((file) => file.endsWith('.js'))
    .map((file) => `public/${file}`),
];

/** Good news, and what explains a page. Whatever else a person is told belongs into the table. */
const NO_TROUBLE = [
  'The backup codes of … have ended. They are asked for new ones when they next log in.',
  '… had no backup codes.',
  'Your new backup codes work now. Any you had before do not.',
  '… is one of your addresses.',
  '… is none of your addresses.',
  '… Your backup codes work as before.',
  '… Your password alone opens this account now, and your backup codes no longer work.',
  'Go back to where you were logging in, and enter the same backup code again. It was not used up.',
  'Is it you?',
  'Your password is right. Now show that it is you.',
  // After another one, which is in the table.
  '… Try again in … …….',
  'You used a backup code. … of … are left.',
  'Your security key is on.',
  'That security key opens nothing here any more.',
  'Your authenticator app is on.',
  'Your authenticator app is off.',
  'It is in the vault. Nobody reads it alone, not even you.',
  'Approved. Either of you can run it now, until its time is over.',
  'Denied, for good.',
  'Withdrawn, for good.',
  'Copied. Paste them into your password manager now.',
  'Downloaded. Move the file to a safe place, not one that others can read.',
  // Where a strategy gives no words of its own, which each of this app's does.
  'That is not right.',
];

const inTable = PAGE.split('\n')
  .filter((line) => /^\| (?!on the screen)(?!-)/.test(line))
  .map((line) => line.split(' | ')[0]!.slice(2));

/** What is said in a source: its texts, with `…` for whatever is filled in. */
function textsOf(path: string): string[] {
  const texts: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const {
      type,
      value: text,
      quasis,
    } = value as { type?: unknown; value?: unknown; quasis?: { cooked: string }[] };
    if (type === 'StringLiteral') texts.push(String(text));
    if (type === 'TemplateLiteral') texts.push(quasis!.map(({ cooked }) => cooked).join('…'));
    for (const inside of Object.values(value)) visit(inside);
  };
  visit(
    parseSync(readFileSync(path, 'utf8'), {
      syntax: path.endsWith('.ts') ? 'typescript' : 'ecmascript',
      target: 'es2022',
    }),
  );
  return texts;
}

/** What a view says, as it is read. */
function wordsOf(view: string): string {
  return readFileSync(join(APP, 'views', view), 'utf8')
    .replace(/<%[\s\S]*?%>/g, '…')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

const isSentence = (text: string): boolean => /^[A-Z…][^\n]* [^\n]*[.!?]$/.test(text);
const said = ANSWERING.flatMap((file) => textsOf(join(APP, file)));
const saidByStrategy = textsOf(STRATEGY);

test('every answer of the strategy to a person is in the table', () => {
  const answers = saidByStrategy.filter(
    // The others are for developers.
    (text) => isSentence(text) && !/consumeCode|\{ ok: true \}/.test(text),
  );
  expect(answers).toHaveLength(8);
  expect(answers.filter((text) => !inTable.includes(text))).toEqual([]);
});

test('every sentence by which the app turns somebody away is in the table', () => {
  const sentences = said.filter(isSentence);
  expect(sentences.length).toBeGreaterThan(50);
  expect(sentences.filter((text) => !inTable.includes(text) && !NO_TROUBLE.includes(text))).toEqual(
    [],
  );
  expect(NO_TROUBLE.filter((text) => !sentences.includes(text))).toEqual([]);
});

test('every text in the table is told by the strategy, the app, or a view of it', () => {
  const views = readdirSync(join(APP, 'views'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ejs'))
    .map(wordsOf)
    .join(' ');
  expect(inTable.length).toBeGreaterThan(40);
  expect(
    inTable.filter((text) => ![...said, ...saidByStrategy].includes(text) && !views.includes(text)),
  ).toEqual([]);
  expect(new Set(inTable).size).toBe(inTable.length);
});
