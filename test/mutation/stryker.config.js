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
  // Code that runs once at load time is essential here: an alphabet, a floor, a regular expression.
  ignoreStatic: false,
  concurrency: 2,
  timeoutMS: 15_000,
  // Outside of the tree, because other tools would find the copy of every file.
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
  // The score of the last complete run, with some tolerance for time-outs. Raise it with the score.
  thresholds: { high: 98, low: 94, break: 96 },
  warnings: { slow: false },
};
