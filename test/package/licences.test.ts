// What an app gets with this package: under which licences, and nothing that is installed by running something.
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
/** Permissive: they ask for their text to be kept, and no more. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];
/** What `npm install passport-backup-code` brings; types are no code. Add to it only with a reason, in CONTRIBUTING.md. */
const RUNTIME = ['bcrypt', 'node-addon-api', 'node-gyp-build', 'passport-strategy'];

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, Installed>>;
};

/** From where in the tree a package finds another. */
function find(from: string, name: string): string {
  for (
    let place = from;
    ;
    place = place.includes('/node_modules/')
      ? place.slice(0, place.lastIndexOf('/node_modules/'))
      : ''
  ) {
    const path = place === '' ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (path in packages) return path;
    if (place === '')
      throw new Error(`${from || 'the root'} needs ${name}, which is not in the lock.`);
  }
}

/** The package's own dependencies, and theirs. */
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

/** Packages from before 2015 have a list, which npm's lock leaves out. */
function oldLicenceOf(path: string): string {
  const { licenses = [] } = JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8')) as {
    licenses?: readonly { readonly type: string }[];
  };
  return licenses.map(({ type }) => type).join(' OR ');
}

const shipped = closureOf('');

it('an app gets four packages with code in them, and types', () => {
  const names = [...shipped.keys()].map((path) =>
    path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
  );
  expect(
    names.filter((name) => !name.startsWith('@types/') && name !== 'undici-types').sort(),
  ).toEqual(RUNTIME);
});

it('each is under a licence that asks for nothing but to be named', () => {
  const licences = [...shipped].map(
    ([path, { license }]) => [path, license ?? oldLicenceOf(path)] as const,
  );
  expect(licences.filter(([, licence]) => !ALLOWED.includes(licence))).toEqual([]);
});

it('the bill of materials lists them, and nothing that only builds the package', () => {
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

it('the lock names no registry: whoever installs uses their own', () => {
  const elsewhere = Object.entries(packages).filter(
    ([, entry]) => 'resolved' in entry && entry.link !== true,
  );
  expect(elsewhere.map(([path]) => path)).toEqual([]);
});
