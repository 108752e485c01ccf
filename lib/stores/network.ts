// The network that an address belongs to. Attempts on the recovery channel are counted for each.
import { isIP } from 'node:net';
import * as ipaddr from 'ipaddr.js';

/** The part of an address that its user cannot choose, in bytes: a /24 of IPv4, a /56 of IPv6. */
const NETWORK_BYTES = { ipv4: 3, ipv6: 7 } as const;

/**
 * The network of an address, such as `203.0.113.0/24` or `2001:db8:0:1200::/56`. An IPv4 address in
 * IPv6 notation is an IPv4 address. RFC 4291, section 2.5.5.2; RFC 6177 on the /56.
 *
 * @param ip the address of the client. Everything that is not an address is one network, which is
 *   written as an empty string
 */
export function networkOf(ip: string | null): string {
  if (ip === null || isIP(ip) === 0) return '';
  const address = ipaddr.process(isIP(ip) === 6 ? inPlainGroups(ip) : ip);
  const kept = NETWORK_BYTES[address.kind()];
  const bytes = address.toByteArray().map((byte, n) => (n < kept ? byte : 0));
  const network = ipaddr.fromByteArray(bytes).toString();
  return `${isIP(network) === 6 ? inPlainGroups(network) : network}/${kept * 8}`;
}

/**
 * In the one spelling of WHATWG URL: without a zone, and with an embedded IPv4 address as two
 * groups. ipaddr.js does not read every address that Node knows.
 */
function inPlainGroups(ip: string): string {
  return new URL(`http://[${ip.replace(/%.*$/, '')}]`).hostname.slice(1, -1);
}
