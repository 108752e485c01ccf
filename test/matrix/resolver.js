// Gives tests that import from lib the same file of the installed package. Only requests that end
// up in this tree's lib are changed: packages have folders of that name too.
'use strict';

const { isAbsolute, join, relative, resolve } = require('node:path');

const LIB = join(__dirname, '../../lib');
const DIST = join(process.env.PACKAGE_UNDER_TEST, 'dist');

module.exports = (request, options) => {
  const isPath = request.startsWith('.') || isAbsolute(request);
  const inLib = isPath ? relative(LIB, resolve(options.basedir, request)) : '..';
  return options.defaultResolver(inLib.startsWith('..') ? request : join(DIST, inLib), options);
};
