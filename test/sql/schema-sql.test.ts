// The SQL for migrations.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { schemaSql } from '../../lib/sql';
import { failure } from '../helpers/errors';

const DIALECTS = ['sqlite', 'postgres', 'mysql'] as const;

describe('schemaSql', () => {
  it.each(DIALECTS)('the file schema/%s.sql holds what schemaSql returns', (dialect) => {
    const file = join(__dirname, '../../lib/sql/schema', `${dialect}.sql`);
    expect(readFileSync(file, 'utf8')).toBe(schemaSql(dialect));
  });

  it.each(DIALECTS)('on %s, every table and index begins with the prefix', (dialect) => {
    const statements = schemaSql(dialect, { tablePrefix: 'auth_' }).replaceAll('auth_', '');
    expect(statements).toBe(schemaSql(dialect));
    const named = /(?:TABLE|INDEX) IF NOT EXISTS (\w+)|\bON (\w+)|KEY (backup_\w+|auth_\w+)/g;
    const names = [...schemaSql(dialect, { tablePrefix: 'auth_' }).matchAll(named)].map(
      ([, table, on, key]) => table ?? on ?? key,
    );
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !name?.startsWith('auth_'))).toEqual([]);
  });

  it('on PostgreSQL, every table is in the schema, and an index follows its table', () => {
    const statements = schemaSql('postgres', { schema: 'Auth' });
    expect(statements).toContain('CREATE TABLE IF NOT EXISTS "Auth".backup_codes (');
    expect(statements).toContain(
      'CREATE INDEX IF NOT EXISTS backup_codes_set ON "Auth".backup_codes (user_key, set_id)',
    );
    expect(statements.replaceAll('"Auth".', '')).toBe(schemaSql('postgres'));
  });

  it('on MySQL, every table is in the database that schema names', () => {
    const statements = schemaSql('mysql', { schema: 'auth', tablePrefix: 'v2_' });
    expect(statements).toContain('CREATE TABLE IF NOT EXISTS `auth`.v2_backup_codes (');
    expect(statements.match(/TABLE IF NOT EXISTS `auth`\./g)).toHaveLength(6);
  });

  it('the SQL may be run again on tables that exist', () => {
    const database = new Database(':memory:');
    database.exec(schemaSql('sqlite'));
    database.exec(schemaSql('sqlite'));
    database.exec(schemaSql('sqlite', { tablePrefix: 'other_' }));
    const tables = database.prepare(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%backup_code%'",
    );
    expect(tables.all()).toHaveLength(12);
    database.close();
  });

  it('schemaSql refuses an unknown dialect and unknown options', () => {
    expect(() => schemaSql('oracle' as never)).toThrow(failure('invalid_option'));
    expect(() => schemaSql('postgres', { prefix: 'a_' } as never)).toThrow(
      failure('invalid_option'),
    );
  });
});
