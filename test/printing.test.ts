// Whatever an app prints or logs of our objects, no code, digest, salt or key is in it.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { BackupCodes, BackupCodeStrategy, MemoryStore } from '../lib';
import { createTables, SqlStore } from '../lib/sql';
import { countingHasher } from './helpers/counting-hasher';

describe.each(['MemoryStore', 'SqlStore'] as const)('what is printed of a service on %s', (kind) => {
  it('holds no secret, as text or as JSON, alone or inside of another object', async () => {
    const db = new Kysely<unknown>({ dialect: new SqliteDialect({ database: new Database(':memory:') }) });
    await createTables(db);
    const store = kind === 'MemoryStore' ? new MemoryStore() : new SqlStore(db);
    const key = randomBytes(32);
    const backupCodes = new BackupCodes({ store, pepper: [{ id: '2030', key }], hasher: countingHasher() });
    const { codes, setId } = await backupCodes.issue('ada');
    await backupCodes.consume('ada', codes[0]);
    const strategy = new BackupCodeStrategy({ backupCodes });

    const deep = { depth: Infinity, showHidden: true };
    const printed = [backupCodes, store, strategy, { nested: [backupCodes, store, strategy] }].flatMap((object) => [inspect(object, deep), JSON.stringify(object)]).join('\n');
    const secrets = [
      ...codes.flatMap((code) => [code, code.toLowerCase(), code.replace('-', '')]),
      ...[key, Buffer.from(await store.nameKey())].flatMap((bytes) => [bytes.toString('hex'), bytes.toString('base64'), Array.from(bytes).join(','), inspect(bytes).slice(8, 40)]),
      setId,
    ];
    expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
    await db.destroy();
  });
});
