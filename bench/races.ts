// What becomes of codes that arrive at once. Counts, not times: they do not depend on the machine, and only ours are promised.
import { bcryptHasher } from '../lib';
import { newUser, wrong } from './cases';
import { bcryptLoop } from './contestants/bcrypt-loop';
import { betterAuth } from './contestants/better-auth';
import type { Answer, Contestant, Submit } from './contestants/contestant';
import { passportBackupCodes } from './contestants/passport-backup-codes';
import { MANY_FREE, thisPackage } from './contestants/this-package';
import { places, type Place } from './places';
import type { Row, Table } from './table';

const SAME = 50;
const DIFFERENT = 10;
const WRONG = 40;
/** The lowest that this package takes. Tutorials have it too. */
const COST = 10;

interface Entry {
  readonly contestant: Contestant;
  /** `each`: every request has begun by itself, as those of one who knows the password may. */
  readonly begun: 'once' | 'each';
}

export async function* races(): AsyncGenerator<Table> {
  for await (const place of places('memory', 'SQLite', 'PostgreSQL', 'MariaDB', 'Redis')) {
    const rows: Row[] = [];
    for (const entry of await entriesOn(place)) rows.push(await race(entry));
    yield { title: `${place.name}: codes of one user that arrive at once`, rows };
  }
}

async function entriesOn(place: Place): Promise<Entry[]> {
  const hasher = bcryptHasher({ cost: COST });
  const ours = [
    thisPackage('this package', { store: await place.store(), hasher }),
    thisPackage('this package, many attempts free', {
      store: await place.store(),
      hasher,
      attempts: MANY_FREE,
    }),
  ].map((contestant): Entry => ({ contestant, begun: 'each' }));
  if (!place.dialect || place.name === 'MariaDB') return ours;
  const type = place.name === 'SQLite' ? 'sqlite' : 'postgres';
  const challenge = await betterAuth(await place.dialect(), { type, channel: 'challenge' });
  return [
    ...ours,
    { contestant: await bcryptLoop(await place.dialect(), { cost: COST }), begun: 'each' },
    { contestant: { ...challenge, name: `${challenge.name} for all` }, begun: 'once' },
    { contestant: { ...challenge, name: `${challenge.name} each` }, begun: 'each' },
    {
      contestant: await betterAuth(await place.dialect(), { type, channel: 'session' }),
      begun: 'each',
    },
    { contestant: await passportBackupCodes(await place.dialect()), begun: 'each' },
  ];
}

async function race(entry: Entry): Promise<Row> {
  const { contestant } = entry;
  const [[code = ''], same] = await enrolled(contestant);
  const identical = await atOnce(entry, { user: same, codes: Array<string>(SAME).fill(code) });
  const [codes, different] = await enrolled(contestant);
  const valid = await atOnce(entry, { user: different, codes });
  const spent = codes.filter((_, index) => valid[index] === 'accepted');
  const again: Answer[] = [];
  for (const one of spent) again.push(await (await contestant.begin(different))(one));
  const [like, guessed] = await enrolled(contestant);
  const guesses = await atOnce(entry, {
    user: guessed,
    codes: Array<string>(WRONG).fill(wrong(like)),
  });
  return {
    name: contestant.name,
    figures: {
      [`of ${SAME} alike accepted`]: count(identical, 'accepted'),
      [`of ${DIFFERENT} different accepted`]: spent.length,
      'of these once more': count(again, 'accepted'),
      [`of ${WRONG} wrong looked at`]: count(guesses, 'wrong'),
      limit: contestant.limit,
    },
  };
}

async function enrolled(contestant: Contestant): Promise<[codes: readonly string[], user: string]> {
  const user = newUser();
  return [await contestant.issue(user), user];
}

/** All have begun before the first is sent. */
async function atOnce(
  { contestant, begun }: Entry,
  { user, codes }: { user: string; codes: readonly string[] },
): Promise<Answer[]> {
  const requests: { submit: Submit; code: string }[] = [];
  for (const code of codes) {
    const [first] = requests;
    requests.push({
      submit: begun === 'once' && first ? first.submit : await contestant.begin(user),
      code,
    });
  }
  return Promise.all(requests.map(({ submit, code }) => submit(code)));
}

function count(answers: readonly Answer[], wanted: Answer): number {
  return answers.filter((answer) => answer === wanted).length;
}
