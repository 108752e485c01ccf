// Runs the tests of the package on MemoryStore and records their output, for suite.test.ts.
// LEAKS_DIR is the folder for the recordings.
'use strict';

const { projects } = require('../../jest.config');

const unit = projects.find(({ displayName }) => displayName === 'unit');
const elsewhere = unit.testPathIgnorePatterns.filter((path) => !path.includes('/strategy/'));

module.exports = {
  ...unit,
  displayName: 'recorded',
  rootDir: '../..',
  testTimeout: 60_000,
  globals: { QUICK: true },
  setupFilesAfterEnv: ['<rootDir>/test/leaks/recorder.ts'],
  // In these tests no code is issued: fuzz tests choose their codes, and the others test pages,
  // numbers, options and single functions.
  testPathIgnorePatterns: [
    ...elsewhere,
    '<rootDir>/test/leaks/',
    '/fuzz',
    '-fuzz',
    '<rootDir>/test/(breaks|docs/(markdown|security-)|project|requirements|timing)',
    '<rootDir>/test/(audit/context|codes/(formats|generate|hash-queue|hashers|digests)|internal)',
    '<rootDir>/test/(redis|service/(back-off|options|risk-hook)|sql/schema)',
    '<rootDir>/test/(stores/(subject|tickets)|strategy/options)',
    '<rootDir>/test/(approval/canonical|siem/(ecs|ocsf|owasp))',
    '<rootDir>/test/express/(assurance-from-tokens|(begin|complete|pending)-login|login-attacks)',
    '<rootDir>/test/express/(require-(assurance|fresh)|return-to|session-faults)',
    '<rootDir>/test/express/(single-sign-on|step-up)',
  ],
};
