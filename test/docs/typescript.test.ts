// Compiles the program of docs/typescript.md under `strict`, against the declarations of this package.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const FOLDER = join(ROOT, 'test-results/typescript');
const YOURS = `export const secret = 'secret';
const ada: Express.User = { id: 'ada' };
export const users = {
  byId: (id: string): Promise<Express.User | null> => Promise.resolve(id === ada.id ? ada : null),
};
export function checkPassword(name: string, password: string): Promise<Express.User | null> {
  return Promise.resolve(name === 'ada' && password !== '' ? ada : null);
}
`;
const CONFIG = {
  compilerOptions: {
    ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
    ...{ module: 'nodenext', target: 'es2022', noEmit: true, skipLibCheck: true },
    ...{ types: ['node'], resolveJsonModule: true, esModuleInterop: true },
    paths: {
      'passport-backup-code': ['./package/index.d.ts'],
      'passport-backup-code/express': ['./package/express/index.d.ts'],
    },
  },
  files: ['app.ts'],
};

function compile(...args: string[]): { stdout: string; status: number | null } {
  const tsc = join(ROOT, 'node_modules/typescript7/bin/tsc');
  return spawnSync(process.execPath, [tsc, ...args], { cwd: ROOT, encoding: 'utf8' });
}

test('the quick start in TypeScript compiles under strict', () => {
  const page = readFileSync(join(ROOT, 'docs/typescript.md'), 'utf8');
  const app = /<!-- file: app\.ts -->\s*```ts\n([\s\S]*?)```/.exec(page)?.[1];
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(CONFIG));
  writeFileSync(join(FOLDER, 'app.ts'), app!);
  writeFileSync(join(FOLDER, 'yours.ts'), YOURS);
  const outDir = join(FOLDER, 'package');
  const buildInfo = join(FOLDER, 'package.tsbuildinfo');
  const declarations = [
    '--emitDeclarationOnly',
    '--outDir',
    outDir,
    '--tsBuildInfoFile',
    buildInfo,
  ];
  expect(compile('-p', ROOT, ...declarations)).toMatchObject({ stdout: '', status: 0 });
  writeFileSync(join(outDir, 'package.json'), '{ "type": "commonjs" }');
  const { stdout, status } = compile('-p', FOLDER);
  expect([stdout, status]).toEqual(['', 0]);
});
