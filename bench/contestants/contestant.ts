// What is put side by side: something that makes codes for users and checks them.

/** `turned away`: not looked at, for there were too many before. */
export type Answer = 'accepted' | 'wrong' | 'turned away';

export type Submit = (code: string) => Promise<Answer>;

export interface Contestant {
  readonly name: string;
  /** What it grants of wrong codes. */
  readonly limit: string;
  /** Wrong codes of one user before one is turned away. */
  readonly attemptsPerUser: number;
  readonly issue: (user: string) => Promise<readonly string[]>;
  /** Up to where somebody may type a code: what came before is not measured. */
  readonly begin: (user: string) => Promise<Submit>;
  /** A name that belongs to nobody, where one can be given. */
  readonly unknown?: Submit;
}
