// The tarball that npm would publish, as those meet it who install it: in CommonJS, in ES modules, in TypeScript, on Express
// 4 and on 5. On other versions of Node and TypeScript, the matrix does the same.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import {
  env,
  ES_MODULE_ANSWERS,
  LOGINS,
  npm,
  outputOf,
  pack,
  type CommonJsAnswers,
} from '../helpers/packed';

const ROOT = join(__dirname, '../..');
const TOOLS = join(__dirname, 'tools');
const TYPESCRIPTS = {
  7: 'node_modules/typescript7/bin/tsc',
  6: 'node_modules/typescript/bin/tsc6',
};
const MAJORS = [4, 5] as const;
jest.setTimeout(300_000);

/** What each entry point exports, the default aside. Only `.` has one. */
const EXPORTS = {
  'passport-backup-code': [
    'BackupCodeError',
    'BackupCodeStrategy',
    'BackupCodes',
    'MemoryStore',
    'Strategy',
    'bcryptHasher',
    'defineFormat',
    'fastHasher',
    'formats',
    'pbkdf2Hasher',
    'scryptHasher',
  ],
  'passport-backup-code/sql': ['SqlApprovalStore', 'SqlStore', 'createTables'],
  'passport-backup-code/redis': ['RedisApprovalStore', 'RedisStore'],
  'passport-backup-code/argon2': ['argon2Hasher'],
  'passport-backup-code/approval': ['MemoryApprovalStore', 'TwoPersonApproval'],
  'passport-backup-code/express': [
    'backupCodesOpenApi',
    'backupCodesRouter',
    'beginLogin',
    'completeLogin',
    'pendingLogin',
    'requireAssurance',
    'requireEnrollment',
    'safeReturnTo',
  ],
  'passport-backup-code/siem': ['EVENT_TYPES', 'toEcs', 'toOcsf', 'toOwasp'],
  'passport-backup-code/react': ['BackupCodeSheet', 'printStyles'],
  'passport-backup-code/testing': ['consumeContract', 'storeContract'],
};
/** Which packages loading it loads. No database driver and no web framework, unless the entry point is about it. */
const LOADS: Record<keyof typeof EXPORTS, string[]> = {
  'passport-backup-code': ['bcrypt', 'node-gyp-build', 'passport-backup-code', 'passport-strategy'],
  'passport-backup-code/sql': ['kysely', 'passport-backup-code'],
  'passport-backup-code/redis': ['passport-backup-code'],
  'passport-backup-code/argon2': ['@node-rs/argon2', 'passport-backup-code'],
  'passport-backup-code/approval': ['passport-backup-code'],
  'passport-backup-code/express': ['passport-backup-code'],
  'passport-backup-code/siem': ['passport-backup-code'],
  'passport-backup-code/react': ['passport-backup-code', 'react'],
  'passport-backup-code/testing': ['passport-backup-code'],
};

const work = mkdtempSync(join(tmpdir(), 'passport-backup-code-'));
const app = (major: number): string => join(work, `express${major}`);
const installed = (): string => join(app(5), 'node_modules/passport-backup-code');
let tarball = '';

const node = (cwd: string, ...args: string[]): Promise<string> =>
  outputOf([process.execPath, ...args], { cwd });

/** What is missing, or `null`. */
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

async function install(major: number): Promise<void> {
  mkdirSync(app(major));
  cpSync(join(__dirname, 'fixtures'), app(major), { recursive: true });
  writeFileSync(join(app(major), 'package.json'), JSON.stringify({ name: 'app', private: true }));
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
  };
  writeFileSync(
    join(app(major), 'tsconfig.json'),
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
  await npm(['install', tarball, ...versions], { cwd: app(major) });
}

const lacks = missing();
if (lacks !== null && process.env['REQUIRE_ALL'] === '1') {
  it('the packed tarball can be installed', () => {
    throw new Error(`${lacks}. REQUIRE_ALL=1 wants it.`);
  });
}

// Jest does not print the name of what it skips.
if (lacks !== null) process.stderr.write(`Skipped: the packed tarball. ${lacks}.\n`);

afterAll(() => rmSync(work, { recursive: true, force: true }));

(lacks === null ? describe : describe.skip)(
  `the packed tarball${lacks === null ? '' : ` (skipped: ${lacks})`}`,
  () => {
    beforeAll(async () => {
      tarball = await pack(work);
      await Promise.all(MAJORS.map(install));
    });

    describe('what is in it', () => {
      const files = (): string[] =>
        readdirSync(installed(), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) =>
            relative(installed(), join(entry.parentPath, entry.name)).split(sep).join('/'),
          )
          .filter((name) => !name.startsWith('node_modules/'));

      it('is the build, its sources and the papers, and nothing else', () => {
        const known =
          /^(?:package\.json|(?:README|SECURITY|CHANGELOG)\.md|LICENSE|dist\/(?:[\w-]+\/)?[\w-]+\.(?:d\.)?m?[jt]s(?:\.map)?|lib\/(?:[\w-]+\/)?[\w-]+\.(?:m?ts|tsx)|lib\/sql\/schema\/\w+\.sql)$/;
        expect(files().filter((name) => !known.test(name))).toEqual([]);
        expect(files()).toEqual(
          expect.arrayContaining([
            'README.md',
            'SECURITY.md',
            'CHANGELOG.md',
            'LICENSE',
            'dist/index.js',
            'dist/index.mjs',
            'dist/index.d.ts',
            'dist/index.d.mts',
          ]),
        );
      });

      it('has a source for everything built, and everything built for a source', () => {
        const sources = files().filter(
          (name) => name.startsWith('lib/') && /\.(?:m?ts|tsx)$/.test(name),
        );
        const built = sources.flatMap((name) => {
          const [stem, m] = [
            name.replace(/^lib\//, 'dist/').replace(/\.(?:m?ts|tsx)$/, ''),
            name.endsWith('.mts') ? 'm' : '',
          ];
          return [
            `${stem}.${m}js`,
            `${stem}.${m}js.map`,
            `${stem}.d.${m}ts`,
            `${stem}.d.${m}ts.map`,
          ];
        });
        expect(
          files()
            .filter((name) => name.startsWith('dist/'))
            .sort(),
        ).toEqual(built.sort());
      });

      it('runs nothing when it is installed', () => {
        const { scripts } = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as {
          scripts: Record<string, string>;
        };
        expect(
          Object.keys(scripts).filter((name) => /install|prepare|^prepublish$/.test(name)),
        ).toEqual([]);
      });

      it('has the entry points that are listed here, and no others', () => {
        const { exports } = JSON.parse(readFileSync(join(installed(), 'package.json'), 'utf8')) as {
          exports: Record<string, unknown>;
        };
        const entries = Object.keys(exports)
          .filter((name) => name !== './package.json')
          .map((name) => name.replace(/^\./, 'passport-backup-code'));
        expect(entries.sort()).toEqual(Object.keys(EXPORTS).sort());
      });
    });

    it.each(Object.entries(EXPORTS))(
      '%s exports these names to require and to import, and loads no more than it is about',
      async (entry, names) => {
        expect(JSON.parse(await node(app(5), 'loaded.cjs', entry))).toEqual({
          required: names,
          imported: names,
          hasDefault: entry === 'passport-backup-code',
          packages: LOADS[entry as keyof typeof LOADS],
        });
      },
    );

    it('tells frameworks with server components that the sheet is for the client', () => {
      expect(readFileSync(join(installed(), 'dist/react/index.js'), 'utf8')).toMatch(
        /^(?:"use strict";\n)?'use client';\n/,
      );
    });

    it('keeps its inside to itself', async () => {
      await expect(
        node(app(5), '-e', "require('passport-backup-code/dist/consume.js')"),
      ).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
    });

    it('brings the command passport-backup-code', async () => {
      const command = join('node_modules/.bin', 'passport-backup-code');
      expect(await outputOf([command, 'new-pepper', '2026'], { cwd: app(5) })).toMatch(
        /^2026:[A-Za-z0-9+/]{43}=\n$/,
      );
      expect(await outputOf([command, 'sql', 'postgres'], { cwd: app(5) })).toContain(
        'CREATE TABLE IF NOT EXISTS backup_codes',
      );
    });

    describe.each(MAJORS)('on Express %i', (major) => {
      it('a CommonJS app logs people in with password and backup code, over SQLite', async () => {
        const { express, said } = JSON.parse(await node(app(major), 'app.cjs')) as CommonJsAnswers;
        expect(express).toBe(String(major));
        expect(said.filter((_, index) => index % 2 === 0)).toEqual(LOGINS);
        expect(said).toContain('{"amr":["pwd","otp","mfa"]}');
        expect(said).toContain('{"user":{"id":"ada"}}');
      });

      it('an ES module app gets the same classes by default import, by name and by require', async () => {
        expect(JSON.parse(await node(app(major), 'app.mjs'))).toEqual(ES_MODULE_ANSWERS);
      });

      it.each(Object.entries(TYPESCRIPTS))(
        'a TypeScript %s app compiles with skipLibCheck: false, and what must not compile does not',
        async (_version, tsc) => {
          expect(await node(app(major), join(ROOT, tsc), '-p', '.')).toBe('');
        },
      );

      it('has the types of that Express, once', () => {
        const version = (path: string): string =>
          (
            JSON.parse(readFileSync(join(app(major), path, 'package.json'), 'utf8')) as {
              version: string;
            }
          ).version;
        expect(version('node_modules/@types/express')).toMatch(new RegExp(`^${major}\\.`));
        expect(existsSync(join(app(major), 'node_modules/passport-backup-code/node_modules'))).toBe(
          false,
        );
        expect(existsSync(join(app(major), 'node_modules/@types/passport/node_modules'))).toBe(
          false,
        );
      });
    });

    describe('publint and are-the-types-wrong', () => {
      beforeAll(() => npm(['ci', '--prefix', TOOLS], { cwd: TOOLS }));

      it('publint has nothing to say, not even a suggestion', async () => {
        expect(await node(TOOLS, 'node_modules/publint/src/cli.js', tarball, '--strict')).toContain(
          'All good!',
        );
      });

      it('are-the-types-wrong finds no problem, in any resolution mode', async () => {
        const report = JSON.parse(
          await node(
            TOOLS,
            'node_modules/@arethetypeswrong/cli/dist/index.js',
            tarball,
            '--format',
            'json',
          ),
        ) as { analysis: { problems: unknown[]; entrypoints: object } };
        expect(report.analysis.problems).toEqual([]);
        expect(Object.keys(report.analysis.entrypoints)).toEqual(
          expect.arrayContaining(['.', './sql', './express']),
        );
      });

      it('their lock records no download host', () => {
        expect(readFileSync(join(TOOLS, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
      });
    });
  },
);
