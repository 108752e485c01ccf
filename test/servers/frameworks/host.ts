// Runs the code of a page of the documentation in a process of its own, for tests over HTTP. The
// packages of the host are installed from its lock file, and this package is placed beside them as
// npm does.
import { execFile, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transformSync } from '@swc/core';
import { stop } from '../../helpers/workers';
import { Visitor } from './visitor';

const ROOT = join(__dirname, '../../..');
const CHILD = join(__dirname, 'child');
const TSC = join(ROOT, 'node_modules/typescript7/bin/tsc');
const execute = promisify(execFile);

const TSCONFIG = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2022',
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    esModuleInterop: true,
    noImplicitOverride: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    useDefineForClassFields: false,
    types: ['node'],
  },
  include: ['*.ts'],
};

/** Source files by name, in TypeScript or JavaScript. */
type Files = Readonly<Record<string, string>>;

/** Installs the lock file of `test/hosts/NAME`, and the built package. */
export async function install(name: string): Promise<void> {
  const host = join(ROOT, 'test/hosts', name);
  await execute('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], {
    cwd: host,
    timeout: 240_000,
  });
  for (const part of ['dist', 'package.json'])
    cpSync(join(ROOT, part), join(host, 'node_modules/passport-backup-code', part), {
      recursive: true,
    });
}

/** Returns the code of a page by the names in `<!-- file: NAME -->`. */
export function filesOf(page: string): Files {
  const blocks = readFileSync(join(ROOT, page), 'utf8').matchAll(
    /<!-- file: ([\w.-]+) -->\s*```(?:js|ts)\n([\s\S]*?)```/g,
  );
  return Object.fromEntries([...blocks].map(([, name = '', code = '']) => [name, code]));
}

/** A running app. */
export interface Host {
  /** Opens a new browser. */
  visitor(): Visitor;
  /** Sends a command of `child/yours.ts`, or `settlements`. */
  ask<T = unknown>(command: string, ...args: readonly unknown[]): Promise<T>;
  stop(): Promise<void>;
}

/**
 * Starts the file `main` in `test/hosts/NAME`.
 *
 * @param files the app; `./yours.js` is added
 */
export async function start(
  name: string,
  { files, main }: { files: Files; main: string },
): Promise<Host> {
  const folder = writeApp(name, files);
  const output: string[] = [];
  const app = join(folder, main.replace(/ts$/, 'js'));
  const child = fork(join(folder, 'start.js'), [app], {
    cwd: folder,
    env: { ...process.env, NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => output.push(String(text)));
  // An app that ends before it listens rejects with its output.
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the app ended:\n${output.join('')}`);
  });
  ended.catch(() => undefined);
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }];
  return {
    visitor: () => new Visitor(`http://127.0.0.1:${port}`),
    ask: asker(child),
    stop: async () => {
      await stop(child);
      rmSync(folder, { recursive: true });
    },
  };
}

/**
 * Compiles the code of a page against the types of the host's packages. @returns the errors, or an
 * empty string
 */
export async function compilerErrors(name: string, files: Files): Promise<string> {
  const folder = writeApp(name, files);
  try {
    await execute(process.execPath, [TSC, '-p', folder], { cwd: folder });
    return '';
  } catch (error) {
    return (error as { stdout: string }).stdout || String(error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let apps = 0;

/** Writes below `node_modules`, from which the app finds the packages and which no tool checks. */
function writeApp(name: string, files: Files): string {
  apps += 1;
  const folder = join(ROOT, 'test/hosts', name, 'node_modules', `.app-${apps}`);
  mkdirSync(folder, { recursive: true });
  const ours = Object.fromEntries(
    ['start.ts', 'yours.ts'].map((file) => [file, readFileSync(join(CHILD, file), 'utf8')]),
  );
  const all: Files = { ...ours, ...files };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  for (const [file, code] of Object.entries(all)) {
    writeFileSync(join(folder, file), code);
    if (file.endsWith('.ts'))
      writeFileSync(join(folder, file.replace(/ts$/, 'js')), compiled(code));
  }
  return folder;
}

/**
 * Compiles to ES modules. Nest and Ts.ED need the decorators of TypeScript's
 * `experimentalDecorators`.
 */
function compiled(code: string): string {
  const { code: result } = transformSync(code, {
    swcrc: false,
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
    },
  });
  return result;
}

function asker(child: ChildProcess): Host['ask'] {
  const waiting = new Map<number, (message: { result?: unknown; error?: string }) => void>();
  child.on('message', (message: { id?: number; result?: unknown; error?: string }) =>
    waiting.get(message.id ?? -1)?.(message),
  );
  let asked = 0;
  return async <T>(command: string, ...args: readonly unknown[]): Promise<T> => {
    const id = (asked += 1);
    const answer = new Promise<{ result?: unknown; error?: string }>((resolve) =>
      waiting.set(id, resolve),
    );
    child.send({ id, command, args });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return result as T;
  };
}
