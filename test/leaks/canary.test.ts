// The leak tests search for secrets. These tests plant a secret in each form and expect it to be
// found.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Canary, printed } from '../helpers/canary';

const CODE = 'KQ7P-X3MZ';
const KEY = Buffer.from('00017f80ff3a9c5be2d4061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b', 'hex');

const canary = new Canary();
canary.addCode(CODE, 'the code');
canary.addBytes(KEY, 'the key');

describe('forms of a code', () => {
  it.each<[string, string]>([
    ['as it is shown', CODE],
    ['without its dash', 'KQ7PX3MZ'],
    ['in lower case', 'kq7p-x3mz'],
    ['in mixed case', 'Kq7p-X3mz'],
    ['as it was typed, with a space', 'kq7p x3mz'],
    ['with a dash of another kind', 'KQ7P\u2014X3MZ'],
    ['in full-width letters', '\uFF2B\uFF31\uFF17\uFF30 \uFF38\uFF13\uFF2D\uFF3A'],
    ['symbol by symbol', 'K Q 7 P X 3 M Z'],
    ['between tags', '<b>KQ7P</b>-<b>X3MZ</b>'.replace(/<\/?b>/g, '\u200B')],
    ['in UTF-16', Buffer.from(CODE, 'utf16le').toString('latin1')],
    ['reversed', 'ZM3X-P7QK'],
    ['reversed, without its dash', 'zm3xp7qk'],
    ['in hex', Buffer.from(CODE).toString('hex')],
    [
      'in hex, in lower case and without its dash',
      Buffer.from('kq7px3mz').toString('hex').toUpperCase(),
    ],
    ['as a printed Buffer', inspect(Buffer.from(CODE))],
    ['as a Buffer in JSON', JSON.stringify(Buffer.from(CODE))],
    ['as a typed array', inspect(Uint8Array.from(Buffer.from(CODE)))],
    ['as a typed array in JSON', JSON.stringify(Uint8Array.from(Buffer.from(CODE)))],
    [
      'escaped for a URL',
      Array.from(Buffer.from(CODE), (byte) => `%${byte.toString(16)}`).join(''),
    ],
    [
      'escaped for JSON',
      Array.from('KQ7PX3MZ', (symbol) => `\\u00${symbol.charCodeAt(0).toString(16)}`).join(''),
    ],
    [
      'escaped for a shell',
      Array.from('kq7px3mz', (symbol) => `\\x${symbol.charCodeAt(0).toString(16)}`).join(''),
    ],
    ['as HTML entities', Array.from(CODE, (symbol) => `&#${symbol.charCodeAt(0)};`).join('')],
    ['in base64', Buffer.from(CODE).toString('base64')],
    ['in base64url', Buffer.from('kq7px3mz').toString('base64url')],
    ['in base64 after one byte', Buffer.from(`?${CODE}!`).toString('base64')],
    ['in base64 after two bytes', Buffer.from(`??${CODE.toLowerCase()}!!`).toString('base64')],
    ['in JSON in base64', Buffer.from(JSON.stringify({ code: CODE, at: 1 })).toString('base64url')],
  ])('A code is found %s', (_form, written) => {
    expect(canary.findIn(`{"at":1,"what":"${written}"}`)).toEqual([
      expect.stringMatching(/^the code/),
    ]);
  });
});

describe('forms of a digest, a salt and a key', () => {
  it.each<[string, string]>([
    ['in hex', KEY.toString('hex')],
    ['in hex, in capitals and groups', KEY.toString('hex').toUpperCase().replace(/.{8}/g, '$& ')],
    ['in base64', KEY.toString('base64')],
    ['in base64url', KEY.toString('base64url')],
    [
      'in base64 between other bytes',
      Buffer.concat([Buffer.from('x'), KEY, Buffer.from('yz')]).toString('base64'),
    ],
    ['in hex, in base64', Buffer.from(`k=${KEY.toString('hex')}`).toString('base64')],
    ['as bytes', KEY.toString('latin1')],
    ['as a printed Buffer', inspect(KEY)],
    ['as numbers', JSON.stringify(Array.from(KEY))],
    ['as a typed array in JSON', JSON.stringify(Uint8Array.from(KEY))],
    ['reversed', Buffer.from(KEY).reverse().toString('hex')],
  ])('A key is found %s', (_form, written) => {
    expect(canary.findIn(`{"what":"${written}"}`)).toEqual([expect.stringMatching(/^the key/)]);
  });
});

it('Random data and a part of a code are not reported as secrets', () => {
  expect(
    canary.findIn(
      `KQ7P-X3M ${randomBytes(4096).toString('base64')} ${JSON.stringify(Array.from(randomBytes(1000)))}`,
    ),
  ).toEqual([]);
});

it('Each of thousands of codes is found in a long string', () => {
  const many = new Canary();
  const codes = Array.from(
    { length: 3000 },
    (_, index) => `ZZZZ-${index.toString(36).toUpperCase().padStart(4, '0')}`,
  );
  for (const code of codes) many.addCode(code, code);
  expect(many.findIn(codes.map((code) => `${'x'.repeat(300)} ${code}`).join(' '))).toEqual(codes);
});

it('A secret of fewer than eight characters is refused, because it matches by chance', () => {
  expect(() => new Canary().addCode('ABC-123', 'it')).toThrow('it is too short to be looked for.');
});

describe('all that can be printed of a value', () => {
  class Hider {
    readonly secret = { deep: { deeper: { deepest: CODE } } };
    toJSON(): string {
      return 'recovery';
    }
  }

  it.each<[string, unknown]>([
    ['a message', new Error(`no ${CODE}`)],
    ['a cause of a cause', new Error('no', { cause: new Error('no', { cause: CODE }) })],
    ['a property of an error', Object.assign(new Error('no'), { sql: `SELECT '${CODE}'` })],
    [
      'a property that is not enumerable',
      Object.defineProperty({}, 'code', { value: CODE, enumerable: false }),
    ],
    ['a symbol', { [Symbol('code')]: CODE }],
    ['a deeply nested property', new Hider()],
    ['the result of toJSON', { toJSON: () => CODE, [inspect.custom]: () => 'recovery' }],
    ['the result of toString', { toString: () => CODE, [inspect.custom]: () => 'recovery' }],
    ['a key of a Map', new Map([[{ code: CODE }, 1]])],
    ['the end of a long list', [...Array.from({ length: 500 }, () => 0), CODE]],
    ['a circular structure', Object.assign([CODE], { self: [] }, { self: { again: [] } })],
  ])('A code in %s is found', (_where, value) => {
    expect(canary.findIn(printed(value))).toEqual(['the code']);
  });
});
