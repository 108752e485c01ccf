#!/usr/bin/env node
// The program `passport-backup-code`: finds the command that was asked for and runs it. The program
// opens no database and keeps no state of its own.
import { pathToFileURL } from 'node:url';
import { adoptCommand } from './adopt-command';
import type { Command, CommandHost, ExitCode } from './command';
import { newPepperCommand } from './new-pepper-command';
import { replayCommand } from './replay-command';
import { sqlCommand } from './sql-command';
import { versionCommand } from './version-command';

const COMMANDS: readonly Command[] = [
  newPepperCommand,
  sqlCommand,
  adoptCommand,
  replayCommand,
  versionCommand,
];

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) {
  // Only once: a second signal ends the process at once.
  process.once(signal, () => stop.abort(signal));
}

const host: CommandHost = {
  importModule: (file) => import(pathToFileURL(file).href),
  stdin: process.stdin,
  stdout: (text) => process.stdout.write(text),
  stderr: (text) => process.stderr.write(text),
  stopSignal: stop.signal,
  now: () => performance.now(),
};

async function runProgram([name, ...args]: readonly string[]): Promise<ExitCode> {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  const exitCode = (await command?.run(args, host)) ?? 2;
  if (exitCode === 2) host.stderr(usage());
  return exitCode;
}

function usage(): string {
  const entries = COMMANDS.map(({ name, synopsis, description }) =>
    [
      `passport-backup-code ${name} ${synopsis}`.trimEnd(),
      ...description.map((line) => `    ${line}`),
    ]
      .map((line) => `${line}\n`)
      .join(''),
  );
  return entries.join('\n');
}

// If a promise of the app is never settled and nothing else is alive, Node ends the process as if
// all was well.
process.exitCode = 1;
process.once('beforeExit', () => {
  host.stderr('The command did not finish: a promise of the app was never settled.\n');
});

void runProgram(process.argv.slice(2)).then((exitCode) => {
  // The connection pool of the app would keep the process alive, so it must be ended. It ends only
  // after both streams have written everything.
  process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
});
