// The storage scheme once more, from the words of README.md beside it and with node:crypto, bcrypt and argon2 alone: it
// shares nothing with lib/. The test recomputes every vector with it. Run by itself, with the name of a file, it prints
// new vectors of that kind: `node test/vectors/make.js sets-v1-hashers`.
'use strict';

const argon2 = require('@node-rs/argon2');
const bcrypt = require('bcrypt');
const { createHash, createHmac, pbkdf2, randomBytes, randomInt, scrypt } = require('node:crypto');
const { promisify } = require('node:util');

/** @param {Buffer} key @param {(string | Buffer)[]} fields */
function mac(key, fields) {
  const parts = fields.flatMap((field) => {
    const bytes = Buffer.from(field);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return createHmac('sha256', key).update(Buffer.concat(parts)).digest();
}

/** @param {{ pepper: { id: string, key: string } | null }} set */
function macKey({ pepper }) {
  return pepper ? Buffer.from(pepper.key, 'hex') : Buffer.from('passport-backup-code/v1/no-pepper');
}

/** @param {{ userId: string, setId: string, pepper: { id: string, key: string } | null }} set */
function check(set) {
  return mac(macKey(set), ['passport-backup-code/v1/check', set.userId, set.setId]).subarray(0, 16).toString('hex');
}

/**
 * The slow hashes, by what stands first in a salt string.
 *
 * @type {Record<string, (symbols: string, salt: Buffer, params: Record<string, number>) => Buffer | Promise<Buffer>>}
 */
const slowHashes = {
  scrypt: (symbols, salt, { ln, r, p }) => promisify(scrypt)(symbols, salt, 32, { N: 2 ** ln, r, p, maxmem: 2 ** 30 }),
  'pbkdf2-sha256': (symbols, salt, { i }) => promisify(pbkdf2)(symbols, salt, i, 32, 'sha256'),
  // Algorithm 2 is argon2id, version 1 is 0x13, the one that is written v=19.
  argon2id: (symbols, salt, { m, t, p }) => argon2.hashRaw(symbols, { algorithm: 2, version: 1, memoryCost: m, timeCost: t, parallelism: p, outputLen: 32, salt }),
  sha256: (symbols, salt) => createHash('sha256').update(Buffer.concat([salt, Buffer.from(symbols)])).digest(),
};

/** @param {{ salt: string }} set @param {{ symbols: string }} code */
async function stretch({ salt }, { symbols }) {
  // `$2b$`, two digits, `$`: 7 characters; then 22 of salt. What follows is the hash, 31 characters.
  if (salt.startsWith('$2b$')) return (await bcrypt.hash(symbols, salt)).slice(29);
  const [, scheme, ...parts] = salt.split('$');
  const bytes = Buffer.from(parts.pop(), 'base64');
  const params = Object.fromEntries(parts.join().split(',').map((part) => part.split('=')).map(([name, value]) => [name, Number(value)]));
  return (await slowHashes[scheme](symbols, bytes, params)).toString('hex');
}

/**
 * What becomes of a stretched code.
 *
 * @param {{ userId: string, setId: string, salt: string, pepper: { id: string, key: string } | null }} set
 * @param {{ stretched: string, codeId: string, salt: string }} code
 */
function derive(set, code) {
  const stretched = Buffer.from(code.stretched, set.salt.startsWith('$2b$') ? 'latin1' : 'hex');
  const keyed = mac(macKey(set), ['passport-backup-code/v1', set.userId, set.setId, set.salt, stretched]);
  const digest = mac(keyed, [code.codeId, Buffer.from(code.salt, 'hex')]);
  return { keyed: keyed.toString('hex'), digest: digest.toString('hex') };
}

const hex = (/** @type {number} */ size) => randomBytes(size).toString('hex');

/** @param {{ name: string, userId: string, scheme: string, format: { alphabet: string, length: number, groupSize: number, separator: string }, pepperId: string | null }} wanted */
async function make({ name, userId, scheme, format, pepperId }) {
  const cost = /^\$2b\$(\d+)\$$/.exec(scheme)?.[1];
  const salt = cost === undefined ? scheme + randomBytes(16).toString('base64').slice(0, 22) : bcrypt.genSaltSync(Number(cost), 'b');
  const set = { name, userId, pepper: pepperId === null ? null : { id: pepperId, key: hex(32) }, format: JSON.stringify(format), salt, setId: hex(16) };
  const draw = () => Array.from({ length: format.length }, () => format.alphabet[randomInt(format.alphabet.length)]).join('');
  const codes = await Promise.all([draw(), draw()].map(async (symbols) => {
    const code = { symbols, codeId: hex(16), salt: hex(16), stretched: await stretch(set, { symbols }) };
    const shown = (symbols.match(new RegExp(`.{1,${format.groupSize}}`, 'g')) ?? []).join(format.separator);
    return { shown, ...code, ...derive(set, code) };
  }));
  const [first] = codes;
  // The first code with its last symbol changed.
  const last = format.alphabet[(format.alphabet.indexOf(first.symbols.slice(-1)) + 1) % format.alphabet.length];
  return { ...set, check: check(set), codes, wrong: [first.symbols.slice(0, -1) + last, draw()] };
}

const standard = { alphabet: 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789', length: 8, groupSize: 4, separator: '-' };
const recovery = { ...standard, length: 16 };
const long = { ...standard, length: 25, groupSize: 5 };
const numeric = { alphabet: '0123456789', length: 8, groupSize: 4, separator: ' ' };
const hexadecimal = { alphabet: '0123456789abcdef', length: 10, groupSize: 5, separator: '-' };
const own = { alphabet: '0123456789abcdefghijklmnopqrstuvwxyz', length: 13, groupSize: 4, separator: '.' };

/** What the files are made of. */
const files = {
  'sets-v1': [
    { name: 'bcrypt 10, standard', userId: 'ada', scheme: '$2b$10$', format: standard, pepperId: null },
    { name: 'bcrypt 12, standard', userId: '42', scheme: '$2b$12$', format: standard, pepperId: null },
    { name: 'bcrypt 10, standard, pepper, a user id of every kind of character', userId: 'zoe\u0308 \u0000\n"\\ \u{1F511} \u05d0\u3042', scheme: '$2b$10$', format: standard, pepperId: '2026' },
    { name: 'bcrypt 12, standard, pepper', userId: 'ada@example.org', scheme: '$2b$12$', format: standard, pepperId: 'k.2_-Z' },
    { name: 'bcrypt 10, recovery', userId: 'ADA', scheme: '$2b$10$', format: recovery, pepperId: null },
    { name: 'bcrypt 10, long', userId: '9007199254740993', scheme: '$2b$10$', format: long, pepperId: null },
    { name: 'bcrypt 10, numeric, pepper', userId: 'ada', scheme: '$2b$10$', format: numeric, pepperId: '2026' },
    { name: 'bcrypt 10, hex', userId: ' ada', scheme: '$2b$10$', format: hexadecimal, pepperId: null },
    { name: "bcrypt 10, a format of the app's own, pepper", userId: 'ada', scheme: '$2b$10$', format: own, pepperId: 'own' },
  ],
  'sets-v1-hashers': [
    { name: 'scrypt 17, standard', userId: 'ada', scheme: '$scrypt$ln=17,r=8,p=1$', format: standard, pepperId: null },
    { name: 'scrypt 17, recovery, pepper', userId: '-42', scheme: '$scrypt$ln=17,r=8,p=1$', format: recovery, pepperId: '2026' },
    { name: 'scrypt 18, hex', userId: 'Ada', scheme: '$scrypt$ln=18,r=8,p=1$', format: hexadecimal, pepperId: null },
    { name: 'PBKDF2 600 000, standard', userId: '\u00e5da', scheme: '$pbkdf2-sha256$i=600000$', format: standard, pepperId: null },
    { name: 'PBKDF2 700 001, numeric, pepper', userId: 'a\u030ada', scheme: '$pbkdf2-sha256$i=700001$', format: numeric, pepperId: 'k.2_-Z' },
    { name: 'argon2id 19 456 and 2, standard, pepper, a user id of every kind of character', userId: '\t\u{1F511}\u05d0 $argon2id$\u0000', scheme: '$argon2id$v=19$m=19456,t=2,p=1$', format: standard, pepperId: '2026' },
    { name: "argon2id 65 536 and 3, a format of the app's own", userId: 'ada', scheme: '$argon2id$v=19$m=65536,t=3,p=1$', format: own, pepperId: null },
    { name: 'SHA-256, long', userId: 'ada', scheme: '$sha256$', format: long, pepperId: null },
    { name: "SHA-256, a format of the app's own, of 112 bits, pepper", userId: '18446744073709551616', scheme: '$sha256$', format: { ...hexadecimal, length: 28, groupSize: 7, separator: '_' }, pepperId: '2026' },
  ],
};

/** @param {keyof typeof files} file */
async function print(file) {
  const json = JSON.stringify({ version: 1, sets: await Promise.all(files[file].map(make)) }, null, 2);
  console.log(json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

module.exports = { check, derive, stretch };

if (require.main === module) void print(process.argv[2]);
