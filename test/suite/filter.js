// A filter of Jest (`--filter`): keeps the short test files, or with TEST_PART=long the long ones.
'use strict';

const { join, relative, sep } = require('node:path');
const { isLong } = require('./long');

const ROOT = join(__dirname, '../..');

module.exports = (files) => ({
  filtered: files.filter(
    (file) =>
      isLong(relative(ROOT, file).replaceAll(sep, '/')) === (process.env.TEST_PART === 'long'),
  ),
});
