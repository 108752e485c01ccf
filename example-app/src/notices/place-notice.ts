// The mail with the link that confirms a login from a new place.
import { SERVICE_NAME } from '../config';
import type { Place } from '../login/places';
import { type Notice, CONTACT_OPERATOR, writeNotice } from './write-notice';

export function writePlaceNotice({
  username,
  at,
  context,
  link,
}: {
  username: string;
  at: number;
  context: Place;
  link: string;
}): Notice {
  return writeNotice({
    subject: 'Is it you who is logging in?',
    username,
    what:
      `Someone with your password entered a backup code for your account at ${SERVICE_NAME}, ` +
      'from somewhere you have not logged in from before. The code was not checked.',
    at,
    context,
    advice:
      `If it was not you, change your password, and ${CONTACT_OPERATOR}. If it was you, ` +
      'follow this link within 15 minutes, and then enter the code again:',
    link,
  });
}
