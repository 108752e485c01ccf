'use strict';
// The files of the security core, each with the tests that must notice a mutant. Other tests do not
// run: some of them would notice by chance, and with few tests a mutant takes seconds.
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
].map((name) => `service/${name}`);
const strategy = [
  ...['error', 'fail', 'input', 'options', 'passport', 'success', 'without-express'].map(
    (name) => `strategy/${name}`,
  ),
  'express/unfinished-login',
];

/** Paths below lib, with paths below test. */
module.exports = {
  'codes/formats.ts': ['codes/formats'],
  'codes/read-code.ts': ['codes/formats'],
  'codes/symbol-table.ts': ['codes/formats'],
  'codes/generate.ts': ['codes/generate'],
  'codes/digests.ts': ['codes/digests'],
  'codes/pepper.ts': ['codes/pepper'],
  'codes/hash-queue.ts': ['codes/hash-queue', 'codes/hash-queue-fairness'],
  'codes/hash-lines.ts': ['codes/hash-queue', 'codes/hash-queue-fairness'],
  'codes/stretch.ts': ['service/faults-hash', 'service/faults-answers', 'service/issue'],
  'codes/guessing.ts': ['service/options', 'service/adopt', 'service/recovery-bits'],
  'service/back-off.ts': ['service/back-off'],
  'internal/time-limit.ts': ['service/risk-hook', 'service/faults-hash'],
  'service/risk.ts': ['service/risk-hook'],
  'service/issue.ts': service,
  'service/consume.ts': service,
  'service/refuse.ts': [...service, 'service/refusals'],
  'service/compare.ts': service,
  'stores/network.ts': ['stores/network', 'service/attempts'],
  'stores/refusals.ts': ['service/refusals', 'service/attempts'],
  'stores/waits.ts': ['service/attempts'],
  'stores/checked-store.ts': ['service/faults-answers'],
  'strategy/check-options.ts': strategy,
  'strategy/outcomes.ts': strategy,
  'strategy/strategy.ts': strategy,
  'strategy/user.ts': strategy,
  'strategy/verify.ts': strategy,
};
