// Stored sets of a `BackupCodes` with a namespace, as README.md describes version 1, with one difference: both lists of
// fields have the namespace, as text, before `userId`. The key under which a store keeps the user is HMAC-SHA-256 of the
// `userId` with the namespace as its key, in hex. Shares nothing with lib/. Run by itself it prints new vectors:
// `node test/vectors/make-namespaces.js`.
'use strict';

const { createHmac, randomBytes, randomInt } = require('node:crypto');
const { stretch } = require('./make');

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

/** @param {{ pepper: { key: string } | null }} set */
function macKey({ pepper }) {
  return pepper ? Buffer.from(pepper.key, 'hex') : Buffer.from('passport-backup-code/v1/no-pepper');
}

/** @param {{ namespace: string, userId: string }} set */
function userKey({ namespace, userId }) {
  return createHmac('sha256', namespace).update(userId).digest('hex');
}

/** @param {{ namespace: string, userId: string, setId: string, pepper: { key: string } | null }} set */
function check(set) {
  const fields = ['passport-backup-code/v1/check', set.namespace, set.userId, set.setId];
  return mac(macKey(set), fields).subarray(0, 16).toString('hex');
}

/**
 * @param {{ namespace: string, userId: string, setId: string, salt: string, pepper: { key: string } | null }} set
 * @param {{ stretched: string, codeId: string, salt: string }} code
 */
function derive(set, code) {
  const stretched = Buffer.from(code.stretched, set.salt.startsWith('$2b$') ? 'latin1' : 'hex');
  const fields = ['passport-backup-code/v1', set.namespace, set.userId, set.setId, set.salt, stretched];
  const keyed = mac(macKey(set), fields);
  const digest = mac(keyed, [code.codeId, Buffer.from(code.salt, 'hex')]);
  return { keyed: keyed.toString('hex'), digest: digest.toString('hex') };
}

const hex = (/** @type {number} */ size) => randomBytes(size).toString('hex');
const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const long = { alphabet, length: 25, groupSize: 5, separator: '-' };
const standard = { alphabet, length: 8, groupSize: 4, separator: '-' };

/** What the file is made of. */
const wanted = [
  { name: 'bcrypt 10, standard', namespace: 'bank', userId: 'ada', salt: '$2b$10$', format: standard, pepperId: null },
  { name: 'bcrypt 10, standard, pepper, a user id of every kind of character', namespace: 'school.example_1-B', userId: 'zoe\u0308 \u0000\n"\\ \u{1F511}', salt: '$2b$10$', format: standard, pepperId: '2026' },
  { name: 'SHA-256, long, pepper', namespace: '0'.repeat(64), userId: '42', salt: '$sha256$', format: long, pepperId: 'k.2_-Z' },
];

/** @param {typeof wanted[number]} given */
async function make({ pepperId, format, salt, ...named }) {
  const random = salt === '$2b$10$' ? require('bcrypt').genSaltSync(10, 'b') : salt + randomBytes(16).toString('base64').slice(0, 22);
  const pepper = pepperId === null ? null : { id: pepperId, key: hex(32) };
  const set = { ...named, pepper, format: JSON.stringify(format), salt: random, setId: hex(16) };
  const draw = () => Array.from({ length: format.length }, () => alphabet[randomInt(alphabet.length)]).join('');
  const codes = await Promise.all([draw(), draw()].map(async (symbols) => {
    const code = { symbols, codeId: hex(16), salt: hex(16), stretched: await stretch(set, { symbols }) };
    const shown = (symbols.match(new RegExp(`.{1,${format.groupSize}}`, 'g')) ?? []).join(format.separator);
    return { shown, ...code, ...derive(set, code) };
  }));
  return { ...set, userKey: userKey(set), check: check(set), codes };
}

async function print() {
  const json = JSON.stringify({ version: 1, sets: await Promise.all(wanted.map(make)) }, null, 2);
  console.log(json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

module.exports = { check, derive, userKey };

if (require.main === module) void print();
