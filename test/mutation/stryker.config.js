'use strict';
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const guards = require('./guards.js');

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
module.exports = {
  mutate: Object.keys(guards).map((file) => `lib/${file}`),
  testRunner: 'jest',
  jest: { configFile: 'test/mutation/jest.config.js' },
  coverageAnalysis: 'perTest',
  // What runs once, when a file is loaded, is the core of the core: an alphabet, a floor, a regular
  // expression.
  ignoreStatic: false,
  concurrency: 2,
  timeoutMS: 15_000,
  // Outside of the tree: other tools would find its copy of everything.
  tempDirName: join(tmpdir(), 'passport-backup-code-mutation'),
  ignorePatterns: [
    'bench',
    'dist',
    'docs',
    'example-app',
    'test-results',
    'test/hosts',
    'test/package',
    'test/servers',
  ],
  disableTypeChecks: false,
  reporters: ['clear-text', 'progress', 'json', 'html'],
  clearTextReporter: { reportTests: false, allowColor: false },
  jsonReporter: { fileName: 'test-results/mutation/report.json' },
  htmlReporter: { fileName: 'test-results/mutation/report.html' },
  // Of the last whole run, less what a time-out more or less makes. Raise it with the score.
  thresholds: { high: 98, low: 94, break: 96 },
  warnings: { slow: false },
};
