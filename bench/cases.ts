// The calls that are measured, of any contestant. Each checks its answer: what fails quickly is not quick.
import type { Answer, Contestant } from './contestants/contestant';
import type { Case } from './rounds';

export interface CaseOptions extends Pick<Case, 'perRound' | 'everyRounds' | 'beside'> {
  /** Over so many users in turn; default 1. */
  readonly users?: number;
}

let made = 0;

export function newUser(): string {
  return `user ${(made += 1)}`;
}

/** Another one each time, from the middle of what is left: over the life of a set, a loop finds it halfway. */
export function rightCode(
  contestant: Contestant,
  { users = 1, ...options }: CaseOptions = {},
): Case {
  const people = Array.from({ length: users }, () => ({ user: '', codes: [] as string[] }));
  let turn = 0;
  return {
    name: `${contestant.name}: right code`,
    ...options,
    prepare: async () => {
      const person = people[(turn += 1) % users] ?? { user: '', codes: [] };
      if (person.codes.length === 0) Object.assign(person, await enrolled(contestant));
      const [code = ''] = person.codes.splice(Math.floor(person.codes.length / 2), 1);
      const submit = await contestant.begin(person.user);
      return async () =>
        expectAnswer(contestant, { given: await submit(code), wanted: 'accepted' });
    },
  };
}

/** Of people who have codes. */
export function wrongCode(
  contestant: Contestant,
  { users = 1, ...options }: CaseOptions = {},
): Case {
  const people = Array.from({ length: users }, () => ({
    user: '',
    codes: [] as string[],
    left: 0,
  }));
  let turn = 0;
  return {
    name: `${contestant.name}: wrong code`,
    ...options,
    prepare: async () => {
      const person = people[(turn += 1) % users] ?? { user: '', codes: [], left: 0 };
      if (person.left === 0)
        Object.assign(person, await enrolled(contestant), { left: contestant.attemptsPerUser });
      person.left -= 1;
      const code = wrong(person.codes);
      const submit = await contestant.begin(person.user);
      return async () => expectAnswer(contestant, { given: await submit(code), wanted: 'wrong' });
    },
  };
}

/** @param like a code of the same make */
export function unknownUser(
  contestant: Contestant,
  { like, ...options }: Omit<CaseOptions, 'users'> & { readonly like: string },
): Case {
  const submit = contestant.unknown;
  if (submit === undefined) throw new Error(`${contestant.name} is never given an unknown name.`);
  const run = async (): Promise<void> =>
    expectAnswer(contestant, { given: await submit(wrong([like])), wanted: 'wrong' });
  return {
    name: `${contestant.name}: unknown user`,
    ...options,
    prepare: () => Promise.resolve(run),
  };
}

export function issue(contestant: Contestant, options: Omit<CaseOptions, 'users'> = {}): Case {
  return {
    name: `${contestant.name}: issue`,
    ...options,
    prepare: () => Promise.resolve(() => contestant.issue(newUser())),
  };
}

/** Of the right form. */
export function wrong([code = '']: readonly string[]): string {
  return code.replace(/[^-]/g, 'A');
}

async function enrolled(contestant: Contestant): Promise<{ user: string; codes: string[] }> {
  const user = newUser();
  return { user, codes: [...(await contestant.issue(user))] };
}

function expectAnswer(
  { name }: Contestant,
  { given, wanted }: { given: Answer; wanted: Answer },
): void {
  if (given !== wanted)
    throw new Error(`${name}: a code was answered as "${given}" instead of "${wanted}".`);
}
