// The notice when an address is added to an account or removed from it.
import type { CleanContext } from 'passport-backup-code';
import { SERVICE_NAME } from '../config';
import { type Notice, CONTACT_OPERATOR, writeNotice } from './write-notice';

export interface EmailChange {
  readonly change: 'added' | 'removed';
  readonly email: string;
  readonly username: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly context: Pick<CleanContext, 'ip' | 'userAgent'>;
  readonly publicUrl: string;
}

export function writeEmailNotice({
  change,
  email,
  username,
  at,
  context,
  publicUrl,
}: EmailChange): Notice {
  return writeNotice({
    subject: `An email address was ${change}`,
    username,
    what:
      `${email} was ${change === 'added' ? 'added to' : 'removed from'} the email addresses of ` +
      `your account at ${SERVICE_NAME}. Each of them is told what happens there.`,
    at,
    context,
    advice:
      'If this was you, there is nothing to do. If it was not, someone else is in your account: ' +
      `correct the addresses, make new backup codes, and ${CONTACT_OPERATOR}.`,
    link: `${publicUrl}/account/emails`,
  });
}
