// The packages that an app installs with this one, and their licences.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Installed {
  readonly version?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly dev?: boolean;
  readonly link?: boolean;
}

const ROOT = join(__dirname, '../..');
/** Permissive licences: they require only that their text is kept. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];
/**
 * The packages that `npm install passport-backup-code` installs, except types. Give the reason for
 * a new one in CONTRIBUTING.md.
 */
const RUNTIME = [
  'bcrypt',
  'ipaddr.js',
  'node-addon-api',
  'node-gyp-build',
  'papaparse',
  'passport-strategy',
];

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, Installed>>;
};

/** The path in the lock at which Node finds a dependency of the package at `from`. */
function find(from: string, name: string): string {
  const path = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`;
  if (path in packages) return path;
  if (from === '') throw new Error(`The lock has no ${name}, which a package needs.`);
  const parent = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')));
  return find(parent, name);
}

/** The dependencies of a package, and their dependencies. */
function closureOf(root: string): Map<string, Installed> {
  const found = new Map<string, Installed>();
  const visit = (path: string): void => {
    for (const name of Object.keys(packages[path]?.dependencies ?? {})) {
      const dependency = find(path, name);
      if (found.has(dependency)) continue;
      found.set(dependency, packages[dependency]!);
      visit(dependency);
    }
  };
  visit(root);
  return found;
}

/** Packages from before 2015 list several licences. The lock leaves this list out. */
function oldLicenceOf(path: string): string {
  const { licenses = [] } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as {
    licenses?: readonly { readonly type: string }[];
  };
  return licenses.map(({ type }) => type).join(' OR ');
}

const shipped = closureOf('');

it('an app installs six packages that contain code, and types', () => {
  const names = [...shipped.keys()].map((path) =>
    path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  );
  expect(
    names.filter((name) => !name.startsWith('@types/') && name !== 'undici-types').sort(),
  ).toEqual(RUNTIME);
});

it('every dependency has a permissive licence', () => {
  const licences = [...shipped].map(
    ([path, { license }]) => [path, license ?? oldLicenceOf(path)] as const,
  );
  expect(licences.filter(([, licence]) => !ALLOWED.includes(licence))).toEqual([]);
});

it('the bill of materials lists the dependencies, and no package that only the build needs', () => {
  const { components } = JSON.parse(
    execFileSync('bash', [join(ROOT, '.ci/sbom')], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as { components: readonly { readonly name: string; readonly version: string }[] };
  const names = components
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('@types/') && name !== 'undici-types');
  expect(names.sort()).toEqual([...RUNTIME, 'passport-backup-code'].sort());
}, 120_000);

it('the lock names no registry, so each installation uses its own', () => {
  const elsewhere = Object.entries(packages).filter(
    ([, entry]) => 'resolved' in entry && entry.link !== true,
  );
  expect(elsewhere.map(([path]) => path)).toEqual([]);
});
