// Writes a plain-text mail to the owner of an account: what happened, when, from where, and what to
// do. A mail never contains a code.
import type { CleanContext } from 'passport-backup-code';
import { formatPlace, formatTime } from '../web/format-time-and-place';

export interface Notice {
  readonly subject: string;
  readonly text: string;
}

export interface NoticeContent {
  readonly subject: string;
  readonly username: string;
  readonly what: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly context: Pick<CleanContext, 'ip' | 'userAgent'>;
  /** More lines, in addition to "When" and "From". */
  readonly details?: readonly string[];
  readonly advice: string;
  /** The page where the user can follow the advice. */
  readonly link: string;
}

/** The example has no support address. Put the address of your own support team here. */
export const CONTACT_OPERATOR = 'tell the people who run this service';

export function writeNotice({
  subject,
  username,
  what,
  at,
  context,
  details = [],
  advice,
  link,
}: NoticeContent): Notice {
  const place = formatPlace(context);
  const lines = [
    `When: ${formatTime(at)}`,
    ...(place === null ? [] : [`From: ${place}`]),
    ...details,
  ];
  return {
    subject,
    text: `${[`Hello ${username},`, what, lines.join('\n'), `${advice}\n${link}`].join('\n\n')}\n`,
  };
}
