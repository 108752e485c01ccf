// The quick tests once more, with the installed package in the place of lib: for run.ts, which says
// in PACKAGE_UNDER_TEST where it is.
'use strict';

const { projects } = require('../../jest.config');

const quick = projects.find(({ displayName }) => displayName === 'quick');

module.exports = {
  ...quick,
  displayName: `Node ${process.versions.node}`,
  rootDir: '../..',
  testTimeout: 60_000,
  resolver: '<rootDir>/test/matrix/resolver.js',
  // One runs the others again, in a process of its own, on lib; the other needs servers.
  testPathIgnorePatterns: [...quick.testPathIgnorePatterns, '<rootDir>/test/leaks/(suite|servers)'],
};
