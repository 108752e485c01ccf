// The sheet as a server renders it: what is in it, what is nowhere in it, and what it says of a mistake.
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { BackupCodeSheet, type BackupCodeSheetProps } from '../../lib/react';
import { ENGLISH } from '../../lib/react/labels';
import { report } from '../../lib/react/save';
import { factsOf, fileText } from '../../lib/react/texts';
import { failure } from '../helpers/errors';
import { ACCOUNT, CODES, SERVICE } from './set';

const CREATED = Date.UTC(2026, 10, 21, 23, 30);
const props: BackupCodeSheetProps = {
  codes: CODES,
  createdAt: CREATED,
  expiresAt: Date.UTC(2027, 10, 21, 23, 30),
  service: SERVICE,
  account: ACCOUNT,
  onAcknowledge: () => undefined,
};
const render = (more: object = {}): string =>
  renderToString(createElement(BackupCodeSheet, { ...props, ...more }));
const textOf = (html: string): string => html.replace(/<[^>]*>/g, '\n').replaceAll('&amp;', '&');

describe('rendered on a server', () => {
  it('is a numbered list of real text, each code once', () => {
    const html = render();
    const [, list = ''] = /<ol[^>]*>(.*)<\/ol>/.exec(html) ?? [];
    expect(
      [...list.matchAll(/<li><code[^>]*>([^<]*)<\/code><\/li>/g)].map(([, code]) => code),
    ).toEqual(CODES);
    for (const code of CODES) expect(html.split(code)).toHaveLength(2);
  });

  it('has no code in an attribute, no style, no script, and nothing that is sent', () => {
    const html = render();
    const attributes = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag).join('\n');
    for (const code of CODES) expect(attributes).not.toContain(code);
    expect(html).not.toMatch(/\sstyle=|<style|<script|<form|\son\w+=|\s(?:href|src|action)=/);
  });

  it('takes all that the router or BackupCodes answers', () => {
    expect(render({ setId: 'a-set' })).toBe(render());
    expect(render({ expiresAt: null })).toContain(ENGLISH.never);
    expect(render({ account: undefined })).not.toContain(ENGLISH.account);
  });

  it('has the classes and the heading that the page wants', () => {
    const html = render({
      classNames: { list: 'two columns', 'go-on': 'primary' },
      headingLevel: 3,
    });
    expect(html).toMatch(/<ol data-backup-codes="list" class="two columns"/);
    expect(html).toMatch(/<button data-backup-codes="go-on" class="primary"/);
    expect(html).toMatch(/<h3 [^>]*>Your backup codes<\/h3>/);
  });

  it('says nothing in English where every label is replaced', () => {
    const labels = Object.fromEntries(
      Object.keys(ENGLISH).map((name, index) => [name, `[${index}]`]),
    );
    const said = textOf(render({ labels, locale: 'ja' }))
      .split('\n')
      .filter(
        (line) => line.trim() !== '' && !CODES.includes(line) && ![SERVICE, ACCOUNT].includes(line),
      );
    expect(said.filter((line) => /[a-z]/i.test(line))).toEqual([]);
  });
});

it('says on the console what onAcknowledge threw, where nothing better is there, as in jsdom', () => {
  const said = jest.spyOn(console, 'error').mockReturnValue();
  const thrown = new Error('the service is away');
  report(thrown);
  expect(said.mock.calls).toEqual([[thrown]]);
  said.mockRestore();
});

describe('dates', () => {
  const days = (more: Partial<BackupCodeSheetProps>): string[] =>
    factsOf({ ...props, ...more }, ENGLISH)
      .slice(2)
      .map(({ value }) => value);

  it.each<[Partial<BackupCodeSheetProps>, string[]]>([
    [{}, ['2026-11-21', '2027-11-21']],
    [{ timeZone: 'Europe/Berlin' }, ['2026-11-22', '2027-11-22']],
    [{ locale: 'de', timeZone: 'Europe/Berlin' }, ['22. November 2026', '22. November 2027']],
    [{ locale: 'ja' }, ['2026年11月21日', '2027年11月21日']],
  ])('with %j they are %j, whatever the machine', (more, expected) => {
    expect(days(more)).toEqual(expected);
  });
});

it('the file has service and dates on top, then one code a line', () => {
  expect(fileText(props, ENGLISH)).toBe(
    `Service: ${SERVICE}\nAccount: ${ACCOUNT}\nCreated: 2026-11-21\nValid until: 2027-11-21\n\n${CODES.join('\n')}\n`,
  );
});

describe('a mistake', () => {
  it.each<[string, object, string]>([
    [
      'no codes',
      { codes: undefined },
      'codes must be a list of one text or more, but was undefined',
    ],
    ['an empty list', { codes: [] }, 'an empty one'],
    ['a list with something else', { codes: ['AAAA-AAAA', 7] }, 'something else in it'],
    ['no service', { service: undefined }, 'service must be a text, but was undefined'],
    ['an empty account', { account: '' }, 'account must be a text, but was empty'],
    [
      'a date as text',
      { createdAt: '2026-11-21' },
      'createdAt must be milliseconds since 1970, but was a string',
    ],
    [
      'a date that is none',
      { expiresAt: Number.NaN },
      'expiresAt must be milliseconds since 1970 or null, but was NaN',
    ],
    [
      'no way on',
      { onAcknowledge: undefined },
      'onAcknowledge must be a function, but was undefined',
    ],
    [
      'a heading that HTML has not',
      { headingLevel: 7 },
      'headingLevel must be a whole number from 1 to 6, but was 7',
    ],
    ['a label that is none', { labels: { copy: 7 } }, 'labels.copy must be a text, but was 7'],
    ['a label with a typing mistake', { labels: { copyy: 'Kopieren' } }, 'Did you mean "copy"?'],
    ['a part that is none', { classNames: { lists: 'wide' } }, 'Did you mean "list"?'],
    ['a language that is none', { locale: 'not a language' }, 'locale must be a language tag'],
    ['a time zone that is none', { timeZone: 'Mars/Olympus' }, 'timeZone must be a time zone'],
    [
      'a prop with a typing mistake',
      { onAcknowledged: () => undefined },
      'Did you mean "onAcknowledge"?',
    ],
    ['styles that are none', { printStyles: null }, 'printStyles must be a text, but was null'],
  ])('such as %s is an error at once, without a code in it', (_what, more, said) => {
    const attempt = (): string => render(more);
    expect(attempt).toThrow(failure('invalid_option'));
    expect(attempt).toThrow(said);
    try {
      attempt();
    } catch (error) {
      for (const code of ['AAAA-AAAA', ...CODES])
        expect(String((error as Error).stack)).not.toContain(code);
    }
  });
});
