#!/usr/bin/env bash
# store.all() has a different shape in almost every session store, and destroy() of an id that does
# not exist reports success. A loop that logs a user out everywhere works in one store, and ends no
# session, without an error, in the next.
#
# Guess      express-session documents all() as an array of sessions. A loop written for one store
#            works in the others, or throws.
# What       MemoryStore of express-session itself, and memorystore, return an object by id.
#            connect-redis returns an array, and adds an `id`. connect-session-knex returns an
#            array without ids. better-sqlite3-session-store returns table rows with the session
#            as a JSON string. session-file-store, connect-loki,
#            connect-pg-simple and connect-session-sequelize have no all(). With
#            `Object.entries(all)` the ids of an array are "0", "1" …: destroy("0") succeeds.
# Versions   express-session 1.19.0, memorystore 1.6.8, connect-redis 10.0.0,
#            connect-session-knex 5.0.0, better-sqlite3-session-store 0.1.0,
#            session-file-store 1.5.0, connect-loki 1.2.0, connect-pg-simple 10.0.0,
#            connect-session-sequelize 8.0.6.
# Means      After a lost phone, the user gets in with a backup code and ends all other sessions.
#            Test this with your own store and two sessions: that nothing throws proves nothing.
# Our part   The guards compare the time of the login with `notBefore`, which needs no list of
#            sessions: lib/express/login-age.ts, and SECURITY.md on a stolen backup code.
# Needs      redis-server (Debian: redis-server).
source "$(dirname "$0")/helpers/start.sh"
need redis-server 'the Debian package redis-server'

install express-session@1.19.0 memorystore@1.6.8 connect-redis@10.0.0 redis@6.3.1 \
  connect-session-knex@5.0.0 knex@3.3.0 better-sqlite3-session-store@0.1.0 libsql@0.5.29 \
  session-file-store@1.5.0 connect-loki@1.2.0 connect-pg-simple@10.0.0 pg@8.23.1 \
  connect-session-sequelize@8.0.6 sequelize@6.37.8 embedded-postgres@18.4.0-beta.17

check <<'JS'
const { mkdtempSync } = require('node:fs');
const { join } = require('node:path');
const session = require('express-session');
const { expect, printVersion, title } = require('./expect.js');
const { run, startPostgres, startRedis, waitFor } = require('./servers.js');

const openStores = async () => {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  const { Sequelize } = require('sequelize');
  const sequelize = new Sequelize(postgres.url, { logging: false });
  const SequelizeStore = require('connect-session-sequelize')(session.Store);
  const sequelizeStore = new SequelizeStore({ db: sequelize });
  await sequelizeStore.sync();
  const files = mkdtempSync(join(__dirname, 'stores-'));
  const LokiStore = require('connect-loki')(session);
  const loki = new LokiStore({ path: join(files, 'loki.db'), autosave: false });
  await waitFor('The start of connect-loki', () => loki.collection !== undefined);
  const PgStore = require('connect-pg-simple')(session);
  const { Pool } = require('pg');
  const pool = new Pool({ connectionString: postgres.url });
  const knex = require('knex')({ client: 'pg', connection: postgres.url });
  const close = () => Promise.all([pool.end(), knex.destroy(), sequelize.close()]);
  const stores = {
    'express-session': new session.MemoryStore(),
    memorystore: new (require('memorystore')(session))({}),
    'connect-redis': new (require('connect-redis').RedisStore)({ client: redis.client }),
    'connect-session-knex': new (require('connect-session-knex').ConnectSessionKnexStore)({ knex }),
    'better-sqlite3-session-store': new (require('better-sqlite3-session-store')(session))({
      client: new (require('libsql'))(':memory:'),
    }),
    'session-file-store': new (require('session-file-store')(session))({
      path: join(files, 'sessions'),
      logFn: () => undefined,
    }),
    'connect-loki': loki,
    'connect-pg-simple': new PgStore({ pool, createTableIfMissing: true }),
    'connect-session-sequelize': sequelizeStore,
  };
  return { stores, close };
};

const call = (store, method, ...args) =>
  new Promise((resolve, reject) => {
    const returned = store[method](...args, (error, value) =>
      error ? reject(error) : resolve(value),
    );
    // connect-session-knex calls back, and returns a promise that rejects too.
    Promise.resolve(returned).catch(reject);
  });

const newSession = (user) => ({
  cookie: { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000), path: '/' },
  passport: { user },
});

/** What all() returns, in words. */
const describeAll = (all) => {
  if (!Array.isArray(all)) return 'object by id';
  const [first] = all;
  if (typeof first.sess === 'string') return 'array of rows, session as a JSON string';
  return 'id' in first ? 'array with ids' : 'array without ids';
};

/** For the documented array. A session has its id under `id`, as `req.session` does. */
const loopOverArray = async (store) => {
  for (const stored of await call(store, 'all')) {
    if (stored.passport?.user === 'ada') await call(store, 'destroy', stored.id);
  }
};

/** For the object that MemoryStore returns. */
const loopOverEntries = async (store) => {
  for (const [id, stored] of Object.entries(await call(store, 'all'))) {
    if (stored.passport?.user === 'ada') await call(store, 'destroy', id);
  }
};

/** Runs a loop over two sessions of Ada and one of Bob. */
const tryLoop = async (store, loop) => {
  const ids = ['ada-phone', 'ada-laptop', 'bob'];
  for (const id of ids) await call(store, 'set', id, newSession(id.split('-')[0]));
  const ended = await loop(store).then(
    () => 'no error',
    (error) => error.constructor.name,
  );
  const left = [];
  for (const id of ids) if (await call(store, 'get', id)) left.push(id);
  for (const id of ids) await call(store, 'destroy', id);
  return `${ended}; left: ${left.join(', ')}`;
};

const DONE = 'no error; left: bob';
const NOTHING_DONE = 'no error; left: ada-phone, ada-laptop, bob';
const BY_ID = {
  all: 'object by id',
  array: 'TypeError; left: ada-phone, ada-laptop, bob',
  entries: DONE,
};
const EXPECTED = {
  'express-session': BY_ID,
  memorystore: BY_ID,
  'connect-redis': { all: 'array with ids', array: DONE, entries: NOTHING_DONE },
  'connect-session-knex': {
    all: 'array without ids',
    array: 'Error; left: ada-phone, ada-laptop, bob',
    entries: NOTHING_DONE,
  },
  'better-sqlite3-session-store': {
    all: 'array of rows, session as a JSON string',
    array: NOTHING_DONE,
    entries: NOTHING_DONE,
  },
};

const main = async () => {
  const { stores, close } = await openStores();
  for (const [name, store] of Object.entries(stores)) {
    title(name === 'express-session' ? 'MemoryStore of express-session' : name);
    printVersion(name);
    const expected = EXPECTED[name];
    expect('has all()', typeof store.all === 'function', expected !== undefined);
    const destroyed = await call(store, 'destroy', 'unknown').then(() => 'no error', String);
    expect('destroy() of an unknown id', destroyed, 'no error');
    if (expected === undefined) continue;
    await call(store, 'set', 'ada-phone', newSession('ada'));
    expect('all()', describeAll(await call(store, 'all')), expected.all);
    expect('loop for the documented array', await tryLoop(store, loopOverArray), expected.array);
    expect('loop over Object.entries', await tryLoop(store, loopOverEntries), expected.entries);
  }
  await close();
};

run(main);
JS
