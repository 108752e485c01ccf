'use strict';
// Jest's own runner, for one mutant at a time: takes the tests that guard the mutated file, and
// starts no other once one has failed: the mutant is dead. Jest bails out by itself only when it is
// asked on its command line.
const { join } = require('node:path');
const { default: TestRunner } = require('jest-runner');
const guards = require('./guards.js');

const ROOT = join(__dirname, '../..');

module.exports = class BailRunner extends TestRunner {
  async runTests(tests, watcher, options) {
    const stop = this.on('test-file-success', ([, { numFailingTests }]) => {
      if (numFailingTests > 0) watcher.setState({ interrupted: true });
    });
    // Stryker names the mutated file; for its first run, without a mutant, all that are to be
    // mutated.
    const mutated = Object.keys(guards).filter((file) =>
      this._globalConfig.nonFlagArgs.includes(join(ROOT, 'lib', file)),
    );
    const guarding = mutated
      .flatMap((file) => guards[file])
      .map((name) => join(ROOT, `test/${name}.test.ts`));
    await super.runTests(
      tests.filter(({ path }) => guarding.includes(path)),
      watcher,
      options,
    );
    stop();
  }
};
