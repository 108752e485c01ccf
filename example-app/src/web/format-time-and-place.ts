// Formats the time and place of an action for the account's owner. Never repeats text that a client
// sent: the user agent becomes the name of a known browser.
import { isIP } from 'node:net';
import type { CleanContext } from 'passport-backup-code';

const TIME = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** In UTC, because the server does not know the user's time zone. */
export function formatTime(at: number): string {
  return `${TIME.format(at)} UTC`;
}

/** `null` if no request caused the event. */
export function formatPlace({
  ip,
  userAgent,
}: Pick<CleanContext, 'ip' | 'userAgent'>): string | null {
  if (ip === null && userAgent === null) return null;
  return `${formatAddress(ip ?? '')}, ${nameBrowser(userAgent ?? '')}`;
}

function formatAddress(ip: string): string {
  // A dual-stack socket reports an IPv4 address as an IPv6 one.
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? 'an unknown address' : address;
}

/** The order matters: each browser also claims to be those below it. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/Chrome\/|\bCriOS\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bWindows\b/, 'Windows'],
  [/\bMacintosh\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** The browser and its system, without versions. */
export function nameBrowser(userAgent: string): string {
  const find = (names: typeof BROWSERS): string | undefined =>
    names.find(([sign]) => sign.test(userAgent))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (browser === undefined) return 'an unknown browser';
  return system === undefined ? browser : `${browser} on ${system}`;
}
