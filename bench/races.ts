// What happens to codes that arrive at the same time. The figures are counts, not times, so they do
// not depend on the machine. Only the counts of this package are promised.
import { bcryptHasher } from '../lib';
import { openBackends, type Backend } from './backends';
import { invalidCodeLike, newUser } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { betterAuth } from './contestants/better-auth';
import type { Answer, Contestant, Submit } from './contestants/contestant';
import { passportBackupCodes } from './contestants/passport-backup-codes';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import type { Row, Table } from './table';

const EQUAL = 50;
const DIFFERENT = 10;
const INVALID = 40;
/** The lowest cost that this package accepts. Tutorials use it too. */
const COST = 10;

interface Entry {
  readonly contestant: Contestant;
  /**
   * `shared`: all requests share one begun login. `own`: each request has its own, which an
   * attacker who knows the password can do too.
   */
  readonly login: 'shared' | 'own';
}

export async function* races(): AsyncGenerator<Table> {
  for await (const backend of openBackends('memory', 'SQLite', 'PostgreSQL', 'MariaDB', 'Redis')) {
    const rows: Row[] = [];
    for (const entry of await entriesOn(backend)) rows.push(await race(entry));
    yield { title: `${backend.name}: codes of one user that arrive at the same time`, rows };
  }
}

async function entriesOn(backend: Backend): Promise<Entry[]> {
  const { name, openStore, openDatabase } = backend;
  const hasher = bcryptHasher({ cost: COST });
  const ours = [
    thisPackage('this package', { store: await openStore(), hasher }),
    thisPackage('this package, many free attempts', {
      store: await openStore(),
      hasher,
      attempts: MANY_FREE,
    }),
  ].map((contestant): Entry => ({ contestant, login: 'own' }));
  if (!openDatabase || name === 'MariaDB') return ours;
  const type = name === 'SQLite' ? 'sqlite' : 'postgres';
  const challenge = await betterAuth(await openDatabase(), { type, channel: 'challenge' });
  const session = await betterAuth(await openDatabase(), { type, channel: 'session' });
  return [
    ...ours,
    { contestant: await bcryptLoop(await openDatabase(), { cost: COST }), login: 'own' },
    { contestant: { ...challenge, name: 'better-auth, in one challenge' }, login: 'shared' },
    { contestant: { ...challenge, name: 'better-auth, a challenge each' }, login: 'own' },
    { contestant: session, login: 'own' },
    { contestant: await passportBackupCodes(await openDatabase()), login: 'own' },
  ];
}

async function race(entry: Entry): Promise<Row> {
  const { contestant } = entry;
  const first = await enroll(contestant);
  const equalCodes = Array<string>(EQUAL).fill(first.codes[0] ?? '');
  const equal = await submitAtOnce(entry, { user: first.user, codes: equalCodes });

  const second = await enroll(contestant);
  const different = await submitAtOnce(entry, second);
  const consumed = second.codes.filter((_, index) => different[index] === 'accepted');
  const again: Answer[] = [];
  for (const code of consumed) {
    const submit = await contestant.begin(second.user);
    again.push(await submit(code));
  }

  const third = await enroll(contestant);
  const guesses = Array<string>(INVALID).fill(invalidCodeLike(third.codes));
  const guessed = await submitAtOnce(entry, { user: third.user, codes: guesses });
  return {
    name: contestant.name,
    figures: {
      [`${EQUAL} equal: accepted`]: count(equal, 'accepted'),
      [`${DIFFERENT} different: accepted`]: consumed.length,
      'accepted again': count(again, 'accepted'),
      [`${INVALID} invalid: checked`]: count(guessed, 'invalid'),
      limit: contestant.limit,
    },
  };
}

async function enroll(
  contestant: Contestant,
): Promise<{ readonly user: string; readonly codes: readonly string[] }> {
  const user = newUser();
  return { user, codes: await contestant.issue(user) };
}

/** Every request has begun its login before the first code is sent. */
async function submitAtOnce(
  { contestant, login }: Entry,
  { user, codes }: { user: string; codes: readonly string[] },
): Promise<Answer[]> {
  const requests: { submit: Submit; code: string }[] = [];
  for (const code of codes) {
    const [first] = requests;
    const submit = login === 'shared' && first ? first.submit : await contestant.begin(user);
    requests.push({ submit, code });
  }
  return Promise.all(requests.map(({ submit, code }) => submit(code)));
}

function count(answers: readonly Answer[], wanted: Answer): number {
  return answers.filter((answer) => answer === wanted).length;
}
