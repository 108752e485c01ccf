'use strict';
// The security core, file by file, and the tests that must notice when it is spoilt: those that stand for the file, and no
// others. That is stricter than all tests together, of which some notice by chance; and a mutant takes seconds.
const service = [
  'adopt',
  'attempts',
  'consume',
  'equal-work',
  'faults',
  'faults-answers',
  'faults-hash',
  'faults-sources',
  'faults-store',
  'issue',
  'lifecycle',
  'replacement',
  'risk',
  'single-use',
].map((name) => `backup-codes/${name}`);
// By outcome, and by what is typed and on which request.
const strategy = [
  ...['error', 'fail', 'hosts', 'input', 'options', 'plain-host', 'success'].map(
    (name) => `strategy/${name}`,
  ),
  'express/unfinished',
];

/** Below lib: below test. */
module.exports = {
  'formats.ts': ['formats'],
  'generate.ts': ['generate'],
  'scheme.ts': ['scheme'],
  'pepper.ts': ['pepper'],
  'attempts.ts': ['attempts'],
  'hash-gate.ts': ['hash-gate'],
  'time-limit.ts': ['risk', 'backup-codes/faults-hash'],
  'risk.ts': ['risk'],
  'issue.ts': service,
  'consume.ts': service,
  'stores/answers.ts': ['backup-codes/faults-answers'],
  'strategy/answers.ts': strategy,
  'strategy/options.ts': strategy,
  'strategy/strategy.ts': strategy,
};
