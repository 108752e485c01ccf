// A set that was stored in a namespace verifies with every later version, in that namespace only.
import {
  BackupCodes,
  formats,
  MemoryStore,
  type BackupCodesOptions,
  type Outcome,
} from '../../lib';
import { auditEvent } from '../../lib/audit/events';
import { cleanContext } from '../../lib/audit/context';
import { fastHasher } from '../../lib/codes/hashers/fast';
import { userSubject } from '../../lib/stores/subject';
import { failure } from '../helpers/errors';
import { stretch } from '../vectors/make';
import { check, derive, userKey } from '../vectors/make-namespaces';
import vectors from '../vectors/sets-v1-namespaces.json';

type StoredSet = (typeof vectors.sets)[number];

const CREATED_AT = Date.UTC(2026, 10, 28);

/** Stores the set under this namespace, and consumes a code of it there. */
async function consumeIn(
  namespace: string | null,
  set: StoredSet,
  { code = set.codes[0]?.shown, storedCheck = set.check }: { code?: string; storedCheck?: string },
): Promise<Outcome> {
  const { userId, setId, format, salt, pepper, codes } = set;
  const store = new MemoryStore();
  const subject = userSubject(userId, namespace);
  await store.replace({
    subject,
    header: {
      setId,
      format,
      salt,
      pepperId: pepper?.id ?? null,
      check: storedCheck,
      total: codes.length,
      createdAt: CREATED_AT,
      expiresAt: null,
    },
    codes: codes.map((stored) => ({
      codeId: stored.codeId,
      salt: stored.salt,
      digest: stored.digest,
    })),
    event: auditEvent('issued', { at: CREATED_AT, userId, context: cleanContext() }),
    now: CREATED_AT,
  });
  const options: BackupCodesOptions = {
    store,
    format: [formats.long, formats.standard],
    hasher: fastHasher(),
    pepper: pepper === null ? [] : { id: pepper.id, key: Buffer.from(pepper.key, 'hex') },
    now: () => CREATED_AT,
  };
  const backupCodes = new BackupCodes(namespace === null ? options : { ...options, namespace });
  return backupCodes.consume(userId, code);
}

describe.each(vectors.sets.map((set): [string, StoredSet] => [set.name, set]))(
  'the stored set "%s" of a namespace',
  (_name, set) => {
    it('A set of a namespace has the values that its description gives', async () => {
      expect(userSubject(set.userId, set.namespace).key).toBe(set.userKey);
      expect(userKey(set)).toBe(set.userKey);
      expect(check(set)).toBe(set.check);
      for (const code of set.codes) {
        expect(await stretch(set, code)).toBe(code.stretched);
        expect(derive(set, code)).toEqual({ keyed: code.keyed, digest: code.digest });
      }
    });

    it('Each code of a set of a namespace is accepted in it under its own id', async () => {
      for (const { shown, codeId } of set.codes) {
        expect(await consumeIn(set.namespace, set, { code: shown })).toMatchObject({
          ok: true,
          codeId,
        });
      }
    });

    it('A set of a namespace is unreadable in another one, and without one', async () => {
      for (const other of ['other', null]) {
        await expect(consumeIn(other, set, {})).rejects.toEqual(failure('wrong_pepper'));
      }
    });

    it('No code verifies in another namespace, even with a check that fits', async () => {
      const storedCheck = check({ ...set, namespace: 'other' });
      expect(await consumeIn('other', set, { storedCheck })).toEqual({
        ok: false,
        reason: 'mismatch',
      });
    });
  },
);
