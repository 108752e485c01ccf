import fc from 'fast-check';
import { safeReturnTo } from '../../lib/express/return-to';
import { LoginSite } from './login-site';

describe('safeReturnTo', () => {
  test.each([
    '/',
    '/inbox',
    '/inbox?page=2&q=a%20b#top',
    '/a/../b?x=//y',
    '/@evil.example',
    '/%5Cevil.example',
    '/%2F%2Fevil.example',
    '/?next=https://evil.example',
  ])('a path of this origin is accepted: %j', (value) => {
    expect(safeReturnTo(value)).not.toBeNull();
    expect(new URL(safeReturnTo(value)!, 'https://shop.example').origin).toBe(
      'https://shop.example',
    );
  });

  test('a path is percent-encoded, ready for a Location header', () => {
    expect(safeReturnTo('/caf\u00e9 au lait')).toBe('/caf%C3%A9%20au%20lait');
    expect(safeReturnTo('/a/./b/../c')).toBe('/a/c');
  });

  test.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '\\\\evil.example',
    '/\\/evil.example',
    '/inbox\\..\\..', //
    'http:evil.example',
    'http://evil.example',
    'https:/evil.example',
    'HTTPS://evil.example',
    'ftp://evil.example',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'mailto:x@evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/inbox\u0000',
    '/inbox\r\nSet-Cookie: a=b',
    '/\u0085/evil.example', //
    '/.//evil.example',
    '/%2e//evil.example',
    '/a/..//evil.example',
    '/%2E%2E//evil.example', //
    '',
    'inbox',
    '?a',
    '#a',
    '.',
    '@evil.example',
    `/${'a'.repeat(2048)}`, //
    `/${'\u00e9'.repeat(2000)}`,
    `/?q=${'\u20ac'.repeat(300)}`,
  ])('anything else is dropped without an error: %j', (value) => {
    expect(safeReturnTo(value)).toBeNull();
  });

  test('what is returned has at most 2048 characters, however long it became', () => {
    fc.assert(
      fc.property(fc.constantFrom('a', ' ', '\u00e9', '\u20ac', '\u{1f511}'), (letter) => {
        for (let length = 1; length <= 2048; length *= 2)
          expect(safeReturnTo(`/${letter.repeat(length)}`)?.length ?? 0).toBeLessThanOrEqual(2048);
      }),
    );
    expect(safeReturnTo(`/${'a'.repeat(2047)}`)).toHaveLength(2048);
    expect(safeReturnTo(`/${'\u00e9'.repeat(341)}`)).toHaveLength(2047);
  });

  test.each([
    [['/inbox']],
    [{ '0': '/' }],
    [null],
    [undefined],
    [7],
    [true],
    [{ toString: () => '/inbox' }],
  ])('a value of a parsed body that is not a string is dropped: %j', (value) => {
    expect(safeReturnTo(value)).toBeNull();
  });

  test('no value leads to another origin', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '%2e',
      '%2f',
      '%5c',
      '\t',
      '\n',
      ' ',
      ':',
      '@',
      '#',
      '?',
      'http:',
      'evil.example',
      '\u3002',
      '\uff0f',
      '\u2215',
      '\ud800',
      'a',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = safeReturnTo(`/${pieces.join('')}`);
        if (path === null) return;
        expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
        expect(new URL(path, 'https://shop.example').host).toBe('shop.example');
        expect(safeReturnTo(path)).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });

  test('a login succeeds, and returns no page if the value was dropped', async () => {
    const site = await LoginSite.open();
    for (const returnTo of ['//evil.example', ['/inbox'], { a: 1 }, 5, null, 'x'.repeat(5000)]) {
      const browser = site.browser();
      expect((await browser.post('/login', { user: 'ada', returnTo })).status).toBe(200);
      expect((await browser.post('/login/totp', { code: 'valid' })).body).toMatchObject({
        user: 'ada',
        returnTo: null,
      });
    }
    await site.shut();
  });
});
