// Claims a login that a repeated code is to complete. The store counts one event under an id that
// follows from the consumption: the call that writes it has the login, and all others do not.
import type { ConsumeContext } from '../audit/context';
import type { AuditEvent } from '../audit/events';
import { BackupCodeError } from '../errors';
import { hashedUuid } from '../internal/hashed-uuid';
import type { UserSubject } from '../stores/subject';
import type { Config } from './config';
import { readConsumeContext } from './consumption';

/** Keeps these ids apart from all others that are made from hashes. */
const LABEL = 'passport-backup-code resumed login';

/** The login to claim, by the code that was consumed for it. */
export interface LoginToResume {
  readonly setId: string;
  readonly codeId: string;
  /** With the same `loginId` as at the consumption. */
  readonly context: ConsumeContext;
}

/**
 * @returns the event that was written; an empty list if the login was claimed before
 * @throws {BackupCodeError} `invalid_option`
 */
export async function resumeLogin(
  { store, now, newEvent }: Config,
  subject: UserSubject,
  { setId, codeId, context: given }: LoginToResume,
): Promise<readonly AuditEvent[]> {
  const { context, loginId } = readConsumeContext(given);
  if (loginId === null) {
    throw new BackupCodeError(
      'invalid_option',
      'resumeLogin needs context.loginId, the same that consume was given.',
    );
  }
  const event = newEvent('login_resumed', {
    at: now(),
    userId: subject.userId,
    setId,
    codeId,
    refusals: 1,
    context,
  });
  const id = hashedUuid([LABEL, loginId, subject.key, setId, codeId]);
  return store.count({ subject, event: { ...event, id } });
}
