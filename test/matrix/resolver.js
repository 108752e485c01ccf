// Resolves an import from lib to the same file of the installed package. Other imports stay as they
// are, also those from a folder `lib` of another package.
'use strict';

const { isAbsolute, join, relative, resolve } = require('node:path');

const LIB = join(__dirname, '../../lib');
const DIST = join(process.env.PACKAGE_UNDER_TEST, 'dist');

module.exports = (request, options) => {
  const isPath = request.startsWith('.') || isAbsolute(request);
  const inLib = isPath ? relative(LIB, resolve(options.basedir, request)) : '..';
  return options.defaultResolver(inLib.startsWith('..') ? request : join(DIST, inLib), options);
};
