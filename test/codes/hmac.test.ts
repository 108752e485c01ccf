import crypto from 'node:crypto';
import fc from 'fast-check';
import { macUnder, type MacField } from '../../lib/codes/hmac';

/** What Node's own HMAC gives for the same bytes. */
function referenceMac(key: Uint8Array, fields: readonly MacField[]): string {
  const mac = crypto.createHmac('sha256', key);
  for (const field of fields) {
    const bytes = Buffer.from(field as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    mac.update(length).update(bytes);
  }
  return mac.digest('hex');
}

describe('HMAC-SHA-256 by one-shot hashes', () => {
  it.each([0, 1, 31, 32, 63, 64, 65, 128, 200])(
    'A key of %i bytes gives what createHmac gives',
    (size) => {
      const key = crypto.randomBytes(size);
      expect(macUnder(key)(['a', Buffer.from('b')])).toBe(
        referenceMac(key, ['a', Buffer.from('b')]),
      );
    },
  );

  it('One prepared key gives what createHmac gives for messages of any length in any order', () => {
    const field = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', '\u{D800}', '\u{1F511}', 'x'.repeat(300)),
      fc.uint8Array({ maxLength: 100 }),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.array(fc.array(field, { maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        (key, messages) => {
          const mac = macUnder(key);
          for (const message of messages) expect(mac(message)).toBe(referenceMac(key, message));
        },
      ),
    );
  });
});
