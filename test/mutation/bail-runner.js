'use strict';
// The runner of Jest, for one mutant. It runs the tests that guard the mutated file, and starts no
// more after one has failed, because the mutant is then killed. Jest has an option for this on its
// command line only.
const { join } = require('node:path');
const { default: TestRunner } = require('jest-runner');
const guards = require('./guards.js');

const ROOT = join(__dirname, '../..');

module.exports = class BailRunner extends TestRunner {
  async runTests(tests, watcher, options) {
    const stop = this.on('test-file-success', ([, { numFailingTests }]) => {
      if (numFailingTests > 0) watcher.setState({ interrupted: true });
    });
    // Stryker names the mutated file. In its first run, without a mutant, it names all files.
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
