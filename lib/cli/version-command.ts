// The command `--version`: prints the version of this package.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, CommandHost, ExitCode } from './command';

const PACKAGE_FILE = join(__dirname, '..', '..', 'package.json');

export const versionCommand: Command = {
  name: '--version',
  synopsis: '',
  description: ['Prints the version of this package.'],
  run: printVersion,
};

function printVersion(args: readonly string[], { stdout }: CommandHost): ExitCode {
  if (args.length > 0) return 2;
  const { version } = JSON.parse(readFileSync(PACKAGE_FILE, 'utf8')) as { version: string };
  stdout(`${version}\n`);
  return 0;
}
