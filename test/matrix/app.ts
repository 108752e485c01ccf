// The app of a consumer on one version of Node, with the packed package and its peers installed.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { npm, outputOf } from '../helpers/packed';
import { installNode } from './programs';
import { APPS, majorOf, versionsOf, type AppName, type Node } from './versions';

export interface App {
  readonly directory: string;
  /**
   * Runs the Node of this app with these arguments, in the directory of the app or in another one.
   *
   * @returns the standard output
   */
  readonly node: (
    args: readonly string[],
    options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ) => Promise<string>;
}

export interface AppOptions {
  readonly name: AppName;
  readonly node: Node;
  readonly tarball: string;
  /** The directory in which the directory of the app is made. */
  readonly parent: string;
}

const TESTS = join(__dirname, '..');

export async function installApp({ name, node, tarball, parent }: AppOptions): Promise<App> {
  const program = await installNode(node);
  // npm and every other program must find this Node.
  const path = `${dirname(program)}${delimiter}${process.env['PATH'] ?? ''}`;
  const directory = join(parent, `${name}-on-node-${node}`);
  mkdirSync(directory);
  for (const fixtures of ['package/fixtures', 'matrix/fixtures'])
    cpSync(join(TESTS, fixtures), directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'app', private: true }));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
  };
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['types'] }),
  );
  const types = { '@types/express': APPS[name].express, '@types/node': majorOf(node) };
  const packages = { ...versionsOf(name, node), ...types };
  const specs = Object.entries(packages).map(([dependency, version]) => `${dependency}@${version}`);
  // --engine-strict fails if a package, or a dependency, does not permit this Node.
  await npm(
    [
      'install',
      '--engine-strict',
      tarball,
      ...specs,
      'express-session@1',
      '@types/express-session@1',
      'passport@0.7',
      'libsql@0.5',
    ],
    { cwd: directory, env: { PATH: path } },
  );
  return {
    directory,
    node: (args, { cwd = directory, env = {} } = {}) =>
      outputOf([program, ...args], { cwd, env: { PATH: path, ...env } }),
  };
}
