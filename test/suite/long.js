// The test files that `npm run test:all` runs and `npm test` leaves out, so that `npm test` is
// short. A file that is not here is short. A path that ends in a slash is a whole folder.
'use strict';

const LONG = {
  'servers that are killed, cut off or slow': [
    'test/servers/crash.test.ts',
    'test/servers/lost-answers.test.ts',
    'test/servers/notifier.test.ts',
    'test/servers/outage.test.ts',
    'test/servers/processes.test.ts',
    'test/servers/restore.test.ts',
    'test/servers/store-timeout.test.ts',
  ],
  'replicas, Galera, Redis Sentinel and moving slots': [
    'test/servers/galera.test.ts',
    'test/servers/replicas/',
    'test/servers/redis/sentinel.test.ts',
    'test/servers/redis/slot-migration.test.ts',
  ],
  'databases with other settings': [
    'test/servers/event-order.test.ts',
    'test/servers/node-sqlite.test.ts',
    'test/servers/redis/rights.test.ts',
    'test/servers/sql-contract-settings.test.ts',
  ],
  'the example as it is deployed': [
    'test/servers/example.test.ts',
    'test/servers/example-databases.test.ts',
    'test/servers/example-notices.test.ts',
    'test/servers/readme-production.test.ts',
    'example-app/test/notices/delivery.test.ts',
  ],
  'frameworks and single sign-on, with packages of their own': [
    'test/servers/frameworks/',
    'test/servers/hosts.test.ts',
    'test/servers/migrating/',
    'test/servers/sso/',
  ],
  'the packed package': ['test/package/'],
  'most pages in a browser': [
    'test/react/browser.test.ts',
    'example-app/test/codes/show-codes-browser.test.ts',
    'example-app/test/factors/security-keys-browser.test.ts',
    'example-app/test/web/axe.test.ts',
    'example-app/test/web/second-click-browser.test.ts',
  ],
  'long fuzz runs, and requests that wait five seconds': [
    'test/strategy/fuzz-bodies.test.ts',
    'test/express/repeated-code.test.ts',
  ],
  'the unit tests a second time, with their output searched for codes': [
    'test/leaks/suite.test.ts',
  ],
};

const paths = Object.values(LONG).flat();

/** @param {string} file a path from the root of the repository */
const isLong = (file) =>
  paths.some((path) => (path.endsWith('/') ? file.startsWith(path) : file === path));

module.exports = { LONG, isLong };
