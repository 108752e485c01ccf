// Restores of MemoryStore and of a SQLite file.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { MemoryStore } from '../../lib';
import { SqlStore } from '../../lib/sql';
import { restoreTests, type RestorableData, type RestorableStore } from '../helpers/restore-tests';

describe('a restore of MemoryStore', () => {
  restoreTests({ open: () => Promise.resolve(memoryData()) });
});

describe('a restore of a SQLite file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'backup-codes-restore-'));
  const opened: Database.Database[] = [];
  afterAll(() => {
    for (const database of opened) database.close();
    rmSync(directory, { recursive: true });
  });

  const open = (file: string): [Database.Database, RestorableStore] => {
    const database = new Database(file);
    database.exec('PRAGMA busy_timeout = 5000');
    opened.push(database);
    return [database, new SqlStore({ database, tables: 'create' })];
  };

  restoreTests({
    open: () => {
      const file = join(directory, `codes-${opened.length}.db`);
      const copy = `${file}.copy`;
      const [database, store] = open(file);
      return Promise.resolve({
        store,
        copy: () => {
          database.exec(`VACUUM INTO '${copy}'`);
          return Promise.resolve();
        },
        restore: () => {
          opened.splice(opened.indexOf(database), 1, new Database(':memory:'));
          database.close();
          cpSync(copy, file);
          return Promise.resolve(open(file)[1]);
        },
      });
    },
  });
});

/** Two stores that receive the same calls until the copy is made. Then only one does. */
function memoryData(): RestorableData {
  const copied = new MemoryStore();
  let isCopied = false;
  const store = new Proxy(new MemoryStore(), {
    get: (target, name) => {
      const method = Reflect.get(target, name, target) as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        if (!isCopied) {
          await (Reflect.get(copied, name, copied) as typeof method).apply(copied, args);
        }
        return method.apply(target, args);
      };
    },
  });
  return {
    store,
    copy: () => {
      isCopied = true;
      return Promise.resolve();
    },
    restore: () => Promise.resolve(copied),
  };
}
