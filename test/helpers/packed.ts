// Makes the tarball that npm would publish, runs programs that use it, and lists what the apps in
// test/package/fixtures must print. The tarball is made from a copy of this tree: no stale file
// gets into it, and nothing here changes.
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../..');

/** Files and folders that are not packed, or that the build makes again. */
const LEFT_OUT = new Set(['node_modules', 'dist', '.git', 'coverage', 'test-results', 'data']);

/**
 * Variables that npm sets for its child processes. An npm that is started here must not take them
 * for its own options, except those that say how to reach the registry.
 */
const REGISTRY_OPTION =
  'registry|cache|userconfig|globalconfig|cafile|strict_ssl|noproxy|https?_proxy|fetch_\\w+';
const SET_BY_NPM = new RegExp(
  `^(?:npm_(?!config_(?:${REGISTRY_OPTION})$)|INIT_CWD$|NODE_OPTIONS$)`,
  'i',
);
export const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !SET_BY_NPM.test(name)),
);

/** The output of app.cjs. */
export interface CommonJsOutput {
  /** The major version of its Express. */
  readonly express: string;
  /** In turn: status and path of a response, then its body. */
  readonly responses: readonly string[];
}

/**
 * The responses that app.cjs gets. A password and a backup code together log in. Neither does so
 * alone, nor does an invalid code, nor a code that was used before.
 */
export const EXPECTED_RESPONSES = [
  '401 /secret',
  '200 /login',
  '401 /secret',
  '401 /login/backup-code',
  '200 /login/backup-code',
  '200 /secret',
  '200 /login',
  '401 /login/backup-code',
];

/** The output of app.mjs. */
export const ES_MODULE_OUTPUT = {
  user: { id: 'ada' },
  sameStrategy: true,
  sameService: true,
  sameError: true,
  others: ['function', 'function'],
};

export interface RunOptions {
  readonly cwd: string;
  /** Added to the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The standard output of a program. If the program fails, the error holds all that it printed. */
export async function outputOf(
  command: readonly [string, ...string[]],
  options: RunOptions,
): Promise<string> {
  const [program, ...args] = command;
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd: options.cwd,
      env: { ...env, ...options.env },
      maxBuffer: 1 << 26,
      shell: process.platform === 'win32',
    });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command.join(' ')} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

export function npm(args: readonly string[], options: RunOptions): Promise<string> {
  return outputOf(['npm', ...args, '--prefer-offline', '--no-audit', '--no-fund'], options);
}

/** @returns the path of the tarball, which is in that directory */
export async function pack(directory: string): Promise<string> {
  const source = join(directory, 'source');
  cpSync(ROOT, source, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'), 'junction');
  await npm(['pack', '--pack-destination', directory], { cwd: source });
  return join(directory, readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '');
}
