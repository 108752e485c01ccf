// Authenticator apps (TOTP, RFC 6238): stores their secrets and checks codes. Each code is accepted
// once, and guesses are limited.
import { generateSecret, generateURI, verify } from 'otplib';
import { type RawBuilder, sql } from 'kysely';
import { type Database, isDuplicate, type QueueNotice } from '../data/database';

export type TotpVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'malformed' | 'invalid' | 'not_enrolled' | 'locked' }
  | { readonly ok: false; readonly reason: 'throttled'; readonly retryAfterSeconds: number };

/**
 * A code is valid in its own 30-second step and one step on either side: clocks differ, and people
 * type slowly.
 */
const TOLERANCE_SECONDS = 30;
const FREE_ATTEMPTS = 5;
const FIRST_DELAY_MS = 30_000;
const MAX_DELAY_MS = 3_600_000;
/**
 * NIST SP 800-63B-4, section 3.2.2: at most 100 failures in a row. After that a user needs a backup
 * code to log in.
 */
const MAX_ATTEMPTS = 100;
const MAX_TYPED_LENGTH = 32;

export class Authenticators {
  private readonly db: Database;
  private readonly now: () => number;

  constructor({ db, now }: { db: Database; now: () => number }) {
    this.db = db;
    this.now = now;
  }

  async has(userId: string): Promise<boolean> {
    const row = await this.db
      .selectFrom('authenticators')
      .select('user_id')
      .where('user_id', '=', userId)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Activates a new secret if the code was made with it, and replaces an older secret. A secret is
   * accepted once: if two calls run at the same moment, one wins.
   */
  async enroll(
    userId: string,
    { secret, code, queueNotice }: { secret: string; code: string; queueNotice: QueueNotice },
  ): Promise<boolean> {
    const typed = readTotpCode(code);
    const step =
      typed === null ? null : await this.findMatchingStep({ secret, code: typed, lastStep: null });
    if (step === null) return false;
    const fresh = { secret, last_step: step, attempts: 0, next_attempt_at: 0 };
    try {
      await this.db.transaction().execute(async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('authenticators')
          .set(fresh)
          .where('user_id', '=', userId)
          .where('secret', '!=', secret)
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 0n)
          await db
            .insertInto('authenticators')
            .values({ user_id: userId, ...fresh })
            .execute();
        await queueNotice(db);
      });
      return true;
    } catch (error) {
      if (isDuplicate(error)) return false;
      throw error;
    }
  }

  async remove(userId: string, queueNotice: QueueNotice): Promise<void> {
    await this.db.transaction().execute(async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom('authenticators')
        .where('user_id', '=', userId)
        .executeTakeFirstOrThrow();
      if (numDeletedRows === 1n) await queueNotice(db);
    });
  }

  /** Takes an attempt before it checks the code, so parallel guesses cannot exceed the limit. */
  async check(userId: string, code: string): Promise<TotpVerdict> {
    const typed = readTotpCode(code);
    if (typed === null) return { ok: false, reason: 'malformed' };
    const taken = await this.takeAttempt(userId);
    if (taken === undefined) return this.findRefusal(userId);
    const step = await this.findMatchingStep({
      secret: taken.secret,
      code: typed,
      lastStep: taken.last_step,
    });
    const isFirst = step !== null && (await this.markUsed({ userId, secret: taken.secret, step }));
    return isFirst ? { ok: true } : { ok: false, reason: 'invalid' };
  }

  /** The conditional write decides. `markUsed` checks again what is read here. */
  private async takeAttempt(
    userId: string,
  ): Promise<{ secret: string; last_step: number } | undefined> {
    const now = this.now();
    const { numUpdatedRows } = await this.db
      .updateTable('authenticators')
      // The order matters: MySQL evaluates each assignment with the values that the previous ones
      // set.
      .set({ next_attempt_at: computeNextAttemptAt(now), attempts: sql<number>`attempts + 1` })
      .where('user_id', '=', userId)
      .where('next_attempt_at', '<=', now)
      .where('attempts', '<', MAX_ATTEMPTS)
      .executeTakeFirstOrThrow();
    if (numUpdatedRows !== 1n) return undefined;
    return this.db
      .selectFrom('authenticators')
      .select(['secret', 'last_step'])
      .where('user_id', '=', userId)
      .executeTakeFirst();
  }

  private async findRefusal(userId: string): Promise<TotpVerdict> {
    const row = await this.db
      .selectFrom('authenticators')
      .select(['attempts', 'next_attempt_at'])
      .where('user_id', '=', userId)
      .executeTakeFirst();
    if (row === undefined) return { ok: false, reason: 'not_enrolled' };
    if (row.attempts >= MAX_ATTEMPTS) return { ok: false, reason: 'locked' };
    return {
      ok: false,
      reason: 'throttled',
      retryAfterSeconds: Math.max(1, Math.ceil((Number(row.next_attempt_at) - this.now()) / 1000)),
    };
  }

  /** The time step of the code, if it is later than the last used step. */
  private async findMatchingStep({
    secret,
    code,
    lastStep,
  }: {
    secret: string;
    code: string;
    lastStep: number | null;
  }): Promise<number | null> {
    const result = await verify({
      secret,
      token: code,
      epoch: Math.floor(this.now() / 1000),
      epochTolerance: TOLERANCE_SECONDS,
      ...(lastStep === null ? {} : { afterTimeStep: lastStep }),
    });
    return result.valid && 'timeStep' in result ? result.timeStep : null;
  }

  /**
   * Marks a step as used. Only one caller succeeds, so a code that is sent twice at once passes
   * once.
   */
  private async markUsed({
    userId,
    secret,
    step,
  }: {
    userId: string;
    secret: string;
    step: number;
  }): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('authenticators')
      .set({ last_step: step, attempts: 0, next_attempt_at: 0 })
      .where('user_id', '=', userId)
      .where('secret', '=', secret)
      .where('last_step', '<', step)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }
}

/**
 * Uses `attempts` before the update. The first few attempts have no delay; after that the delay
 * doubles each time.
 */
function computeNextAttemptAt(now: number): RawBuilder<number> {
  const delays = Array.from(
    { length: Math.ceil(Math.log2(MAX_DELAY_MS / FIRST_DELAY_MS)) },
    (_, doublings) => FIRST_DELAY_MS * 2 ** doublings,
  );
  const cases = delays.map(
    (delay, index) =>
      sql`when attempts = ${sql.lit(FREE_ATTEMPTS - 1 + index)} then ${sql.lit(now + delay)}`,
  );
  return sql<number>`
    case
      when attempts < ${sql.lit(FREE_ATTEMPTS - 1)} then 0
      ${sql.join(cases, sql` `)}
      else ${sql.lit(now + MAX_DELAY_MS)}
    end`;
}

/**
 * The six digits of the code. Apps show them as `123 456`. otplib throws on other input, so such
 * input never reaches it.
 */
function readTotpCode(given: string): string | null {
  if (given.length > MAX_TYPED_LENGTH) return null;
  const digits = given.normalize('NFKC').replace(/\s/g, '');
  return /^\d{6}$/.test(digits) ? digits : null;
}

/** 160 random bits in base 32. */
export function createTotpSecret(): string {
  return generateSecret();
}

/** The content of the QR code. */
export function createTotpUri(
  secret: string,
  { issuer, username }: { issuer: string; username: string },
): string {
  return generateURI({ issuer, label: username, secret });
}
