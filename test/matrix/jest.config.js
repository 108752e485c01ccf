// Runs the quick tests on an installed package instead of lib. checks.ts starts it, with the path
// of the package in PACKAGE_UNDER_TEST.
'use strict';

const { projects } = require('../../jest.config');

const quick = projects.find(({ displayName }) => displayName === 'quick');

module.exports = {
  ...quick,
  displayName: `Node ${process.versions.node}`,
  rootDir: '../..',
  testTimeout: 60_000,
  resolver: '<rootDir>/test/matrix/resolver.js',
  // The first runs other tests again, on lib. The second needs servers.
  testPathIgnorePatterns: [...quick.testPathIgnorePatterns, '<rootDir>/test/leaks/(suite|servers)'],
};
