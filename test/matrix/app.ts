// An app of a consumer on one Node: the packed package and what it works with, installed, and a way
// to run things in it.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { npm, outputOf } from '../helpers/packed';
import { nodeProgram } from './programs';
import { APPS, majorOf, versionsOf, type AppName, type Node } from './versions';

export interface App {
  readonly directory: string;
  /**
   * Runs the Node of this app with these arguments, here or in another directory. @returns what it
   * prints
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
  /** A new one is made in it. */
  readonly parent: string;
}

const TESTS = join(__dirname, '..');

export async function installApp({ name, node, tarball, parent }: AppOptions): Promise<App> {
  const program = await nodeProgram(node);
  // Npm, and whatever else looks for a Node, is to find this one.
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
  // Refuses where `engines` of the package, or of anything under it, does not admit this Node.
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
