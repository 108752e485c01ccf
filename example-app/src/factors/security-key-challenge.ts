// The challenge for a security key. It is stored in the session for five minutes, for one answer,
// one account and one purpose. Does not verify the answer.
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
  /** When the challenge was made, in milliseconds since 1970. */
  readonly at: number;
}

interface ChallengeOptions {
  readonly userId: string;
  readonly purpose: KeyPurpose;
  readonly now: () => number;
}

const CHALLENGE_MS = 5 * 60_000;

/** Replaces an unanswered challenge, so of two tabs only the later one works. */
export function keepChallenge(
  req: Request,
  { value, userId, purpose, now }: ChallengeOptions & { value: string },
): void {
  req.session.keyChallenge = { value, userId, purpose, at: now() };
}

/** @returns `null` if no such challenge was made, or it has expired */
export function takeChallenge(
  req: Request,
  { userId, purpose, now }: ChallengeOptions,
): Challenge | null {
  const kept = req.session.keyChallenge;
  delete req.session.keyChallenge;
  return kept !== undefined &&
    kept.userId === userId &&
    kept.purpose === purpose &&
    now() - kept.at < CHALLENGE_MS
    ? kept
    : null;
}
