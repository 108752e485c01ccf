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
  /** Whether a browser asks for a page, so that a person reads the answer. */
  readonly isPage: boolean;
}

const ERROR = 'insufficient_user_authentication';

/**
 * It has no link: the app gave no page to go to. Without styles, so that every policy allows it.
 */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Please sign in</title>
<h1>Please sign in</h1>
<p>This page needs a recent sign-in with enough factors. Sign in again, then come back.</p>
</html>
`;

/** Answers with 401: the challenge in `WWW-Authenticate`, and the same as JSON or as a page. */
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
  res.status(401);
  if (challenge.isPage) {
    res.type('html').send(PAGE);
    return;
  }
  res.json({
    code: ERROR,
    message,
    acr_values: acrValues,
    max_age: maxAge,
    factors: challenge.requiredKinds,
    fresh: challenge.freshKinds,
  });
}
