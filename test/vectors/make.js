// The storage scheme once more, from the words of README.md beside it and with node:crypto and bcrypt alone: it shares
// nothing with lib/. The test recomputes every vector with it. Run by itself it prints a new set of vectors.
'use strict';

const bcrypt = require('bcrypt');
const { createHmac, randomBytes, randomInt } = require('node:crypto');

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

/** @param {{ salt: string }} set @param {{ symbols: string }} code */
async function stretch({ salt }, { symbols }) {
  // `$2b$`, two digits, `$`: 7 characters; then 22 of salt. What follows is the hash, 31 characters.
  return (await bcrypt.hash(symbols, salt)).slice(29);
}

/**
 * What becomes of a stretched code.
 *
 * @param {{ userId: string, setId: string, salt: string, pepper: { id: string, key: string } | null }} set
 * @param {{ stretched: string, codeId: string, salt: string }} code
 */
function derive(set, code) {
  const keyed = mac(macKey(set), ['passport-backup-code/v1', set.userId, set.setId, set.salt, Buffer.from(code.stretched)]);
  const digest = mac(keyed, [code.codeId, Buffer.from(code.salt, 'hex')]);
  return { keyed: keyed.toString('hex'), digest: digest.toString('hex') };
}

const hex = (/** @type {number} */ size) => randomBytes(size).toString('hex');

/** @param {{ name: string, userId: string, cost: number, format: { alphabet: string, length: number, groupSize: number, separator: string }, pepperId: string | null }} wanted */
async function make({ name, userId, cost, format, pepperId }) {
  const set = { name, userId, pepper: pepperId === null ? null : { id: pepperId, key: hex(32) }, format: JSON.stringify(format), salt: bcrypt.genSaltSync(cost, 'b'), setId: hex(16) };
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

async function main() {
  const unambiguous = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
  const standard = { alphabet: unambiguous, length: 8, groupSize: 4, separator: '-' };
  const vectors = [
    { name: 'bcrypt 10, standard', userId: 'ada', cost: 10, format: standard, pepperId: null },
    { name: 'bcrypt 12, standard', userId: '42', cost: 12, format: standard, pepperId: null },
    { name: 'bcrypt 10, standard, pepper, a user id of every kind of character', userId: 'zoe\u0308 \u0000\n"\\ \u{1F511} \u05d0\u3042', cost: 10, format: standard, pepperId: '2026' },
    { name: 'bcrypt 12, standard, pepper', userId: 'ada@example.org', cost: 12, format: standard, pepperId: 'k.2_-Z' },
    { name: 'bcrypt 10, recovery', userId: 'ADA', cost: 10, format: { ...standard, length: 16 }, pepperId: null },
    { name: 'bcrypt 10, long', userId: '9007199254740993', cost: 10, format: { ...standard, length: 25, groupSize: 5 }, pepperId: null },
    { name: 'bcrypt 10, numeric, pepper', userId: 'ada', cost: 10, format: { alphabet: '0123456789', length: 8, groupSize: 4, separator: ' ' }, pepperId: '2026' },
    { name: 'bcrypt 10, hex', userId: ' ada', cost: 10, format: { alphabet: '0123456789abcdef', length: 10, groupSize: 5, separator: '-' }, pepperId: null },
    { name: "bcrypt 10, a format of the app's own, pepper", userId: 'ada', cost: 10, format: { alphabet: '0123456789abcdefghijklmnopqrstuvwxyz', length: 13, groupSize: 4, separator: '.' }, pepperId: 'own' },
  ];
  const json = JSON.stringify({ version: 1, sets: await Promise.all(vectors.map(make)) }, null, 2);
  console.log(json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`));
}

module.exports = { check, derive, stretch };

if (require.main === module) void main();
