// The tarball that npm would publish, made of a copy of this tree, so that nothing stale gets into it and nothing here is
// touched; how to run what uses it, and what the apps in test/package/fixtures must print.
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(__dirname, '../..');

/** Not part of what is packed, or made anew. */
const LEFT_OUT = new Set(['node_modules', 'dist', '.git', 'coverage', 'test-results', 'data']);

/** Npm tells its own children about itself; that is not to be taken for their options, but for how packages are reached. */
const FROM_NPM =
  /^(?:npm_(?!config_(?:registry|cache|userconfig|globalconfig|cafile|strict_ssl|noproxy|https?_proxy|fetch_\w+)$)|INIT_CWD$|NODE_OPTIONS$)/i;
export const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !FROM_NPM.test(name)),
);

/** What app.cjs prints. */
export interface CommonJsAnswers {
  /** The major of its Express. */
  readonly express: string;
  /** Status and path, and what was answered, in turn. */
  readonly said: readonly string[];
}

/** Password and backup code log in; neither does alone, nor a wrong code, nor the same code twice. */
export const LOGINS = [
  '401 /secret',
  '200 /login',
  '401 /secret',
  '401 /login/backup-code',
  '200 /login/backup-code',
  '200 /secret',
  '200 /login',
  '401 /login/backup-code',
];

/** What app.mjs prints. */
export const ES_MODULE_ANSWERS = {
  user: { id: 'ada' },
  sameStrategy: true,
  sameService: true,
  sameError: true,
  others: ['function', 'function'],
};

export interface RunOptions {
  readonly cwd: string;
  /** Besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What it prints; where it fails, an error that says all it said. */
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

/** @returns the path of the tarball, in that directory */
export async function pack(directory: string): Promise<string> {
  const source = join(directory, 'source');
  cpSync(ROOT, source, { recursive: true, filter: (path) => !LEFT_OUT.has(basename(path)) });
  symlinkSync(join(ROOT, 'node_modules'), join(source, 'node_modules'), 'junction');
  await npm(['pack', '--pack-destination', directory], { cwd: source });
  return join(directory, readdirSync(directory).find((name) => name.endsWith('.tgz')) ?? '');
}
