// Writes a set with codes that the test chose, so that a fuzz run can be repeated from its seed.
import { randomBytes } from 'node:crypto';
import type { BackupCodeStore, Format, Hasher } from '../../lib';
import { cleanContext } from '../../lib/audit/context';
import { auditEvent } from '../../lib/audit/events';
import { serializeFormat } from '../../lib/codes/formats';
import { pepperRing } from '../../lib/codes/pepper';
import { checkOf, keyStretched, recordCode } from '../../lib/codes/digests';
import { userSubject } from '../../lib/stores/subject';
import { START } from './clock';

/** @param symbols the codes, without separators */
export async function writeSet(
  store: BackupCodeStore,
  {
    userId,
    format,
    hasher,
    symbols,
  }: { userId: string; format: Format; hasher: Hasher; symbols: readonly string[] },
): Promise<void> {
  const { id: pepperId, key } = pepperRing(undefined).newest;
  const binding = {
    userId,
    namespace: null,
    setId: randomBytes(16).toString('hex'),
    salt: hasher.newSalt(),
  };
  const codes = await Promise.all(
    symbols.map(async (code) =>
      recordCode(keyStretched(await hasher.hash(code, binding.salt), key, binding)),
    ),
  );
  const { setId, salt } = binding;
  await store.replace({
    subject: userSubject(userId),
    header: {
      setId,
      salt,
      pepperId,
      format: serializeFormat(format),
      check: checkOf(key, binding),
      total: codes.length,
      createdAt: START,
      expiresAt: null,
    },
    codes,
    event: auditEvent('issued', { at: START, userId, setId, context: cleanContext() }),
    now: START,
  });
}
