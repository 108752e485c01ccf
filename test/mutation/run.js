'use strict';
// Runs StrykerJS on this tree. If it is missing, installs it next to this file first. Arguments go
// to StrykerJS: `npm run test:mutation -- --mutate lib/service/back-off.ts` mutates one file.
const { spawnSync } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '../..');
const STRYKER = join(__dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js');

function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: 'inherit',
    shell: command === 'npm' && process.platform === 'win32',
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(STRYKER)) run('npm', ['ci', '--no-audit', '--no-fund'], __dirname);
run(
  process.execPath,
  [STRYKER, 'run', join(__dirname, 'stryker.config.js'), ...process.argv.slice(2)],
  ROOT,
);
