// The npm package `passport-backup-codes` with the two callbacks of its README: a list of plain
// codes, which is read and written back.
import { randomBytes } from 'node:crypto';
import type { Dialect } from 'kysely';
import type { Answer, Contestant } from './contestant';
import { openJsonLists } from './json-lists';
import { requirePeer } from './peers';

interface User {
  readonly id: string;
}
type Done = (error: unknown, codes?: readonly string[]) => void;
type Strategy = new (
  setup: (user: User, done: Done) => void,
  tearDown: (user: User, code: string, done: Done) => void,
) => object;
interface Authentication {
  user: User;
  success(): void;
  fail(): void;
  error(error: unknown): void;
  authenticate(req: { user: User; body: { code: string } }): void;
}

export async function passportBackupCodes(dialect: Dialect): Promise<Contestant> {
  const lists = await openJsonLists(dialect);
  const PeerStrategy = requirePeer('passport-backup-codes') as Strategy;
  const strategy = new PeerStrategy(
    ({ id }, done) => void lists.read(id).then((codes) => done(null, codes ?? []), done),
    ({ id }, code, done) => {
      const remove = async (): Promise<void> =>
        lists.write(
          id,
          ((await lists.read(id)) ?? []).filter((value) => value !== code),
        );
      remove().then(() => done(null), done);
    },
  );
  const submit = (id: string, code: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      // Passport does the same for each request.
      const request = Object.assign(Object.create(strategy) as Authentication, {
        success: () => resolve('accepted'),
        fail: () => resolve('invalid'),
        error: reject,
      });
      request.authenticate({ user: { id }, body: { code } });
    });
  // The package prints "OK" on the console for each valid code.
  console.log = () => undefined;
  return {
    name: 'passport-backup-codes',
    limit: 'none',
    attemptsPerUser: Infinity,
    issue: async (user) => {
      const codes = Array.from({ length: 10 }, () => randomBytes(5).toString('hex'));
      await lists.write(user, codes);
      return codes;
    },
    begin: (user) => Promise.resolve((code) => submit(user, code)),
  };
}
