// The contract of a command of the program `passport-backup-code`.
import type { Readable } from 'node:stream';

/**
 * How a command ends. 0: it did all that was asked. 1: it failed, or refused some of its input.
 * 2: it does not understand its arguments, and the program prints the usage.
 */
export type ExitCode = 0 | 1 | 2;

/** The parts of the process that a command uses. Tests give their own. */
export interface CommandHost {
  /** Imports a module of the app by its absolute path. */
  readonly importModule: (file: string) => Promise<unknown>;
  readonly stdin: Readable;
  /** Writes results and errors that concern the input. */
  readonly stdout: (text: string) => void;
  /** Writes progress. */
  readonly stderr: (text: string) => void;
  /** Aborted by SIGINT or SIGTERM, with the name of the signal as the reason. */
  readonly stopSignal: AbortSignal;
  /** Milliseconds since any fixed time, for progress. */
  readonly now: () => number;
}

/** A command, such as `sql` in `passport-backup-code sql postgres`. */
export interface Command {
  /** The name that a user types. */
  readonly name: string;
  /** The arguments, as the usage shows them after the name. */
  readonly synopsis: string;
  /** What the command does, for the usage. */
  readonly description: readonly string[];
  /** @param args the arguments after the name */
  readonly run: (args: readonly string[], host: CommandHost) => ExitCode | Promise<ExitCode>;
}
