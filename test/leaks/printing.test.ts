// Objects of the package print no code, digest, salt or key, however an app prints or logs them.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes, BackupCodeStrategy, MemoryStore } from '../../lib';
import { createTables, SqlStore } from '../../lib/sql';
import { countingHasher } from '../helpers/counting-hasher';

describe.each(['MemoryStore', 'SqlStore'] as const)(
  'printed objects of a service on %s',
  (kind) => {
    it('A printed object of the package holds no secret, alone or inside another', async () => {
      const db = new Kysely<unknown>({
        dialect: new SqliteDialect({ database: new Database(':memory:') }),
      });
      await createTables({ database: db });
      const store = kind === 'MemoryStore' ? new MemoryStore() : new SqlStore({ database: db });
      const key = randomBytes(32);
      const backupCodes = new BackupCodes({
        store,
        pepper: [{ id: '2030', key }],
        hasher: countingHasher(),
      });
      const { codes, setId } = await backupCodes.issue('ada');
      await backupCodes.consume('ada', codes[0]);
      const strategy = new BackupCodeStrategy({ backupCodes });

      const deep = { depth: Infinity, showHidden: true };
      const printed = [backupCodes, store, strategy, { nested: [backupCodes, store, strategy] }]
        .flatMap((object) => [inspect(object, deep), JSON.stringify(object)])
        .join('\n')
        .replace(/\s+/g, ' ');
      const secrets = [
        ...codes.flatMap((code) => [code, code.toLowerCase(), code.replace('-', '')]),
        ...[key, Buffer.from(await store.nameKey())].flatMap(formsOf),
        setId,
      ];
      expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
      await db.destroy();
    });
  },
);

/**
 * The forms in which inspect() and JSON write bytes. Lists are searched by their start, because
 * they can be cut.
 */
function formsOf(bytes: Buffer): string[] {
  const first = Array.from(bytes).slice(0, 8);
  const hex = bytes.subarray(0, 8).toString('hex').match(/../g)!.join(' ');
  return [
    bytes.toString('hex'),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('latin1'),
    hex,
    first.join(', '),
    first.join(','),
    first.map((byte, at) => `"${at}":${byte}`).join(','),
  ];
}

test('A printed secret is found in each form', () => {
  const bytes = randomBytes(32);
  for (const value of [bytes, new Uint8Array(bytes), { key: bytes }]) {
    for (const text of [inspect(value), JSON.stringify(value)].map((printed) =>
      printed.replace(/\s+/g, ' '),
    ))
      expect(formsOf(bytes).filter((form) => text.includes(form))).not.toEqual([]);
  }
});
