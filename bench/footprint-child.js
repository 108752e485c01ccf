// Loads one entry point in a fresh process, and prints how long this took and how large the loaded
// files are. footprint.ts starts it in the folder in which the package is installed. For an ES
// module it counts the first file only.
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
    ownBytes: sum(loaded.filter(isOwn)),
    otherBytes: sum(loaded.filter((path) => !isOwn(path))),
  }),
);
