// When and from where something was done, in words for its owner. Repeats nothing that a client
// made up: what a browser says it is goes into mail only as the name of a browser that we know.
import { isIP } from 'node:net';
import type { CleanContext } from 'passport-backup-code';

const TIME = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'long',
  timeStyle: 'short',
  timeZone: 'UTC',
});

/** In UTC, which is the one time zone known to the server. */
export function formatTime(at: number): string {
  return `${TIME.format(at)} UTC`;
}

/** `null` for what no request did. */
export function formatPlace({
  ip,
  userAgent,
}: Pick<CleanContext, 'ip' | 'userAgent'>): string | null {
  if (ip === null && userAgent === null) return null;
  return `${formatAddress(ip ?? '')}, ${nameBrowser(userAgent ?? '')}`;
}

function formatAddress(ip: string): string {
  // An IPv4 address, as a socket for both kinds has it.
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  return isIP(address) === 0 ? 'an unknown address' : address;
}

/** Each says that it is also the ones below it. */
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

/** Its name and its system's, without versions. */
export function nameBrowser(userAgent: string): string {
  const find = (names: typeof BROWSERS): string | undefined =>
    names.find(([sign]) => sign.test(userAgent))?.[1];
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  if (browser === undefined) return 'an unknown browser';
  return system === undefined ? browser : `${browser} on ${system}`;
}
