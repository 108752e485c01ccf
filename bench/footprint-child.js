// One entry point, loaded in a process that has loaded nothing else: how long it took, and the
// files that came with it. Started by footprint.ts, where the package is installed. Of an ES module
// only the first file is seen.
'use strict';
const { statSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join, sep } = require('node:path');

const requireThere = createRequire(join(process.cwd(), 'package.json'));
const started = performance.now();
requireThere(process.argv[2]);
const ms = performance.now() - started;

const loaded = Object.keys(require.cache).filter((path) => path !== __filename);
const isOwn = (path) =>
  path.includes(`${sep}dist${sep}`) && !path.includes(`${sep}node_modules${sep}`);
const sum = (paths) => paths.reduce((bytes, path) => bytes + statSync(path).size, 0);
process.stdout.write(
  JSON.stringify({
    ms,
    own: sum(loaded.filter(isOwn)),
    others: sum(loaded.filter((path) => !isOwn(path))),
  }),
);
