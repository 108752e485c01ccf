'use strict';
// The Node environment of Jest, which skips the rest of a file after a test has failed. The mutant
// is then killed. If it makes tests hang, each one would hang until its time limit.
const { TestEnvironment } = require('jest-environment-node');

module.exports = class BailEnvironment extends TestEnvironment {
  hasFailed = false;

  handleTestEvent({ name, test }) {
    if (name === 'test_done' && test.errors.length > 0) this.hasFailed = true;
    if (name === 'test_start' && this.hasFailed) test.mode = 'skip';
  }
};
