// Programs from npm in the versions of the matrix: a real Node, a TypeScript. Kept in
// node_modules/.cache between runs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from '../helpers/packed';

const CACHE = join(__dirname, '../../node_modules/.cache/matrix');

export const nodeProgram = (version: string): Promise<string> =>
  program({ name: 'node', version, file: 'bin/node' });
export const typescriptProgram = (version: string): Promise<string> =>
  program({ name: 'typescript', version, file: 'bin/tsc' });

/** @returns its path */
async function program({
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
  if (!existsSync(path)) throw new Error(`${name}@${version} brought no ${file}.`);
  return path;
}
