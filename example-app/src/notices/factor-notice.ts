// The notice when a second factor is added to an account or removed from it.
import type { CleanContext } from 'passport-backup-code';
import { SERVICE_NAME } from '../config';
import { type Notice, CONTACT_OPERATOR, writeNotice } from './write-notice';

export interface FactorChange {
  readonly change: 'added' | 'removed';
  readonly factor: 'authenticator app' | 'security key';
  readonly username: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly context: Pick<CleanContext, 'ip' | 'userAgent'>;
  readonly publicUrl: string;
}

export function writeFactorNotice({
  change,
  factor,
  username,
  at,
  context,
  publicUrl,
}: FactorChange): Notice {
  const subject = `${factor === 'security key' ? 'A' : 'An'} ${factor} was ${change}`;
  const preposition = change === 'added' ? 'to' : 'from';
  return writeNotice({
    subject,
    username,
    what: `${subject} ${preposition} your account at ${SERVICE_NAME}.`,
    at,
    context,
    advice:
      'If this was you, there is nothing to do. If it was not, someone else is in your account: ' +
      `look at what opens it, make new backup codes, and ${CONTACT_OPERATOR}.`,
    link: `${publicUrl}/account/security`,
  });
}
