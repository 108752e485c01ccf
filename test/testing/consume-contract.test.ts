// The suite for an app's own `consumeCode`: one conditional UPDATE passes it, and common mistakes
// fail it.
import { randomUUID } from 'node:crypto';
import { Kysely, sql, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { consumeContract, type ConsumeContractOptions } from '../../lib/testing';

interface User {
  readonly id: string;
}

type ConsumeCode = (user: User, code: string) => unknown;

const WRONG = 'AAAA-AAAA';

describe('an own consumeCode that is one conditional UPDATE', () => {
  const db = new Kysely<unknown>({
    dialect: new SqliteDialect({ database: new Database(':memory:') }),
  });

  beforeAll(() =>
    sql`
      CREATE TABLE codes (
        user_id text,
        digest text,
        consumed_at integer,
        PRIMARY KEY (user_id, digest)
      )`.execute(db),
  );
  afterAll(() => db.destroy());

  consumeContract(
    { describe, it },
    {
      setUp: async () => {
        const user = { id: randomUUID() };
        const codes = newCodes();
        for (const code of codes)
          await sql`INSERT INTO codes VALUES (${user.id}, ${code}, NULL)`.execute(db);
        return { user, codes };
      },
      consumeCode: async (user, code) => {
        const { numAffectedRows } = await sql`
          UPDATE codes
          SET consumed_at = ${Date.now()}
          WHERE user_id = ${user.id} AND digest = ${code} AND consumed_at IS NULL`.execute(db);
        return numAffectedRows === 1n;
      },
      wrongCode: WRONG,
    },
  );
});

describe('the suite for consumeCode', () => {
  it('A consumeCode that reads, then writes, fails the suite', async () => {
    const left = new Map<string, Set<string>>();
    const failed = await failures(left, async (user, code) => {
      const isThere = left.get(user.id)?.has(code) === true;
      await Promise.resolve();
      left.get(user.id)?.delete(code);
      return isThere;
    });
    expect(failed).toEqual(['Of 50 callers who use one code at once, exactly one succeeds']);
  });

  it('A consumeCode that writes the whole list back fails the suite', async () => {
    const left = new Map<string, Set<string>>();
    const failed = await failures(left, async (user, code) => {
      const list = [...(left.get(user.id) ?? [])];
      await Promise.resolve();
      left.set(user.id, new Set(list.filter((other) => other !== code)));
      return list.includes(code);
    });
    expect(failed).toContain('Two codes used at once are both accepted, and neither works again');
  });

  it('A consumeCode that never consumes a code fails the suite', async () => {
    const left = new Map<string, Set<string>>();
    const failed = await failures(left, (user, code) => left.get(user.id)?.has(code) === true);
    expect(failed).toContain('A code that was accepted before is refused');
  });

  it('A consumeCode that ignores the owner of a code fails the suite', async () => {
    const left = new Map<string, Set<string>>();
    const failed = await failures(left, (_user, code) =>
      [...left.values()].some((codes) => codes.delete(code)),
    );
    expect(failed).toEqual(['A code of another user is refused, and still works for its owner']);
  });

  it('A consumeCode that is busy is called again, and passes the suite', async () => {
    const left = new Map<string, Set<string>>();
    let calls = 0;
    const failed = await failures(left, (user, code) => {
      calls += 1;
      if (calls % 3 === 0) return { ok: false, reason: 'busy' };
      return left.get(user.id)?.delete(code) === true;
    });
    expect(failed).toEqual([]);
  });

  it('A consumeCode that returns the user fails the suite', async () => {
    const left = new Map<string, Set<string>>();
    const failed = await failures(left, (user) => user);
    expect(failed).toContain('A valid code is accepted');
  });
});

/** Runs the suite with its own runner, and returns the names of the tests that failed. */
async function failures(
  left: Map<string, Set<string>>,
  consumeCode: ConsumeCode,
): Promise<string[]> {
  const tests: { name: string; body: () => Promise<void> }[] = [];
  const options: ConsumeContractOptions<User> = {
    setUp: () => {
      const user = { id: randomUUID() };
      const codes = newCodes();
      left.set(user.id, new Set(codes));
      return Promise.resolve({ user, codes });
    },
    consumeCode,
    wrongCode: WRONG,
  };
  consumeContract(
    { describe: (_name, body) => body(), it: (name, body) => tests.push({ name, body }) },
    options,
  );
  const failed: string[] = [];
  for (const { name, body } of tests) await body().catch(() => failed.push(name));
  return failed;
}

function newCodes(): string[] {
  return Array.from({ length: 10 }, () => randomUUID());
}
