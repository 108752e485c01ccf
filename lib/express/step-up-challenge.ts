// The answer to a client that must show more factors, or newer ones: RFC 9470, section 3.
import type { Response } from 'express';
import type { FactorKind } from './factors';

/** What a guard asks for, and what it found. */
export interface StepUpChallenge {
  /** How many kinds of factor are required. */
  readonly requiredKinds: number;
  /** How old each factor may be; `Infinity` if age does not matter. */
  readonly maxAgeSeconds: number;
  /** The kinds that are recent enough. */
  readonly freshKinds: readonly FactorKind[];
  /** Whether enough kinds were shown, but too long ago. */
  readonly isStale: boolean;
}

const ERROR = 'insufficient_user_authentication';

/** Answers with 401: the challenge in `WWW-Authenticate`, and the same as JSON. */
export function sendStepUpChallenge(res: Response, challenge: StepUpChallenge): void {
  const message = challenge.isStale
    ? 'More recent authentication is required'
    : 'A different authentication level is required';
  const acrValues = `aal${challenge.requiredKinds}`;
  const maxAge = challenge.maxAgeSeconds === Infinity ? undefined : challenge.maxAgeSeconds;
  const age = maxAge === undefined ? '' : `, max_age="${maxAge}"`;
  res.set(
    'WWW-Authenticate',
    `Bearer error="${ERROR}", error_description="${message}", acr_values="${acrValues}"${age}`,
  );
  res.status(401).json({
    code: ERROR,
    message,
    acr_values: acrValues,
    max_age: maxAge,
    factors: challenge.requiredKinds,
    fresh: challenge.freshKinds,
  });
}
