import {
  assertMethods,
  assertOptions,
  describe as describeValue,
  optionalFunction,
  wholeNumber,
} from '../../lib/internal/validate';
import { failure } from '../helpers/errors';

describe('assertOptions', () => {
  const optionNames = ['count', 'lowAt', 'expiresAfterDays'];

  it('assertOptions accepts an object without options, and without a prototype', () => {
    for (const given of [{}, { count: 1 }, Object.create(null)])
      expect(() => assertOptions('issue', given, optionNames)).not.toThrow();
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a string', 'count'],
    ['a number', 7],
    ['a list', [1]],
    ['a function', () => 1],
  ])('assertOptions refuses %s', (_what, given) => {
    expect(() => assertOptions('issue', given, optionNames)).toThrow(failure('invalid_option'));
  });

  it.each([
    ['another case', 'COUNT', 'count'],
    ['an s too many', 'counts', 'count'],
    ['two letters swapped', 'cuont', 'count'],
    ['only the start', 'expires', 'expiresAfterDays'],
    ['more than the name', 'expiresAfterDaysMax', 'expiresAfterDays'],
  ])(
    'assertOptions refuses a misspelt option (%s) and suggests the one that was meant',
    (_what, given, meant) => {
      expect(() => assertOptions('issue', { [given]: 1 }, optionNames)).toThrow(
        `issue has no option "${given}". Did you mean "${meant}"?`,
      );
    },
  );

  it('assertOptions refuses an option that is like no other, and lists all options', () => {
    expect(() => assertOptions('issue', { zebra: 1 }, optionNames)).toThrow(
      'issue has no option "zebra". It knows count, lowAt, expiresAfterDays.',
    );
  });
});

describe('wholeNumber', () => {
  const range = { min: 1, max: 32, fallback: 10 };

  it('wholeNumber returns a number of the range, and the default for undefined', () => {
    expect([1, 32, undefined].map((given) => wholeNumber('count', given, range))).toEqual([
      1, 32, 10,
    ]);
  });

  it.each([0, 33, -1, 1.5, NaN, Infinity, 2 ** 60, '10', null, 10n, true, [10], {}])(
    'wholeNumber refuses %p',
    (given) => {
      expect(() => wholeNumber('count', given, range)).toThrow(failure('invalid_option'));
      expect(() => wholeNumber('count', given, range)).toThrow(
        'count must be a whole number from 1 to 32, but was ',
      );
    },
  );

  it('wholeNumber throws the error code that the caller gives', () => {
    expect(() => wholeNumber('length', 0, { ...range, code: 'invalid_format' })).toThrow(
      failure('invalid_format'),
    );
  });
});

describe('optionalFunction', () => {
  it('optionalFunction returns the function, or undefined if it was left out', () => {
    const now = (): number => 1;
    expect(optionalFunction('now', now)).toBe(now);
    expect(optionalFunction<unknown>('now', undefined)).toBeUndefined();
  });

  it.each([null, 1, 'Date.now', {}])('optionalFunction refuses %p', (given) => {
    expect(() => optionalFunction('now', given)).toThrow(failure('invalid_option'));
  });
});

describe('assertMethods', () => {
  it('assertMethods accepts an object with all methods, own or inherited', () => {
    class Store {
      find(): void {
        // Finds nothing.
      }
    }
    expect(() => assertMethods('store', new Store(), ['find'])).not.toThrow();
    expect(() => assertMethods('store', { find: () => null }, ['find'])).not.toThrow();
  });

  it('assertMethods refuses an object and names all methods that it lacks', () => {
    expect(() => assertMethods('store', { find: 1 }, ['find', 'revoke'])).toThrow(
      'store lacks the methods find, revoke.',
    );
    expect(() => assertMethods('store', { find: () => null }, ['find', 'revoke'])).toThrow(
      'store lacks the method revoke.',
    );
  });

  it.each([null, undefined, 'redis://', () => 1])('assertMethods refuses %p', (given) => {
    expect(() => assertMethods('store', given, ['find'])).toThrow(failure('invalid_option'));
  });
});

describe('describe', () => {
  it('describe shows a number or a boolean, and only the kind of anything else', () => {
    expect(
      [
        3,
        NaN,
        true,
        'hunter2',
        { key: 'hunter2' },
        ['hunter2'],
        null,
        undefined,
        7n,
        Symbol('hunter2'),
      ].map(describeValue),
    ).toEqual([
      '3',
      'NaN',
      'true',
      'a string',
      'an object',
      'an array',
      'null',
      'undefined',
      'a bigint',
      'a symbol',
    ]);
  });
});
