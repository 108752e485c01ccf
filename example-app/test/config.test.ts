// The environment: what is missing is made and kept, what makes no sense is refused before anything is opened.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config';
import { ConfigError } from '../src/config-error';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'backup-code-config-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const SECRET = 'x'.repeat(32);
const PEPPER = `2026:${Buffer.alloc(32, 7).toString('base64')}`;
const read = (env: Record<string, string>): ReturnType<typeof readConfig> => readConfig({ DATA_DIR: dataDir, ...env });

test('everything has a default outside production', () => {
  expect(read({})).toMatchObject({ port: 3000, dataDir, isProduction: false, trustProxy: false, signInLimit: 1000, database: null, redisUrl: null, codesIn: 'sql', workers: 1 });
});

test('secrets are made once, kept, and readable by this user alone', () => {
  const first = read({});
  expect(read({})).toEqual(first);
  expect(first.sessionSecret).toHaveLength(43);
  expect(first.pepper).toEqual([{ id: 'local', key: expect.any(Buffer) as Buffer }]);
  for (const file of ['session-secret', 'backup-code-pepper']) expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600);
});

test('secrets that are given are used, and none is written', () => {
  const { sessionSecret, pepper } = read({ SESSION_SECRET: SECRET, BACKUP_CODE_PEPPER: `${PEPPER}, old:${Buffer.alloc(40, 1).toString('base64')}` });
  expect(sessionSecret).toBe(SECRET);
  expect(pepper.map(({ id, key }) => [id, key.length])).toEqual([['2026', 32], ['old', 40]]);
  expect(() => readFileSync(join(dataDir, 'session-secret'))).toThrow('ENOENT');
});

test('production makes up no secret', () => {
  expect(() => read({ NODE_ENV: 'production' })).toThrow('In production SESSION_SECRET and BACKUP_CODE_PEPPER must be set');
  expect(() => read({ NODE_ENV: 'production', SESSION_SECRET: SECRET, BACKUP_CODE_PEPPER: '' })).toThrow('In production BACKUP_CODE_PEPPER must be set');
  expect(read({ NODE_ENV: 'production', SESSION_SECRET: SECRET, BACKUP_CODE_PEPPER: PEPPER })).toMatchObject({ isProduction: true });
});

test.each([
  [{ NODE_ENV: 'prod' }, 'NODE_ENV is "prod", but must be production, development, test or left out.'],
  [{ PORT: 'http' }, 'PORT is "http", but must be a whole number from 0 to 65535.'],
  [{ PORT: '65536' }, 'PORT is "65536", but must be a whole number from 0 to 65535.'],
  [{ SIGN_IN_LIMIT: '0' }, 'SIGN_IN_LIMIT is "0", but must be a whole number from 1 to 1000000.'],
  [{ TRUST_PROXY: 'true' }, 'TRUST_PROXY is "true", but must be the number of proxies in front (1 to 9), or their addresses'],
  [{ TRUST_PROXY: 'proxy.example' }, 'TRUST_PROXY is "proxy.example", but must be'],
  [{ DATA_DIR: '' }, 'DATA_DIR is empty, but must be a directory or left out.'],
  [{ SESSION_SECRET: 'short' }, 'SESSION_SECRET has 5 characters, but must be a random text of at least 32.'],
  [{ BACKUP_CODE_PEPPER: 'c2VjcmV0' }, 'BACKUP_CODE_PEPPER, part 1, is not of the form id:base64'],
  [{ BACKUP_CODE_PEPPER: '2026:c2VjcmV0' }, 'BACKUP_CODE_PEPPER "2026" has 6 bytes, but must have at least 32 random ones.'],
  [{ BACKUP_CODE_PEPPER: `${PEPPER},${PEPPER}` }, 'BACKUP_CODE_PEPPER has two keys with the id "2026".'],
  [{ DATABASE_URL: '' }, 'DATABASE_URL is empty, but must be postgres://user:password@host/database'],
  [{ DATABASE_URL: 'sqlite:app.db' }, 'DATABASE_URL begins with "sqlite:", but must be postgres://user:password@host/database, or the same with postgresql, mysql or mariadb.'],
  [{ DATABASE_URL: 'postgres://ada:c2VjcmV0@host' }, 'DATABASE_URL names no database, but must be'],
  [{ DATABASE_URL: 'postgres://ada:c2VjcmV0#@host/app' }, 'DATABASE_URL cannot be read; it must be'],
  [{ DATABASE_URL: 'ada:c2VjcmV0@host/app' }, 'DATABASE_URL begins with "ada:", but must be'],
  [{ REDIS_URL: '' }, 'REDIS_URL is empty, but must be redis://host:6379'],
  [{ REDIS_URL: 'http://ada:c2VjcmV0@host' }, 'REDIS_URL begins with "http:", but must be redis://host:6379 or rediss://user:password@host:6379/0.'],
  [{ REDIS_URL: 'redis://ada:c2VjcmV0@host/app' }, 'REDIS_URL names a database that is no number'],
  [{ BACKUP_CODE_STORE: 'memory' }, 'BACKUP_CODE_STORE is "memory", but must be sql, redis or left out.'],
  [{ BACKUP_CODE_STORE: 'redis' }, 'BACKUP_CODE_STORE is redis, but REDIS_URL is not set.'],
  [{ WEB_CONCURRENCY: '0' }, 'WEB_CONCURRENCY is "0", but must be a whole number from 1 to 64.'],
  [{ WEB_CONCURRENCY: '65' }, 'WEB_CONCURRENCY is "65", but must be a whole number from 1 to 64.'],
  [{ WEB_CONCURRENCY: '2', REDIS_URL: 'redis://host' }, 'WEB_CONCURRENCY is 2, but SQLite files serve one process: set DATABASE_URL, or leave WEB_CONCURRENCY out.'],
])('%j is refused, saying what was given and what was meant', (env, message) => {
  expect(() => read(env)).toThrow(ConfigError);
  expect(() => read(env)).toThrow(message);
  expect(() => read(env)).not.toThrow('c2VjcmV0');
});

test('a DATA_DIR that is a file is refused', () => {
  const file = join(dataDir, 'file');
  writeFileSync(file, '');
  expect(() => read({ DATA_DIR: file })).toThrow(`DATA_DIR is "${file}", which cannot be made or is no directory.`);
});

test.each([
  ['1', 1],
  ['loopback', ['loopback']],
  ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
  ['false', false],
])('TRUST_PROXY %s is taken', (given, taken) => {
  expect(read({ TRUST_PROXY: given }).trustProxy).toEqual(taken);
});

test.each([
  ['postgres://ada:secret@host/app', 'postgres'],
  ['postgresql://host/app?sslmode=require', 'postgres'],
  ['mysql://ada:secret@host:3306/app', 'mysql'],
  ['mariadb://host/app', 'mysql'],
])('DATABASE_URL %s is taken, and then any number of processes', (url, kind) => {
  expect(read({ DATABASE_URL: url, WEB_CONCURRENCY: '4' })).toMatchObject({ database: { kind, url }, workers: 4 });
});

test('codes are kept in Redis if asked', () => {
  expect(read({ REDIS_URL: 'rediss://ada:secret@host:6379/1', BACKUP_CODE_STORE: 'redis' })).toMatchObject({ redisUrl: 'rediss://ada:secret@host:6379/1', codesIn: 'redis' });
});
