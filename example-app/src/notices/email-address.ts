// Checks and normalizes email addresses. Does not ask the mail server whether the address exists.

/** RFC 5321, section 4.5.3.1.3, without the angle brackets. */
const MAX_LENGTH = 254;
/**
 * No spaces, and no characters that have a meaning in mail headers (RFC 5322, section 3.2.3), so
 * the result is always one address and never a list.
 */
const ADDRESS = /^[^\s\p{C}<>()[\]\\,;:"@]+@[^\s\p{C}<>()[\]\\,;:"@]+$/u;

/** The message for invalid input. */
export const NOT_AN_EMAIL = 'Enter an email address, like name@example.com.';

/**
 * The address to store, or `null` if the input is not an email address. Only the domain is changed
 * to lower case: it is case-insensitive (RFC 5321, section 2.4).
 */
export function readEmailAddress(given: string): string | null {
  const address = given.normalize('NFC').trim();
  if (address.length > MAX_LENGTH || !ADDRESS.test(address)) return null;
  const at = address.indexOf('@');
  return address.slice(0, at) + address.slice(at).toLowerCase();
}

/** Addresses that differ only in case have the same key. */
export function emailKey(address: string): string {
  return address.normalize('NFC').toLowerCase();
}
