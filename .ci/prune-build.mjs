// Removes the files of the build that no app can load: type declarations that no entry point refers
// to, and JavaScript of modules that contain types only. `npm pack` runs it on the complete build.
// `--list` only prints the files. Usage: node .ci/prune-build.mjs [--list] [PACKAGE_DIRECTORY]
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import ts from 'typescript';

const { values, positionals } = parseArgs({
  options: { list: { type: 'boolean' } },
  allowPositionals: true,
});
const root = resolve(positionals[0] ?? '.');
const build = join(root, 'dist');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The strings in a value from package.json, at any depth. */
function stringsIn(value) {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** The file that a relative import of this file loads. Declarations load declarations. */
function resolveImport(file, specifier) {
  const path = join(dirname(file), specifier);
  const isDeclaration = /\.d\.m?ts$/.test(file);
  const extensions = isDeclaration ? ['.d.ts', '/index.d.ts'] : ['.js', '/index.js'];
  const stem = isDeclaration ? path.replace(/\.js$/, '') : path;
  const found = [path, ...extensions.map((extension) => `${stem}${extension}`)].find(
    (candidate) => /\.(?:m?js|d\.m?ts|json)$/.test(candidate) && existsSync(candidate),
  );
  // A declaration of a JavaScript file stands for it.
  if (isDeclaration && found?.endsWith('.js')) return found.replace(/\.js$/, '.d.ts');
  if (found === undefined) throw new Error(`${file} imports ${specifier}, which does not exist.`);
  return found;
}

const { main, types, exports, typesVersions, bin } = manifest;
const pending = stringsIn([main, types, exports, typesVersions, bin])
  .filter((path) => path.startsWith('./dist/'))
  .map((path) => join(root, path));
const reachable = new Set();
for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
  if (reachable.has(file)) continue;
  reachable.add(file);
  const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true);
  for (const { fileName } of importedFiles) {
    if (fileName.startsWith('.')) pending.push(resolveImport(file, fileName));
  }
}

const unreachable = readdirSync(build, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => !reachable.has(file));
if (values.list) {
  const names = unreachable.map((file) => relative(root, file).split(sep).join('/'));
  process.stdout.write(names.map((name) => `${name}\n`).join(''));
} else {
  // This also removes the file in which the compiler records what is up to date. The next build is
  // then complete again.
  for (const file of unreachable) rmSync(file);
}
