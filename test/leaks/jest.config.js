// The unit tests and those of the strategy once more, on memory alone, overheard: for suite.test.ts, which says in LEAKS_DIR where to write to.
'use strict';

const { projects } = require('../../jest.config');

const unit = projects.find(({ displayName }) => displayName === 'unit');
const elsewhere = unit.testPathIgnorePatterns.filter((path) => !path.includes('/strategy/'));

module.exports = {
  ...unit,
  displayName: 'overheard',
  rootDir: '../..',
  testTimeout: 60_000,
  globals: { QUICK: true },
  setupFilesAfterEnv: ['<rootDir>/test/leaks/recorder.ts'],
  // Fuzz tests choose their codes themselves; the others look at pages, figures, options and single functions. None is handed out a code.
  testPathIgnorePatterns: [
    ...elsewhere,
    '<rootDir>/test/leaks/',
    '/fuzz',
    '-fuzz',
    '<rootDir>/test/(breaks|docs/(markdown|security-)|project|requirements|timing)',
    '<rootDir>/test/(audit/context|codes/(formats|generate|hash-queue|hashers|digests)|internal|redis|service/(back-off|options|risk-hook)|sql/schema|stores/(subject|tickets)|strategy/options)',
    '<rootDir>/test/(approval/canonical|express/(complete-login|require-assurance|return-to|session-faults|single-sign-on|step-up)|siem/(ecs|ocsf|owasp))',
  ],
};
