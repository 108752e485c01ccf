'use strict';
// One project with the tests that guard the security core. They use memory only, as the quick
// tests.
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
