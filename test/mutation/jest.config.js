'use strict';
// The tests that guard the security core, as one project: of the service on memory alone, as the
// quick ones are.
const { projects } = require('../../jest.config.js');
const guards = require('./guards.js');

module.exports = {
  ...projects.find(({ displayName }) => displayName === 'quick'),
  rootDir: '../..',
  runner: require.resolve('./bail-runner.js'),
  testEnvironment: require.resolve('./bail-environment.js'),
  testMatch: [...new Set(Object.values(guards).flat())].map(
    (name) => `<rootDir>/test/${name}.test.ts`,
  ),
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 5000,
};
