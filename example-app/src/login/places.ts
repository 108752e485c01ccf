// The places that each account has logged in from: a network and a kind of browser. A backup code
// from a new place is not accepted until the owner follows a mailed link. Stores only digests of
// addresses and links.
import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { Request } from 'express';
import type { CleanContext } from 'passport-backup-code';
import { type Database, isDuplicate } from '../data/database';
import { nameBrowser } from '../web/format-time-and-place';

export type Place = Pick<CleanContext, 'ip' | 'userAgent'>;

export function readPlace(req: Request): Place {
  return { ip: req.ip ?? null, userAgent: req.get('user-agent') ?? null };
}

/** How long a mailed link works. Until then no other link is sent. */
const LINK_MS = 15 * 60_000;

export class Places {
  private readonly db: Database;
  private readonly now: () => number;

  constructor({ db, now }: { db: Database; now: () => number }) {
    this.db = db;
    this.now = now;
  }

  async isKnown(userId: string, place: Place): Promise<boolean> {
    const row = await this.db
      .selectFrom('places')
      .select('user_id')
      .where('user_id', '=', userId)
      .where('place', '=', digestPlace(place))
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Call this after a complete login from the place, or when the owner confirmed it with a mailed
   * link.
   */
  learn(userId: string, place: Place): Promise<void> {
    return this.insert(userId, digestPlace(place));
  }

  /** The token for a link, or `null` if a link for this place was sent recently. */
  async newLink(userId: string, place: Place): Promise<string | null> {
    const now = this.now();
    const token = randomBytes(32).toString('base64url');
    await this.db.deleteFrom('place_links').where('expires_at', '<=', now).execute();
    const row = {
      user_id: userId,
      place: digestPlace(place),
      token_digest: digest(token),
      expires_at: now + LINK_MS,
    };
    try {
      await this.db.insertInto('place_links').values(row).execute();
      return token;
    } catch (error) {
      if (isDuplicate(error)) return null;
      throw error;
    }
  }

  /** Whether the link still works. Changes nothing, because mail scanners follow links too. */
  async isLink(token: string): Promise<boolean> {
    return (await this.findLink(token)) !== undefined;
  }

  /**
   * Marks the place as known.
   *
   * @returns whether the link worked; a link works once
   */
  async confirm(token: string): Promise<boolean> {
    const link = await this.findLink(token);
    if (link === undefined) return false;
    const { numDeletedRows } = await this.db
      .deleteFrom('place_links')
      .where('token_digest', '=', digest(token))
      .executeTakeFirstOrThrow();
    if (numDeletedRows !== 1n) return false;
    await this.insert(link.user_id, link.place);
    return true;
  }

  /** Removes a link that could not be sent. */
  async forget(token: string): Promise<void> {
    await this.db.deleteFrom('place_links').where('token_digest', '=', digest(token)).execute();
  }

  private findLink(token: string): Promise<{ user_id: string; place: string } | undefined> {
    return this.db
      .selectFrom('place_links')
      .select(['user_id', 'place'])
      .where('token_digest', '=', digest(token))
      .where('expires_at', '>', this.now())
      .executeTakeFirst();
  }

  private async insert(userId: string, place: string): Promise<void> {
    try {
      await this.db
        .insertInto('places')
        .values({ user_id: userId, place, known_since: this.now() })
        .execute();
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
  }
}

/**
 * Uses the network instead of the address, and the name of the browser without its version. So a
 * new DHCP lease or a browser update does not make a new place.
 */
function digestPlace({ ip, userAgent }: Place): string {
  return digest(`${networkOf(ip ?? '')}\n${nameBrowser((userAgent ?? '').slice(0, 256))}`);
}

/** The first three numbers of an IPv4 address, or the first three groups of an IPv6 address. */
function networkOf(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(address) === 4) return address.split('.').slice(0, 3).join('.');
  if (isIP(address) !== 6) return '';
  // A URL contains the canonical short form, in which "::" replaces the groups that are zero.
  const [head = [], tail = []] = new URL(`http://[${address.replace(/%.*/, '')}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''));
  return [...head, ...new Array<string>(8 - head.length - tail.length).fill('0'), ...tail]
    .slice(0, 3)
    .join(':');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
