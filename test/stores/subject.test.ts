import { createHmac } from 'node:crypto';
import { nameSubject, userKey, userSubject } from '../../lib/stores/subject';
import { failure } from '../helpers/errors';

describe('user ids', () => {
  it('A number, a bigint and a string of the same digits are one user id', () => {
    expect(userSubject(42)).toEqual(userSubject('42'));
    expect(userSubject(42n)).toEqual(userSubject('42'));
  });

  it('User ids that differ in case, accent, space, padding or sign are different', () => {
    const ids = [
      'ada',
      'ADA',
      'Ada',
      '\u00e0da',
      'a\u0300da',
      'ada ',
      ' ada',
      'ada\u0000',
      'ada\n',
      '\uff41da',
      '042',
      '42',
      '-42',
      '42.0',
      '4.2e1',
      '0',
      'null',
      '__proto__',
    ];
    expect(new Set(ids.map((id) => userSubject(id).key)).size).toBe(ids.length);
  });

  it('The key of a user id is its SHA-256', () => {
    expect(userSubject('abc')).toEqual({
      key: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      userId: 'abc',
      namespace: null,
    });
    expect(userKey('abc')).toBe(userSubject('abc').key);
  });

  it.each([
    ['one character', 'a'],
    ['255 characters', 'x'.repeat(255)],
    ['an emoji', '\u{1F511}'],
    ['zero', 0],
    ['a negative number', -7],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['a bigint beyond it', 2n ** 63n],
  ])('A user id can be %s', (_what, id) => {
    expect(userSubject(id).userId).toBe(String(id));
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an empty string', ''],
    ['256 characters', 'x'.repeat(256)],
    ['half a character', 'a\ud800'],
    ['halves in the wrong order', '\udc00\ud800'],
    ['NaN', NaN],
    ['infinity', Infinity],
    ['a fraction', 1.5],
    ['an unsafe integer', 2 ** 53],
    ['true', true],
    ['an object', { id: 1 }],
    ['an object that converts to a string', { toString: () => 'ada' }],
    ['a list', ['ada']],
    ['a String object', Object('ada')],
    ['a symbol', Symbol('ada')],
    ['a function', () => 'ada'],
    ['bytes', Buffer.from('ada')],
  ])('A user id cannot be %s', (_what, id) => {
    expect(() => userSubject(id as string)).toThrow(failure('invalid_user_id'));
  });

  it('An error message does not contain the invalid user id, which may hold secrets', () => {
    expect(() => userSubject({ password: 'hunter2' } as never)).toThrow(
      'A user id must be a string of 1 to 255 characters, a safe integer or a bigint, but was an object.',
    );
  });
});

describe('unknown user names', () => {
  const key = Buffer.alloc(32, 3);

  it('The key of an unknown name cannot be the key of a user id', () => {
    const { key: nameKey } = nameSubject('ada', key);
    expect(nameKey).toMatch(/^name:[0-9a-f]{64}$/);
    for (const id of ['ada', 'name:ada', nameKey, nameKey.slice(5)])
      expect(userSubject(id).key).toMatch(/^[0-9a-f]{64}$/);
    expect(userSubject(nameKey).key).not.toBe(nameKey);
  });

  it('The key of an unknown name depends on the name key, and does not show the name', () => {
    expect(nameSubject('ada', key).key).not.toBe(nameSubject('ada', Buffer.alloc(32, 4)).key);
    expect(nameSubject('ada', key).key).not.toContain(userKey('ada'));
    expect(nameSubject('ada', key)).toEqual({
      key: nameSubject('ada', key).key,
      userId: null,
      namespace: null,
    });
  });
});

describe('namespaces', () => {
  it('The key of a user id in a namespace is its HMAC-SHA-256 under the namespace', () => {
    const key = createHmac('sha256', 'bank').update('abc').digest('hex');
    expect(userSubject('abc', 'bank')).toEqual({ key, userId: 'abc', namespace: 'bank' });
    expect(userKey('abc', 'bank')).toBe(key);
  });

  it('Equal ids have a key for each namespace, and so have equal unknown names', () => {
    const namespaces = [null, 'bank', 'ban', 'k', 'Bank', 'a'.repeat(64)];
    const nameKey = Buffer.alloc(32, 3);
    const userKeys = namespaces.map((namespace) => userKey('ada', namespace));
    const nameKeys = namespaces.map((namespace) => nameSubject('ada', nameKey, { namespace }).key);
    expect(new Set([...userKeys, ...nameKeys]).size).toBe(2 * namespaces.length);
    expect(nameKeys[0]).toBe(nameSubject('ada', nameKey).key);
  });
});
