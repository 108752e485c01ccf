// The calls that are measured, for any contestant. Each case checks the answer, because a call that
// fails early is not a fast call.
import type { Answer, Contestant } from './contestants/contestant';
import type { Case } from './sampling';

export interface CaseOptions extends Pick<Case, 'perRound' | 'everyRounds' | 'beside'> {
  /**
   * The calls take this many users in turn.
   *
   * @default 1
   */
  readonly users?: number;
}

interface EnrolledUser {
  readonly name: string;
  readonly codes: string[];
}

let userCount = 0;

export function newUser(): string {
  userCount += 1;
  return `user ${userCount}`;
}

/**
 * Each call takes another code, the middle one of those that are left. Over the life of a set, a
 * loop over the codes then finds the code halfway.
 */
export function validCode(
  contestant: Contestant,
  { users = 1, ...options }: CaseOptions = {},
): Case {
  const enrolled: EnrolledUser[] = [];
  let calls = 0;
  return {
    name: `${contestant.name}: valid code`,
    ...options,
    prepare: async () => {
      const turn = calls % users;
      calls += 1;
      let user = enrolled[turn];
      if (user === undefined || user.codes.length === 0) user = await enroll(contestant);
      enrolled[turn] = user;
      const [code = ''] = user.codes.splice(Math.floor(user.codes.length / 2), 1);
      const submit = await contestant.begin(user.name);
      return async () =>
        assertAnswer(contestant, { answer: await submit(code), expected: 'accepted' });
    },
  };
}

/** The users have codes. A user whose attempts are used up is replaced by a new one. */
export function invalidCode(
  contestant: Contestant,
  { users = 1, ...options }: CaseOptions = {},
): Case {
  const enrolled: (EnrolledUser & { attemptsLeft: number })[] = [];
  let calls = 0;
  return {
    name: `${contestant.name}: invalid code`,
    ...options,
    prepare: async () => {
      const turn = calls % users;
      calls += 1;
      let user = enrolled[turn];
      if (user === undefined || user.attemptsLeft === 0) {
        user = { ...(await enroll(contestant)), attemptsLeft: contestant.attemptsPerUser };
      }
      enrolled[turn] = user;
      user.attemptsLeft -= 1;
      const code = invalidCodeLike(user.codes);
      const submit = await contestant.begin(user.name);
      return async () =>
        assertAnswer(contestant, { answer: await submit(code), expected: 'invalid' });
    },
  };
}

/** @param options.like a code in the format of the contestant */
export function unknownUser(
  contestant: Contestant,
  { like, ...options }: Omit<CaseOptions, 'users'> & { readonly like: string },
): Case {
  const submit = contestant.submitForUnknownUser;
  if (submit === undefined) throw new Error(`${contestant.name} cannot check unknown users.`);
  const code = invalidCodeLike([like]);
  const run = async (): Promise<void> =>
    assertAnswer(contestant, { answer: await submit(code), expected: 'invalid' });
  return {
    name: `${contestant.name}: unknown user`,
    ...options,
    prepare: () => Promise.resolve(run),
  };
}

export function issueSet(contestant: Contestant, options: Omit<CaseOptions, 'users'> = {}): Case {
  return {
    name: `${contestant.name}: issue`,
    ...options,
    prepare: () => Promise.resolve(() => contestant.issue(newUser())),
  };
}

/** A well-formed code that is not one of these. */
export function invalidCodeLike([code = '']: readonly string[]): string {
  return code.replace(/[^-]/g, 'A');
}

async function enroll(contestant: Contestant): Promise<EnrolledUser> {
  const name = newUser();
  return { name, codes: [...(await contestant.issue(name))] };
}

function assertAnswer(
  { name }: Contestant,
  { answer, expected }: { answer: Answer; expected: Answer },
): void {
  if (answer !== expected) {
    throw new Error(`${name} answered "${answer}" to a code, but "${expected}" was expected.`);
  }
}
