// The tarball on npm, installed in apps: CommonJS, ES modules and TypeScript, with Express 4 and 5.
// `npm run test:matrix` does the same on other versions of Node and TypeScript.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  env,
  ES_MODULE_OUTPUT,
  EXPECTED_RESPONSES,
  npm,
  outputOf,
  pack,
  type CommonJsOutput,
} from '../helpers/packed';
import { EXPORTS, LOADED_PACKAGES, type EntryPoint } from './entry-points';

const ROOT = join(__dirname, '../..');
const TOOLS = join(__dirname, 'tools');
const COMPILERS = {
  7: 'node_modules/typescript7/bin/tsc',
  6: 'node_modules/typescript/bin/tsc6',
};
const EXPRESS_MAJORS = [4, 5] as const;
jest.setTimeout(300_000);

const work = mkdtempSync(join(tmpdir(), 'passport-backup-code-'));
const appDirectory = (major: number): string => join(work, `express${major}`);
let tarball = '';

function runNode(cwd: string, ...args: string[]): Promise<string> {
  return outputOf([process.execPath, ...args], { cwd });
}

/** Why the tests cannot run on this machine, or `null`. */
function missing(): string | null {
  try {
    execFileSync('npm', ['view', 'passport-strategy', 'version'], {
      env,
      stdio: 'ignore',
      timeout: 30_000,
      shell: process.platform === 'win32',
    });
    return null;
  } catch {
    return 'the npm registry cannot be reached';
  }
}

async function installApp(major: number): Promise<void> {
  const directory = appDirectory(major);
  mkdirSync(directory);
  cpSync(join(__dirname, 'fixtures'), directory, { recursive: true });
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
  const versions = [
    `express@${major}`,
    `@types/express@${major}`,
    'express-session@1',
    '@types/express-session@1',
    'passport@0.7',
    'kysely@0.28',
    'libsql@0.5',
    '@node-rs/argon2@2',
    'react@19',
    '@types/node@20',
  ];
  await npm(['install', tarball, ...versions], { cwd: directory });
}

const reason = missing();
if (reason !== null && process.env['REQUIRE_ALL'] === '1') {
  it('the package can be installed from its tarball', () => {
    throw new Error(`${reason}. REQUIRE_ALL=1 makes this a failure.`);
  });
}

// Jest does not print the names of the tests that it skips.
if (reason !== null) process.stderr.write(`Skipped: the installed package. ${reason}.\n`);

afterAll(() => rmSync(work, { recursive: true, force: true }));

(reason === null ? describe : describe.skip)(
  `the installed package${reason === null ? '' : ` (skipped: ${reason})`}`,
  () => {
    beforeAll(async () => {
      tarball = await pack(work);
      await Promise.all(EXPRESS_MAJORS.map(installApp));
    });

    it.each(Object.entries(EXPORTS))(
      '%s exports the same names to require and import, and loads only what it needs',
      async (entry, names) => {
        expect(JSON.parse(await runNode(appDirectory(5), 'loaded.cjs', entry))).toEqual({
          required: names,
          imported: names,
          hasDefault: entry === 'passport-backup-code',
          packages: LOADED_PACKAGES[entry as EntryPoint],
        });
      },
    );

    it('an app cannot import the internal files of the package', async () => {
      await expect(
        runNode(appDirectory(5), '-e', "require('passport-backup-code/dist/service/consume.js')"),
      ).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
    });

    it('npm installs the command passport-backup-code', async () => {
      const command = join('node_modules/.bin', 'passport-backup-code');
      const options = { cwd: appDirectory(5) };
      expect(await outputOf([command, 'new-pepper', '2026'], options)).toMatch(
        /^2026:[A-Za-z0-9+/]{43}=\n$/,
      );
      expect(await outputOf([command, 'sql', 'postgres'], options)).toContain(
        'CREATE TABLE IF NOT EXISTS backup_codes',
      );
    });

    describe.each(EXPRESS_MAJORS)('on Express %i', (major) => {
      const directory = appDirectory(major);
      const versionOf = (path: string): string => {
        const manifest = readFileSync(join(directory, path, 'package.json'), 'utf8');
        return (JSON.parse(manifest) as { version: string }).version;
      };

      it('a CommonJS app logs users in with a password and a backup code, on SQLite', async () => {
        const { express, responses } = JSON.parse(
          await runNode(directory, 'app.cjs'),
        ) as CommonJsOutput;
        expect(express).toBe(String(major));
        expect(responses.filter((_, index) => index % 2 === 0)).toEqual(EXPECTED_RESPONSES);
        expect(responses).toContain('{"amr":["pwd","otp","mfa"]}');
        expect(responses).toContain('{"user":{"id":"ada"}}');
      });

      it('an ES module app gets the same classes from imports and from require', async () => {
        expect(JSON.parse(await runNode(directory, 'app.mjs'))).toEqual(ES_MODULE_OUTPUT);
      });

      it.each(Object.entries(COMPILERS))(
        'TypeScript %s compiles an app with skipLibCheck: false, and rejects what the types forbid',
        async (_version, compiler) => {
          expect(await runNode(directory, join(ROOT, compiler), '-p', '.')).toBe('');
        },
      );

      it('the app has one copy of the Express types, those of its own Express', () => {
        const nested = ['passport-backup-code/node_modules', '@types/passport/node_modules'];
        expect(versionOf('node_modules/@types/express')).toMatch(new RegExp(`^${major}\\.`));
        expect(nested.filter((path) => existsSync(join(directory, 'node_modules', path)))).toEqual(
          [],
        );
      });
    });

    describe('the package linters', () => {
      beforeAll(() => npm(['ci', '--prefix', TOOLS], { cwd: TOOLS }));

      it('publint finds no error, no warning and no suggestion', async () => {
        const publint = 'node_modules/publint/src/cli.js';
        expect(await runNode(TOOLS, publint, tarball, '--strict')).toContain('All good!');
      });

      it('are-the-types-wrong finds no problem in any resolution mode', async () => {
        const typesWrong = 'node_modules/@arethetypeswrong/cli/dist/index.js';
        const report = JSON.parse(
          await runNode(TOOLS, typesWrong, tarball, '--format', 'json'),
        ) as { analysis: { problems: unknown[]; entrypoints: object } };
        expect(report.analysis.problems).toEqual([]);
        expect(Object.keys(report.analysis.entrypoints)).toEqual(
          expect.arrayContaining(['.', './sql', './express']),
        );
      });

      it('their lock file names no download host', () => {
        expect(readFileSync(join(TOOLS, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
      });
    });
  },
);
