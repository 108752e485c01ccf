import {
  assertMethods,
  assertOptions,
  describe as describeValue,
  optionalFunction,
  wholeNumber,
} from '../../lib/internal/validate';
import { failure } from '../helpers/errors';

describe('an options object', () => {
  const known = ['count', 'lowAt', 'expiresAfterDays'];

  it('may leave out any option', () => {
    for (const given of [{}, { count: 1 }, Object.create(null)])
      expect(() => assertOptions('issue', given, known)).not.toThrow();
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['text', 'count'],
    ['a number', 7],
    ['a list', [1]],
    ['a function', () => 1],
  ])('is not %s', (_what, given) => {
    expect(() => assertOptions('issue', given, known)).toThrow(failure('invalid_option'));
  });

  it.each([
    ['another case', 'COUNT', 'count'],
    ['an s too many', 'counts', 'count'],
    ['two letters swapped', 'cuont', 'count'],
    ['only the start', 'expires', 'expiresAfterDays'],
    ['more than the name', 'expiresAfterDaysMax', 'expiresAfterDays'],
  ])('with a misspelt name (%s) is refused, and what was meant is said', (_what, given, meant) => {
    expect(() => assertOptions('issue', { [given]: 1 }, known)).toThrow(
      `issue has no option "${given}". Did you mean "${meant}"?`,
    );
  });

  it('with a name like no other is refused, and what there is is said', () => {
    expect(() => assertOptions('issue', { zebra: 1 }, known)).toThrow(
      'issue has no option "zebra". It knows count, lowAt, expiresAfterDays.',
    );
  });
});

describe('a whole number', () => {
  const range = { min: 1, max: 32, fallback: 10 };

  it('is taken within its range, ends included, and has a default', () => {
    expect([1, 32, undefined].map((given) => wholeNumber('count', given, range))).toEqual([
      1, 32, 10,
    ]);
  });

  it.each([0, 33, -1, 1.5, NaN, Infinity, 2 ** 60, '10', null, 10n, true, [10], {}])(
    'is not %p',
    (given) => {
      expect(() => wholeNumber('count', given, range)).toThrow(failure('invalid_option'));
      expect(() => wholeNumber('count', given, range)).toThrow(
        'count must be a whole number from 1 to 32, but was ',
      );
    },
  );

  it('is refused under the code of its caller', () => {
    expect(() => wholeNumber('length', 0, { ...range, code: 'invalid_format' })).toThrow(
      failure('invalid_format'),
    );
  });
});

describe('a function', () => {
  it('may be left out', () => {
    const now = (): number => 1;
    expect(optionalFunction('now', now)).toBe(now);
    expect(optionalFunction<unknown>('now', undefined)).toBeUndefined();
  });

  it.each([null, 1, 'Date.now', {}])('is not %p', (given) => {
    expect(() => optionalFunction('now', given)).toThrow(failure('invalid_option'));
  });
});

describe('an object of a contract', () => {
  it('has its methods, own or inherited', () => {
    class Store {
      find(): void {
        // Nothing to find.
      }
    }
    expect(() => assertMethods('store', new Store(), ['find'])).not.toThrow();
    expect(() => assertMethods('store', { find: () => null }, ['find'])).not.toThrow();
  });

  it('is refused with the names of all that it lacks', () => {
    expect(() => assertMethods('store', { find: 1 }, ['find', 'revoke'])).toThrow(
      'store lacks the methods find, revoke.',
    );
    expect(() => assertMethods('store', { find: () => null }, ['find', 'revoke'])).toThrow(
      'store lacks the method revoke.',
    );
  });

  it.each([null, undefined, 'redis://', () => 1])('is not %p', (given) => {
    expect(() => assertMethods('store', given, ['find'])).toThrow(failure('invalid_option'));
  });
});

describe('what was given, in a message', () => {
  it('is told if it is a number or true or false, else by its kind alone: it may be a secret', () => {
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
