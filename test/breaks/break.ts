// One change that breaks the package, and the tests that must fail then. run.ts applies it.

export interface Break {
  /** The id of the requirement that it violates, a row of test/requirements.md. */
  readonly id: string;
  /** How the package then behaves. Most of these faults were found in other packages. */
  readonly what: string;
  readonly file: string;
  /** Occurs in the file exactly once. Short, so that unrelated changes do not affect it. */
  readonly find: string;
  readonly replace: string;
  /**
   * The tests that fail then: `path › name`, or `path › describe › name` if the name occurs twice
   * in the file. Tests of lib/testing run on the broken store.
   */
  readonly noticedBy: readonly string[];
  /**
   * The tests then hang, so a time-out counts as a failure. In other breaks it does not: the
   * machine may be slow.
   */
  readonly hangs?: true;
}
