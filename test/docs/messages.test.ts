// Runs docs/messages.md, and compares its languages with those of the React sheet.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSALS } from '../../lib/strategy/outcomes';
import { recipesOf, runRecipe } from '../helpers/recipes';

type Texts = Readonly<Record<string, string>>;
type Messages = (
  code: string,
  info: { retryAfterSeconds?: number },
  req: { acceptsLanguages: (languages: string[]) => string | false },
) => string;

const ROOT = join(__dirname, '../..');
const inLanguage = (language: string | false) => ({ acceptsLanguages: () => language });

let texts: Readonly<Record<string, Texts>>;
let messages: Messages;

beforeAll(async () => {
  const scope = { backupCodes: undefined, currentUser: undefined };
  const code = recipesOf('docs/messages.md').get('messages')!.split('const strategy')[0]!;
  ({ MESSAGES: texts, messages } = (await runRecipe(code, scope, ['MESSAGES', 'messages'])) as {
    MESSAGES: typeof texts;
    messages: Messages;
  });
});

test('the messages are in the languages of the labels of the React sheet, in their order', () => {
  const header = /^\| label \|(.+)\|$/m.exec(readFileSync(join(ROOT, 'docs/react.md'), 'utf8'));
  const named = header?.[1]!.split('|').map((name) => name.trim());
  const names = Object.keys(texts).map((tag) =>
    new Intl.DisplayNames([tag], { type: 'language' }).of(tag)!,
  );
  expect(names.map((name) => name.toLowerCase())).toEqual(named?.map((name) => name.toLowerCase()));
});

test('every language has a message for every failure of the strategy', () => {
  const codes = [
    'malformed',
    'invalid_code',
    'login_required',
    'denied',
    'step_up_required',
    'busy',
  ];
  for (const tag of Object.keys(texts)) {
    for (const code of codes) expect(messages(code, {}, inLanguage(tag))).toBe(texts[tag]![code]);
    expect(messages('too_many_attempts', {}, inLanguage(tag))).toBe(texts[tag]!['locked']);
    expect(messages('too_many_attempts', { retryAfterSeconds: 47 }, inLanguage(tag))).toMatch(/47/);
    expect(Object.keys(texts[tag]!)).toEqual(Object.keys(texts['en']!));
  }
});

test('the English messages are those of the strategy', () => {
  for (const { code, message } of Object.values(REFUSALS)) {
    if (code !== 'too_many_attempts') expect(texts['en']![code]).toBe(message);
  }
  expect(texts['en']!['locked']).toBe(REFUSALS.locked.message);
  expect(texts['en']!['wait']).toBe(
    REFUSALS.throttled.message.replace('wait', 'wait {seconds} seconds'),
  );
});

test('a browser of another language gets English', () => {
  expect(messages('busy', {}, inLanguage(false))).toBe(texts['en']!['busy']);
});
