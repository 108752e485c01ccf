// Refuses to publish a tag that is not the version in package.json, or that CHANGELOG.md does not
// list.
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const ROOT = join(__dirname, '..');
const { version, repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

/** @returns the problems of the release. Empty if it can be published */
function problemsOf(tag, changelog) {
  return [
    ...(repository ? [] : ['package.json has no repository, to which the provenance would refer.']),
    ...(tag === `v${version}` ? [] : [`The tag is ${tag}, but package.json says ${version}.`]),
    ...(new RegExp(`^## ${version.replace(/[.+]/g, '\\$&')} - \\d{4}-\\d{2}-\\d{2}$`, 'm').test(
      changelog,
    )
      ? []
      : [`CHANGELOG.md has no "## ${version} - date".`]),
    ...(/^## Unreleased\n+- /m.test(changelog)
      ? ['CHANGELOG.md has entries under "Unreleased".']
      : []),
  ];
}

const found = problemsOf(
  process.env.GITHUB_REF_NAME ?? '',
  readFileSync(process.argv[2] ?? join(ROOT, 'CHANGELOG.md'), 'utf8'),
);
for (const problem of found) console.error(problem);
process.exitCode = found.length > 0 ? 1 : 0;
