// The usual way in tutorials: hash each code with bcrypt and keep the hashes in a JSON list. A
// check compares the code with one hash after the other and writes the list back without the match.
import { randomBytes } from 'node:crypto';
import bcrypt from 'bcrypt';
import type { Dialect } from 'kysely';
import type { Answer, Contestant } from './contestant';
import { openJsonLists } from './json-lists';

export async function bcryptLoop(
  dialect: Dialect,
  { cost, count = 10 }: { cost: number; count?: number },
): Promise<Contestant> {
  const lists = await openJsonLists(dialect);
  const submit = async (user: string, code: string): Promise<Answer> => {
    const hashes = (await lists.read(user)) ?? [];
    for (const [index, hash] of hashes.entries()) {
      if (!(await bcrypt.compare(code, hash))) continue;
      hashes.splice(index, 1);
      await lists.write(user, hashes);
      return 'accepted';
    }
    return 'invalid';
  };
  return {
    name: `bcrypt loop, cost ${cost}`,
    limit: 'none',
    attemptsPerUser: Infinity,
    issue: async (user) => {
      const codes = Array.from({ length: count }, () => randomBytes(5).toString('hex'));
      await lists.write(user, await Promise.all(codes.map((code) => bcrypt.hash(code, cost))));
      return codes;
    },
    begin: (user) => Promise.resolve((code) => submit(user, code)),
    submitForUnknownUser: (code) => submit('an unknown user', code),
  };
}
