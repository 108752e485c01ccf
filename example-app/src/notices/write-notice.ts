// A plain text mail to the owner of an account: what happened, when, from where, and what to do.
// Never holds a code.
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
  /** More lines like those for when and where. */
  readonly details?: readonly string[];
  readonly advice: string;
  /** Where the advice can be followed. */
  readonly link: string;
}

/** The service knows nobody to name; an app of your own has an address to write here. */
export const CONTACT_OPERATOR = 'tell whoever runs this service';

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
    ...facts,
  ];
  return {
    subject,
    text: `${[`Hello ${username},`, what, lines.join('\n'), `${advice}\n${link}`].join('\n\n')}\n`,
  };
}
