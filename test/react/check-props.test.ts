import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { BackupCodeSheet } from '../../lib/react';
import { failure } from '../helpers/errors';
import { CODES, SAMPLE_PROPS } from './sample-set';

describe('the first rendering', () => {
  it.each<[string, object, string]>([
    [
      'no codes',
      { codes: undefined },
      'codes must be an array of one or more strings, but was undefined',
    ],
    [
      'an empty array of codes',
      { codes: [] },
      'codes must be an array of one or more strings, but was empty',
    ],
    [
      'a code that is not a string',
      { codes: ['AAAA-AAAA', 77777777] },
      'codes[1] must be a non-empty string.',
    ],
    ['no service', { service: undefined }, 'service must be a non-empty string, but was undefined'],
    ['an empty account', { account: ' ' }, 'account must be a non-empty string, but was empty'],
    [
      'a date as a string',
      { createdAt: '2026-11-21' },
      'createdAt must be milliseconds since 1970, but was a string',
    ],
    [
      'a date that is not a number',
      { expiresAt: Number.NaN },
      'expiresAt must be milliseconds since 1970 or null, but was NaN',
    ],
    [
      'no onAcknowledge',
      { onAcknowledge: undefined },
      'onAcknowledge must be a function, but was undefined',
    ],
    [
      'an onStartOver that is not a function',
      { onStartOver: '/new-codes' },
      'onStartOver must be a function, but was a string',
    ],
    [
      'a yes for hideCodes',
      { hideCodes: 'yes' },
      'hideCodes must be true or false, but was a string',
    ],
    [
      'no answer to warnBeforeLeaving',
      { warnBeforeLeaving: null },
      'warnBeforeLeaving must be true or false, but was null',
    ],
    [
      'a heading level that HTML does not have',
      { headingLevel: 7 },
      'headingLevel must be a whole number from 1 to 6, but was 7',
    ],
    [
      'a label that is not a string',
      { labels: { copy: 7 } },
      'labels.copy must be a non-empty string, but was 7',
    ],
    ['labels that are not an object', { labels: null }, 'labels takes an options object'],
    ['a misspelt label', { labels: { copyy: 'Kopieren' } }, 'Did you mean "copy"?'],
    ['a misspelt part', { classNames: { lists: 'wide' } }, 'Did you mean "list"?'],
    ['an unknown language', { locale: 'not a language' }, 'locale must be a language tag'],
    ['an unknown time zone', { timeZone: 'Mars/Olympus' }, 'timeZone must be a time zone'],
    ['a misspelt prop', { onAcknowledged: () => undefined }, 'Did you mean "onAcknowledge"?'],
    [
      'print styles that are not a string',
      { printStyles: null },
      'printStyles must be a string, but was null',
    ],
  ])('The first rendering throws an error without a code for %s', (_what, props, message) => {
    const render = (): string =>
      renderToString(createElement(BackupCodeSheet, { ...SAMPLE_PROPS, ...props }));
    expect(render).toThrow(failure('invalid_option'));
    expect(render).toThrow(message);
    try {
      render();
    } catch (error) {
      const { stack } = error as Error;
      for (const code of ['AAAA-AAAA', '77777777', ...CODES]) expect(stack).not.toContain(code);
    }
  });
});
