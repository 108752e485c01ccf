// What the suites compare: software that issues codes to users and checks them.

/**
 * `throttled`: the code was not checked, because there were too many attempts before. `busy`: it was
 * not checked, because too many requests were waiting.
 */
export type Answer = 'accepted' | 'invalid' | 'throttled' | 'busy';

export type Submit = (code: string) => Promise<Answer>;

export interface Contestant {
  readonly name: string;
  /** How many invalid codes the contestant permits, in words. */
  readonly limit: string;
  /** How many invalid codes of one user it checks before it throttles that user. */
  readonly attemptsPerUser: number;
  readonly issue: (user: string) => Promise<readonly string[]>;
  /** Does everything before a user can type a code. This part is not timed. */
  readonly begin: (user: string) => Promise<Submit>;
  /** Submits a code for an unknown user, if the contestant has such a call. */
  readonly submitForUnknownUser?: Submit;
}
