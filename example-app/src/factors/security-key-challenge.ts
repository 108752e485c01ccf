// The challenge that a security key has to answer: kept in the session, for one answer, for five
// minutes, for one account and one purpose. What it is answered with, nobody looks at here.
import type { Request } from 'express';

declare module 'express-session' {
  interface SessionData {
    keyChallenge?: Challenge & { readonly userId: string; readonly purpose: KeyPurpose };
  }
}

export type KeyPurpose = 'add a key' | 'show a key';

export interface Challenge {
  /** In base64url. */
  readonly value: string;
  /** When it was made, in milliseconds since 1970. */
  readonly at: number;
}

interface Asked {
  readonly userId: string;
  readonly purpose: KeyPurpose;
  readonly now: () => number;
}

const CHALLENGE_MS = 5 * 60_000;

/** In place of one that nobody answered: of two tabs the later one works. */
export function keepChallenge(
  req: Request,
  { value, userId, purpose, now }: Asked & { value: string },
): void {
  req.session.keyChallenge = { value, userId, purpose, at: now() };
}

/** @returns `null` where none was made for this, or not any more */
export function takeChallenge(req: Request, { userId, purpose, now }: Asked): Challenge | null {
  const kept = req.session.keyChallenge;
  delete req.session.keyChallenge;
  return kept !== undefined &&
    kept.userId === userId &&
    kept.purpose === purpose &&
    now() - kept.at < CHALLENGE_MS
    ? kept
    : null;
}
