// What an email address looks like, and which two are one. Asks no mail server: whether anybody
// reads there shows later.

/** RFC 5321, section 4.5.3.1.3, less the brackets. */
const MAX_LENGTH = 254;
/**
 * Neither blanks nor what has a meaning in a mail's headers (RFC 5322, section 3.2.3): one address,
 * never a list.
 */
const ADDRESS = /^[^\s\p{C}<>()[\]\\,;:"@]+@[^\s\p{C}<>()[\]\\,;:"@]+$/u;

/** To whoever typed something else. */
export const NOT_AN_EMAIL = 'Enter an email address, like name@example.com.';

/**
 * The address as it is kept; `null` for what is none. Only its domain is the same in lower case
 * (RFC 5321, section 2.4).
 */
export function readEmailAddress(given: string): string | null {
  const address = given.normalize('NFC').trim();
  if (address.length > MAX_LENGTH || !ADDRESS.test(address)) return null;
  const at = address.indexOf('@');
  return address.slice(0, at) + address.slice(at).toLowerCase();
}

/** Nobody has two addresses that differ by case alone. */
export function emailKey(address: string): string {
  return address.normalize('NFC').toLowerCase();
}
