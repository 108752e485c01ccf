// Runs code of the documentation: each block after `<!-- recipe: NAME -->`, as the body of an async
// function that receives the names it uses. It imports the package from this working tree.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const LIB = join(ROOT, 'lib');

/** All blocks of a page, by name. @throws if two have the same name */
export function recipesOf(page: string): ReadonlyMap<string, string> {
  const found = [
    ...readFileSync(join(ROOT, page), 'utf8').matchAll(
      /<!-- recipe: ([\w-]+) -->\s*```(?:js|ts)\n([\s\S]*?)```/g,
    ),
  ];
  const recipes = new Map(found.map(([, name = '', code = '']) => [name, code]));
  if (recipes.size !== found.length) throw new Error(`${page} has two recipes of one name`);
  return recipes;
}

/** @returns the requested variables, after the code ran */
export async function runRecipe(
  code: string,
  scope: Readonly<Record<string, unknown>>,
  results: readonly string[] = [],
): Promise<Record<string, unknown>> {
  const body = code.replace(
    /^import (\{[^}]*\}) from '([^']+)';$/gm,
    (_, names: string, from: string) => `const ${names} = load('${from}');`,
  );
  const folder = (from: string): string => from.replace(/^passport-backup-code(?=\/|$)/, LIB);
  const load = (from: string): unknown => jest.requireActual(folder(from));
  const AsyncFunction = Object.getPrototypeOf(runRecipe) as unknown as {
    constructor: new (
      ...names: string[]
    ) => (...values: unknown[]) => Promise<Record<string, unknown>>;
  };
  const run = new AsyncFunction.constructor(
    'load',
    ...Object.keys(scope),
    `${body}\nreturn { ${results.join(', ')} };`,
  );
  return run(load, ...Object.values(scope));
}
