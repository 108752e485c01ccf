// The environment: missing secrets are generated and stored, and invalid values are refused before
// anything is opened.
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
const PRODUCTION = { NODE_ENV: 'production', SESSION_SECRET: SECRET, BACKUP_CODE_PEPPER: PEPPER };
const read = (env: Record<string, string>): ReturnType<typeof readConfig> =>
  readConfig({ DATA_DIR: dataDir, ...env });

test('Every variable has a default outside production', () => {
  expect(read({})).toMatchObject({
    port: 3000,
    dataDir,
    isProduction: false,
    trustProxy: false,
    signInLimit: 1000,
    database: null,
    redisUrl: null,
    codesIn: 'sql',
    workers: 1,
    auditDays: 365,
  });
  expect(read({ PORT: '8080' }).mail).toEqual({
    smtp: null,
    from: { name: '', address: 'no-reply@localhost' },
    publicUrl: 'http://localhost:8080',
  });
});

test('Secrets are generated once, and only this user can read them', () => {
  const first = read({});
  expect(read({})).toEqual(first);
  expect(first.sessionSecret).toHaveLength(43);
  expect(first.pepper).toEqual([{ id: 'local', key: expect.any(Buffer) as Buffer }]);
  for (const file of ['session-secret', 'backup-code-pepper'])
    expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600);
});

test('Given secrets are used, and none is written', () => {
  const { sessionSecret, pepper } = read({
    SESSION_SECRET: SECRET,
    BACKUP_CODE_PEPPER: `${PEPPER}, old:${Buffer.alloc(40, 1).toString('base64')}`,
  });
  expect(sessionSecret).toBe(SECRET);
  expect(pepper.map(({ id, key }) => [id, key.length])).toEqual([
    ['2026', 32],
    ['old', 40],
  ]);
  expect(() => readFileSync(join(dataDir, 'session-secret'))).toThrow('ENOENT');
});

test('In production no secret is generated', () => {
  expect(() => read({ NODE_ENV: 'production' })).toThrow(
    'In production SESSION_SECRET and BACKUP_CODE_PEPPER must be set',
  );
  expect(() =>
    read({ NODE_ENV: 'production', SESSION_SECRET: SECRET, BACKUP_CODE_PEPPER: '' }),
  ).toThrow('In production BACKUP_CODE_PEPPER must be set');
  expect(
    read({ NODE_ENV: 'production', SESSION_SECRET: SECRET, BACKUP_CODE_PEPPER: PEPPER }),
  ).toMatchObject({ isProduction: true });
});

test.each([
  [
    { NODE_ENV: 'prod' },
    'NODE_ENV is "prod", but must be production, development, test or left out.',
  ],
  [{ PORT: 'http' }, 'PORT is "http", but must be a whole number from 0 to 65535.'],
  [{ PORT: '65536' }, 'PORT is "65536", but must be a whole number from 0 to 65535.'],
  [{ SIGN_IN_LIMIT: '0' }, 'SIGN_IN_LIMIT is "0", but must be a whole number from 1 to 1000000.'],
  [
    { TRUST_PROXY: 'true' },
    'TRUST_PROXY is "true", but must be the number of proxies in front (1 to 9), or their',
  ],
  [{ TRUST_PROXY: 'proxy.example' }, 'TRUST_PROXY is "proxy.example", but must be'],
  [{ DATA_DIR: '' }, 'DATA_DIR is empty, but must be a directory or left out.'],
  [
    { SESSION_SECRET: 'short' },
    'SESSION_SECRET has 5 characters, but must have at least 32 random ones.',
  ],
  [
    { BACKUP_CODE_PEPPER: 'c2VjcmV0' },
    'BACKUP_CODE_PEPPER, part 1, does not have the form id:base64',
  ],
  [
    { BACKUP_CODE_PEPPER: '2026:c2VjcmV0' },
    'BACKUP_CODE_PEPPER "2026" has 6 bytes, but must have at least 32 random ones.',
  ],
  [
    { BACKUP_CODE_PEPPER: `${PEPPER},${PEPPER}` },
    'BACKUP_CODE_PEPPER has two keys with the id "2026".',
  ],
  [{ AUDIT_DAYS: '0' }, 'AUDIT_DAYS is "0", but must be a whole number from 1 to 36500.'],
  [
    { SMTP_URL: '' },
    'SMTP_URL is empty, but must be smtp://host:587, or ' +
      'smtps://user:password@host:465 for TLS from the first byte, or left out.',
  ],
  [{ SMTP_URL: 'mail.example.com' }, 'SMTP_URL is not a valid URL; it must be smtp://host:587'],
  [
    { SMTP_URL: 'https://mail.example.com' },
    'SMTP_URL begins with "https:", but must be smtp://host:587',
  ],
  [{ SMTP_URL: 'smtp:mail.example.com' }, 'SMTP_URL names no server, but must be'],
  [{ SMTP_URL: 'smtp://mail.example.com:0' }, 'SMTP_URL names no server, but must be'],
  [{ SMTP_URL: 'smtp://mail.example.com/inbox' }, 'SMTP_URL has a path or a query, but must be'],
  [
    { SMTP_URL: 'smtp://mail.example.com?tls.rejectUnauthorized=false' },
    'SMTP_URL has a path or a query, but must be',
  ],
  [
    { SMTP_URL: 'smtp://ada@mail.example.com' },
    'SMTP_URL has a user without a password, or the reverse, but must be',
  ],
  [
    { SMTP_URL: 'smtp://ada:c2VjcmV0%@mail.example.com' },
    'SMTP_URL has a % that is not part of an escape; write % itself as %25.',
  ],
  [{ SMTP_URL: 'smtp://mail.example.com' }, 'SMTP_URL is set, but MAIL_FROM must be set with it.'],
  [
    { ...PRODUCTION, SMTP_URL: 'smtp://mail.example.com' },
    'SMTP_URL is set, but MAIL_FROM and PUBLIC_URL must be set with it.',
  ],
  [{ MAIL_FROM: '' }, 'MAIL_FROM is "", but must be name@example.com or Name <name@example.com>.'],
  [{ MAIL_FROM: 'Codes' }, 'MAIL_FROM is "Codes", but must be'],
  [
    { MAIL_FROM: 'a@example.com, b@example.com' },
    'MAIL_FROM is "a@example.com, b@example.com", but must be',
  ],
  [
    { MAIL_FROM: 'Codes <codes@example.com' },
    'MAIL_FROM is "Codes <codes@example.com", but must be',
  ],
  [
    { MAIL_FROM: 'Codes\nBcc: <codes@example.com>' },
    'MAIL_FROM is "Codes\nBcc: <codes@example.com>", but must be',
  ],
  [{ PUBLIC_URL: '' }, 'PUBLIC_URL is empty, but must be the public address of this service'],
  [
    { PUBLIC_URL: 'codes.example.com' },
    'PUBLIC_URL is not a valid URL; it must be the public address of this service',
  ],
  [
    { PUBLIC_URL: 'ftp://codes.example.com' },
    'PUBLIC_URL begins with "ftp:", but must begin with https: or http:.',
  ],
  [
    { PUBLIC_URL: 'https://codes.example.com/app' },
    'PUBLIC_URL has more than a host and a port, but must be',
  ],
  [
    { PUBLIC_URL: 'https://ada:c2VjcmV0@codes.example.com' },
    'PUBLIC_URL has more than a host and a port, but must be',
  ],
  [
    { ...PRODUCTION, PUBLIC_URL: 'http://codes.example.com' },
    'PUBLIC_URL begins with "http:", but must begin with https:.',
  ],
  [
    { DATABASE_URL: '' },
    'DATABASE_URL is empty, but must be postgres://user:password@host/database',
  ],
  [
    { DATABASE_URL: 'sqlite:app.db' },
    'DATABASE_URL begins with "sqlite:", but must be postgres://user:password@host/database, ' +
      'or the same with postgresql, mysql or mariadb.',
  ],
  [
    { DATABASE_URL: 'postgres://ada:c2VjcmV0@host' },
    'DATABASE_URL has no database name, but must be',
  ],
  [
    { DATABASE_URL: 'postgres://ada:c2VjcmV0#@host/app' },
    'DATABASE_URL is not a valid URL; it must be',
  ],
  [{ DATABASE_URL: 'ada:c2VjcmV0@host/app' }, 'DATABASE_URL begins with "ada:", but must be'],
  [{ REDIS_URL: '' }, 'REDIS_URL is empty, but must be redis://host:6379'],
  [
    { REDIS_URL: 'http://ada:c2VjcmV0@host' },
    'REDIS_URL begins with "http:", but must be redis://host:6379 or ' +
      'rediss://user:password@host:6379/0.',
  ],
  [{ REDIS_URL: 'redis://ada:c2VjcmV0@host/app' }, 'REDIS_URL has a database that is not a number'],
  [
    { BACKUP_CODE_STORE: 'memory' },
    'BACKUP_CODE_STORE is "memory", but must be sql, redis or left out.',
  ],
  [{ BACKUP_CODE_STORE: 'redis' }, 'BACKUP_CODE_STORE is redis, but REDIS_URL is not set.'],
  [{ WEB_CONCURRENCY: '0' }, 'WEB_CONCURRENCY is "0", but must be a whole number from 1 to 64.'],
  [{ WEB_CONCURRENCY: '65' }, 'WEB_CONCURRENCY is "65", but must be a whole number from 1 to 64.'],
  [
    { WEB_CONCURRENCY: '2', REDIS_URL: 'redis://host' },
    'WEB_CONCURRENCY is 2, but SQLite files support only one process: ' +
      'set DATABASE_URL, or leave WEB_CONCURRENCY out.',
  ],
])('%j is refused, and the message says what was given and what was expected', (env, message) => {
  expect(() => read(env)).toThrow(ConfigError);
  expect(() => read(env)).toThrow(message);
  expect(() => read(env)).not.toThrow('c2VjcmV0');
});

test('A DATA_DIR that is a file is refused', () => {
  const file = join(dataDir, 'file');
  writeFileSync(file, '');
  expect(() => read({ DATA_DIR: file })).toThrow(
    `DATA_DIR is "${file}", which is not a directory and cannot be created.`,
  );
});

test.each([
  ['1', 1],
  ['loopback', ['loopback']],
  ['10.0.0.0/8, fd00::/8', ['10.0.0.0/8', 'fd00::/8']],
  ['false', false],
])('TRUST_PROXY %s is accepted', (given, taken) => {
  expect(read({ TRUST_PROXY: given }).trustProxy).toEqual(taken);
});

test.each([
  ['postgres://ada:secret@host/app', 'postgres'],
  ['postgresql://host/app?sslmode=require', 'postgres'],
  ['mysql://ada:secret@host:3306/app', 'mysql'],
  ['mariadb://host/app', 'mysql'],
])('DATABASE_URL %s is accepted and allows several processes', (url, kind) => {
  expect(read({ DATABASE_URL: url, WEB_CONCURRENCY: '4' })).toMatchObject({
    database: { kind, url },
    workers: 4,
  });
});

test('Codes are stored in Redis if configured', () => {
  expect(
    read({ REDIS_URL: 'rediss://ada:secret@host:6379/1', BACKUP_CODE_STORE: 'redis' }),
  ).toMatchObject({ redisUrl: 'rediss://ada:secret@host:6379/1', codesIn: 'redis' });
});

test.each([
  ['smtp://mail.example.com', { host: 'mail.example.com', port: 587, isTls: false, login: null }],
  [
    'smtps://codes%40example.com:a%2Fb%23@mail.example.com/',
    {
      host: 'mail.example.com',
      port: 465,
      isTls: true,
      login: { user: 'codes@example.com', password: 'a/b#' },
    },
  ],
  ['smtp://[::1]:2525', { host: '::1', port: 2525, isTls: false, login: null }],
])('SMTP_URL %s is accepted', (url, smtp) => {
  const env = {
    SMTP_URL: url,
    MAIL_FROM: ' Backup codes <codes@Example.com> ',
    PUBLIC_URL: 'https://Codes.example.com:8443/',
  };
  const meant = {
    smtp,
    from: { name: 'Backup codes', address: 'codes@example.com' },
    publicUrl: 'https://codes.example.com:8443',
  };
  expect([read(env).mail, read({ ...PRODUCTION, ...env }).mail]).toEqual([meant, meant]);
});
