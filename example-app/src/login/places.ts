// From where each account has logged in before: a network and a kind of browser. Somewhere new a
// backup code is not taken until a link that was mailed to the owner says so. Keeps neither
// addresses nor links, only digests of them.
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

/** How long a mailed link works, and how long until another one is sent. */
const LINK_MS = 15 * 60_000;

export class Places {
  private readonly db: Database;
  private readonly now: () => number;

  constructor({ db, now }: { db: Database; now: () => number }) {
    this.db = db;
    this.now = now;
  }

  async isKnown(userId: string, where: Place): Promise<boolean> {
    const row = await this.db
      .selectFrom('places')
      .select('user_id')
      .where('user_id', '=', userId)
      .where('place', '=', digestPlace(where))
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Somebody logged in from there with all their factors, or said by a mailed link that it is them.
   */
  learn(userId: string, where: Place): Promise<void> {
    return this.insert(userId, digestPlace(where));
  }

  /** What a link carries; `null` where one was sent for this place lately. */
  async newLink(userId: string, where: Place): Promise<string | null> {
    const [now, place, token] = [
      this.now(),
      digestPlace(where),
      randomBytes(32).toString('base64url'),
    ];
    await this.db.deleteFrom('place_links').where('expires_at', '<=', now).execute();
    const row = { user_id: userId, place, token_digest: digest(token), expires_at: now + LINK_MS };
    try {
      await this.db.insertInto('place_links').values(row).execute();
      return token;
    } catch (error) {
      if (isDuplicate(error)) return null;
      throw error;
    }
  }

  /** Whether the link is one that still works. Changes nothing: mail scanners follow links too. */
  async isLink(token: string): Promise<boolean> {
    return (await this.linked(token)) !== undefined;
  }

  /** Makes the place known. @returns whether the link still worked; it does so once */
  async confirm(token: string): Promise<boolean> {
    const link = await this.linked(token);
    if (link === undefined) return false;
    const { numDeletedRows } = await this.db
      .deleteFrom('place_links')
      .where('token_digest', '=', digest(token))
      .executeTakeFirstOrThrow();
    if (numDeletedRows !== 1n) return false;
    await this.insert(link.user_id, link.place);
    return true;
  }

  /** A link that could not be sent. */
  async forget(token: string): Promise<void> {
    await this.db.deleteFrom('place_links').where('token_digest', '=', digest(token)).execute();
  }

  private linked(token: string): Promise<{ user_id: string; place: string } | undefined> {
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
 * The network and not the address, the browser's name and not its version: neither a new lease nor
 * an update is somewhere new.
 */
function digestPlace({ ip, userAgent }: Place): string {
  return digest(`${networkOf(ip ?? '')}\n${nameBrowser((userAgent ?? '').slice(0, 256))}`);
}

/** The first three numbers of an IPv4 address, the first three groups of an IPv6 one. */
function networkOf(ip: string): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(address) === 4) return address.split('.').slice(0, 3).join('.');
  if (isIP(address) !== 6) return '';
  // A URL has the one short form, in which "::" stands for all the groups that are missing.
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
