// Runs one block of the README as a program: defines the names that it assumes, listens, and sends
// the port. Started as `node --require ./test/helpers/run-typescript.js
// test/helpers/readme-child.ts FILE`.
import Module, { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import bcrypt from 'bcrypt';
import express from 'express';
import session from 'express-session';
import Sqlite from 'libsql';
import passport from 'passport';
import { Strategy as LocalStrategy } from 'passport-local';
import { MemoryStore, type BackupCodes } from '../../lib';
import { consumeContract } from '../../lib/testing';

interface Person {
  readonly id: string;
  readonly name: string;
}

/** The variables of a block that the test exports. */
interface Made {
  readonly app?: express.Express;
  readonly backupCodes?: BackupCodes;
  readonly consumeCode?: (user: Person, code: string) => unknown;
}

const LIB = join(__dirname, '../../lib');

/** A block imports the package from this working tree. */
type Resolve = (request: string, ...others: unknown[]) => string;
const internals = Module as unknown as { _resolveFilename: Resolve };
const resolve = internals._resolveFilename;
internals._resolveFilename = (request, ...others) =>
  resolve.call(Module, request.replace(/^passport-backup-code(?=\/|$)/, LIB), ...others);

/** Uses the lowest readable cost: ten hashes of the default cost would take seconds. */
const { genSaltSync } = bcrypt;
bcrypt.genSaltSync = (_cost, minor) => genSaltSync(10, minor);

const ada: Person = { id: 'u1', name: 'ada' };
const users = {
  byId: (id: unknown) => Promise.resolve(id === ada.id ? ada : null),
  byName: (name: unknown) => Promise.resolve(name === ada.name ? ada : null),
};
passport.use(
  new LocalStrategy((name, password, done) => {
    users
      .byName(name)
      .then(
        (user) => done(null, password === 'correct horse' && user !== null ? user : false),
        done,
      );
  }),
);
passport.serializeUser((user, done) => done(null, (user as Person).id));
passport.deserializeUser((id, done) => {
  users.byId(id).then((user) => done(null, user ?? false), done);
});

const parsers = [
  express.urlencoded({ extended: false }),
  session({ secret: 'secret', resave: false, saveUninitialized: false }),
  passport.session(),
];
const db = new Sqlite(':memory:');
db.exec(
  'CREATE TABLE my_codes (id INTEGER PRIMARY KEY, user_id TEXT, code TEXT, consumed_at INTEGER)',
);
const findCode = (user: Person, code: string): Promise<unknown> =>
  Promise.resolve(
    db.prepare('SELECT id FROM my_codes WHERE user_id = ? AND code = ?').get([user.id, code]),
  );

/** The names that a block can use. A quick start only uses `users` and `secret`. */
Object.assign(globalThis, {
  users,
  secret: 'secret',
  app: express().use(...parsers),
  passport,
  store: new MemoryStore(),
  db,
  findCode,
});

async function main(): Promise<void> {
  const block = process.argv[2] ?? '';
  // TypeScript is loaded by `require` only.
  const made = (await createRequire(__filename)(block)) as Made;
  const app = made.app ?? (Reflect.get(globalThis, 'app') as express.Express);
  app.get('/whoami', (req, res) => {
    res.json({ user: req.user ?? null, isAuthenticated: req.isAuthenticated() });
  });
  const codes = (await made.backupCodes?.issue(ada.id))?.codes ?? [];
  if (made.consumeCode !== undefined) await runContract(made.consumeCode);
  const server = app.listen(0, '127.0.0.1', () =>
    process.send?.({ port: (server.address() as AddressInfo).port, codes }),
  );
}

/** Runs the suite that the README recommends to apps. */
async function runContract(consumeCode: NonNullable<Made['consumeCode']>): Promise<void> {
  const tests: (() => unknown)[] = [];
  let people = 0;
  const setUp = (): Promise<{ user: Person; codes: string[] }> => {
    people += 1;
    const user = { id: `p${people}`, name: '' };
    const codes = Array.from({ length: 10 }, (_, index) => `CODE-${people}-${index}`);
    for (const code of codes)
      db.prepare('INSERT INTO my_codes (user_id, code) VALUES (?, ?)').run([user.id, code]);
    return Promise.resolve({ user, codes });
  };
  const runner = {
    describe: (_name: string, declare: () => void) => declare(),
    it: (_name: string, test: () => unknown) => {
      tests.push(test);
    },
  };
  consumeContract(runner, { setUp, consumeCode, wrongCode: 'AAAA-AAAA' });
  for (const test of tests) await test();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
