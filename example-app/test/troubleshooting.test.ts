// docs/troubleshooting.md lists every message that refuses a user, word for word, and no message
// that the app does not send.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from '@swc/core';

const APP = join(__dirname, '..');
const PAGE = readFileSync(join(APP, '../docs/troubleshooting.md'), 'utf8');
const STRATEGY = join(APP, '../lib/strategy/outcomes.ts');

/** The files whose strings users see. Mail and messages for the operator are listed elsewhere. */
const MESSAGE_FILES = [
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

/** Messages that report no problem. Every other message belongs in the table. */
const NO_TROUBLE = [
  'The backup codes of … have ended. They are asked for new ones when they next log in.',
  '… had no backup codes.',
  'Your new backup codes work now. Any you had before do not.',
  '… is one of your addresses.',
  '… is not one of your addresses.',
  '… Your backup codes work as before.',
  '… Your password alone opens this account now, and your backup codes no longer work.',
  'Go back to where you were logging in, and enter the same backup code again. It was not used up.',
  'Is it you?',
  'Your password is right. Now show that it is you.',
  // Follows another message, which is in the table.
  '… Try again in … …….',
  'You used a backup code. … of … are left.',
  'Your security key is on.',
  'That security key opens nothing here any more.',
  'Your authenticator app is on.',
  'Your authenticator app is off.',
  'It is in the vault. Reading it takes two administrators, even for you.',
  'Approved. Either of you can run it now, until it expires.',
  'Denied. It cannot be reopened.',
  'Withdrawn. It cannot be reopened.',
  'Copied. Paste them into your password manager now.',
  'Downloaded. Move the file to a safe place, not one that others can read.',
  // For strategies without a message. Each strategy of this app has one.
  'That is not right.',
];

const inTable = PAGE.split('\n')
  .filter((line) => /^\| (?!on the screen)(?!-)/.test(line))
  .map((line) => line.split(' | ')[0]!.slice(2));

interface SyntaxNode {
  readonly type?: unknown;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly cooked: string }[];
  readonly operator?: unknown;
  readonly left?: unknown;
  readonly right?: unknown;
}

const isNode = (value: unknown): value is SyntaxNode => typeof value === 'object' && value !== null;

/** The string of an expression, with `…` for inserted values, or `null` if it is not a string. */
function readString(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'StringLiteral') return String(node.value);
  if (node.type === 'TemplateLiteral') return node.quasis!.map(({ cooked }) => cooked).join('…');
  if (node.type !== 'BinaryExpression' || node.operator !== '+') return null;
  const [left, right] = [readString(node.left), readString(node.right)];
  return left === null && right === null ? null : `${left ?? '…'}${right ?? '…'}`;
}

/** The strings of a source file. Strings that are joined with `+` count as one. */
function readStrings(path: string): string[] {
  const texts: string[] = [];
  const visit = (value: unknown, isPart = false): void => {
    if (!isNode(value)) return;
    const text = readString(value);
    if (text !== null && !isPart) texts.push(text);
    const isSum = text !== null && value.type === 'BinaryExpression';
    for (const inside of Object.values(value)) visit(inside, isSum);
  };
  visit(
    parseSync(readFileSync(path, 'utf8'), {
      syntax: path.endsWith('.ts') ? 'typescript' : 'ecmascript',
      target: 'es2022',
    }),
  );
  return texts;
}

/** The text of a view, without tags. */
function readView(view: string): string {
  return readFileSync(join(APP, 'views', view), 'utf8')
    .replace(/<%[\s\S]*?%>/g, '…')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
}

const isSentence = (text: string): boolean => /^[A-Z…][^\n]* [^\n]*[.!?]$/.test(text);
const said = MESSAGE_FILES.flatMap((file) => readStrings(join(APP, file)));
const saidByStrategy = readStrings(STRATEGY);

test('The table has every message of the strategy to a user', () => {
  const answers = saidByStrategy.filter(
    // The other messages are for developers.
    (text) => isSentence(text) && !/consumeCode|\{ ok: true \}/.test(text),
  );
  expect(answers).toHaveLength(8);
  expect(answers.filter((text) => !inTable.includes(text))).toEqual([]);
});

test('The table has every sentence with which the app refuses a user', () => {
  const sentences = said.filter(isSentence);
  expect(sentences.length).toBeGreaterThan(50);
  expect(sentences.filter((text) => !inTable.includes(text) && !NO_TROUBLE.includes(text))).toEqual(
    [],
  );
  expect(NO_TROUBLE.filter((text) => !sentences.includes(text))).toEqual([]);
});

test('Every message in the table comes from the strategy, the app or a view', () => {
  const views = readdirSync(join(APP, 'views'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ejs'))
    .map(readView)
    .join(' ');
  expect(inTable.length).toBeGreaterThan(40);
  expect(
    inTable.filter((text) => ![...said, ...saidByStrategy].includes(text) && !views.includes(text)),
  ).toEqual([]);
  expect(new Set(inTable).size).toBe(inTable.length);
});
