// What the owner of an account is told when one of its second factors is turned on or off.
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
  const one = `${factor === 'security key' ? 'A' : 'An'} ${factor}`;
  return writeNotice({
    subject: `${one} was ${change}`,
    username,
    what: `${one} was ${change === 'added' ? 'added to' : 'removed from'} your account at ${SERVICE_NAME}.`,
    at,
    context,
    advice: `If this was you, there is nothing to do. If it was not, somebody else is in your account: look at what opens it, make new backup codes, and ${CONTACT_OPERATOR}.`,
    link: `${publicUrl}/account/security`,
  });
}
