// Runs a strategy once and returns its result as a promise. Logs no user in.
import type { Request, Response } from 'express';
import type { Authenticator } from './passport';
import type { Account } from './users';

export type Verdict =
  | {
      readonly ok: true;
      readonly account: Account;
      readonly method: string;
      readonly amr: readonly string[];
    }
  | {
      readonly ok: false;
      readonly status: number;
      readonly code: string;
      readonly message: string;
      readonly retryAfterSeconds: number | undefined;
    };

export type StrategyName = 'local' | 'totp' | 'security-key' | 'backup-code';

/**
 * What a strategy reports in addition to the user: on success which factor it was, on failure the
 * reason and how long to wait.
 */
interface Info {
  readonly method?: string;
  readonly amr?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly retryAfterSeconds?: number;
}

export function authenticate(
  strategy: StrategyName,
  { passport, req, res }: { passport: Authenticator; req: Request; res: Response },
): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const answer = (error: unknown, user: unknown, info: unknown, status: unknown): void => {
      if (error !== null && error !== undefined) {
        reject(error instanceof Error ? error : new Error('a strategy failed', { cause: error }));
        return;
      }
      const {
        method = strategy,
        amr = [],
        code = 'invalid_credentials',
        message = 'That is not right.',
        retryAfterSeconds,
      } = (info ?? {}) as Info;
      if (user) resolve({ ok: true, account: user as Account, method, amr });
      else
        resolve({
          ok: false,
          status: typeof status === 'number' ? status : 401,
          code,
          message,
          retryAfterSeconds,
        });
    };
    // `session: false`: only completeLogin logs a user in, when every factor has been shown.
    const handler = passport.authenticate(strategy, { session: false }, answer) as (
      req: Request,
      res: Response,
      next: (error: unknown) => void,
    ) => void;
    handler(req, res, reject);
  });
}
