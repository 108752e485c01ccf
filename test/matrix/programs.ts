// Installs the versions of Node and TypeScript that the matrix needs. They stay in
// node_modules/.cache between runs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from '../helpers/packed';

const CACHE = join(__dirname, '../../node_modules/.cache/matrix');

export function installNode(version: string): Promise<string> {
  return installProgram({ name: 'node', version, file: 'bin/node' });
}

export function installTypescript(version: string): Promise<string> {
  return installProgram({ name: 'typescript', version, file: 'bin/tsc' });
}

/** @returns the path of the program */
async function installProgram({
  name,
  version,
  file,
}: {
  name: string;
  version: string;
  file: string;
}): Promise<string> {
  const directory = join(CACHE, `${name}@${version}`);
  const path = join(directory, 'node_modules', name, file);
  if (!existsSync(path))
    await npm(['install', '--prefix', directory, `${name}@${version}`], { cwd: __dirname });
  if (!existsSync(path)) throw new Error(`${name}@${version} has no file ${file}.`);
  return path;
}
