'use strict';

const { availableParallelism } = require('node:os');

/** Every project reads TypeScript through swc; otplib and what it stands on are ESM only. */
const shared = {
  testEnvironment: 'node',
  transform: {
    '\\.[mc]?[jt]sx?$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'automatic' } },
          target: 'es2022',
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!(@scure|@noble|@otplib|otplib)/)'],
  modulePathIgnorePatterns: [
    '<rootDir>/dist/',
    '<rootDir>/example-app/dist/',
    '<rootDir>/test/package/',
    '<rootDir>/test/hosts/',
  ],
};

/**
 * Over HTTP, with real slow hashes, or of many runs: all that would keep the quick ones from being
 * quick.
 */
const thorough = [
  'testing/*',
  'strategy/*',
  'codes/hashers/others',
  'codes/vectors',
  'service/interleavings',
  'docs/readme',
  'cli/adopt-program',
  'cli/main',
  'codes/mixed-sets',
  'docs/pepper-rotation',
  'siem/schemas',
  'codes/formats-fuzz',
  'leaks/canary',
  'leaks/service',
  'leaks/strategy',
  'leaks/suite',
  'react/*',
].map((name) => `<rootDir>/test/${name}.test.ts`);
const elsewhere = ['/node_modules/', '<rootDir>/test/(package|servers|hosts|helpers)/'];

const unit = {
  ...shared,
  displayName: 'unit',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: [...elsewhere, ...thorough.map((glob) => glob.replace('*.test.ts', ''))],
};

module.exports = {
  // Of the whole run: in a project it has no effect. What takes longer says so itself.
  testTimeout: 60_000,
  maxWorkers: availableParallelism(),
  projects: [
    unit,
    // The same on memory alone, without HTTP, databases, documents and long tables of faults, for
    // the time between two thoughts: `npm run test:quick`.
    {
      ...unit,
      displayName: 'quick',
      globals: { QUICK: true },
      testPathIgnorePatterns: [
        ...unit.testPathIgnorePatterns,
        '<rootDir>/test/(approval/sto|approval/states|breaks|cli|codes/generate|docs|express|project|redis|requirements|service/audit|service/faults-[ans]|siem|sql|stores/(audit|tickets)|timing)',
      ],
    },
    { ...shared, displayName: 'thorough', testMatch: thorough },
    { ...shared, displayName: 'servers', testMatch: ['<rootDir>/test/servers/**/*.test.ts'] },
    {
      ...shared,
      displayName: 'package',
      testMatch: ['<rootDir>/test/package/*.test.ts'],
      modulePathIgnorePatterns: ['<rootDir>/example-app/'],
    },
    { ...shared, displayName: 'example', testMatch: ['<rootDir>/example-app/test/**/*.test.ts'] },
  ],
};
