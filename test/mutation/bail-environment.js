'use strict';
// Jest's node environment, which skips the rest of a file once a test has failed under the mutant:
// it is dead, and where it makes things hang, each of them would hang until its time is over.
const { TestEnvironment } = require('jest-environment-node');

module.exports = class BailEnvironment extends TestEnvironment {
  hasFailed = false;

  handleTestEvent({ name, test }) {
    if (name === 'test_done' && test.errors.length > 0) this.hasFailed = true;
    if (name === 'test_start' && this.hasFailed) test.mode = 'skip';
  }
};
