// The usual way, as tutorials have it: hash each code with bcrypt, keep the hashes as a JSON list,
// compare one after the other, and write back the list without the one that matched.
import { randomBytes } from 'node:crypto';
import bcrypt from 'bcrypt';
import type { Dialect } from 'kysely';
import type { Answer, Contestant } from './contestant';
import { jsonLists } from './json-list';

export async function bcryptLoop(
  dialect: Dialect,
  { cost, count = 10 }: { cost: number; count?: number },
): Promise<Contestant> {
  const users = await jsonLists(dialect);
  const submit = async (user: string, code: string): Promise<Answer> => {
    const hashes = (await users.read(user)) ?? [];
    for (const [index, hash] of hashes.entries()) {
      if (!(await bcrypt.compare(code, hash))) continue;
      hashes.splice(index, 1);
      await users.write(user, hashes);
      return 'accepted';
    }
    return 'wrong';
  };
  return {
    name: `bcrypt loop, cost ${cost}`,
    limit: 'none',
    attemptsPerUser: Infinity,
    issue: async (user) => {
      const codes = Array.from({ length: count }, () => randomBytes(5).toString('hex'));
      await users.write(user, await Promise.all(codes.map((code) => bcrypt.hash(code, cost))));
      return codes;
    },
    begin: (user) => Promise.resolve((code) => submit(user, code)),
    unknown: (code) => submit('a stranger', code),
  };
}
