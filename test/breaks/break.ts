// One way to spoil the package, and the tests that must notice. What run.ts makes of it is at its head.

export interface Break {
  /** Of the requirement that it hurts; a row of test/requirements.md. */
  readonly id: string;
  /** What the package then does; most of it was found in the wild. */
  readonly what: string;
  readonly file: string;
  /** Occurs in the file exactly once. Short, so that it survives what does not concern it. */
  readonly find: string;
  readonly replace: string;
  /** Each of these fails then: `path › describe › name`. Those of lib/testing run on the store that is broken. */
  readonly noticedBy: readonly string[];
  /** The tests then wait for ever: a time-out is their finding. Elsewhere it is none, for the machine may have been slow. */
  readonly hangs?: true;
}
