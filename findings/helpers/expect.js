// Prints what was observed, and fails the script if it differs from what the finding says.
const { isDeepStrictEqual, inspect } = require('node:util');

const show = (value) => inspect(value, { depth: 6, breakLength: 90, compact: true });

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

exports.title = (text) => console.log(`\n${text}`);

exports.expect = (what, observed, expected) => {
  console.log(`  ${what}: ${show(observed)}`);
  if (isDeepStrictEqual(observed, expected)) return;
  console.log(`  CHANGED, expected: ${show(expected)}`);
  process.exitCode = 1;
};

/** Prints the version of a package. */
exports.printVersion = (name) => {
  const { version } = JSON.parse(
    require('node:fs').readFileSync(`${__dirname}/node_modules/${name}/package.json`, 'utf8'),
  );
  console.log(`${name} ${version}`);
};
