// The Passport strategy for codes of an authenticator app, as a second factor for the user that
// `currentUser` returns. Only translates results into Passport's terms.
import type { Request } from 'express';
import { Strategy } from 'passport';
import type { Account } from '../login/users';
import { readTextField } from '../web/read-text-field';
import type { Authenticators, TotpVerdict } from './authenticators';

export interface TotpStrategyOptions {
  readonly authenticators: Authenticators;
  readonly currentUser: (req: Request) => Promise<Account | null>;
}

type Refusal = Extract<TotpVerdict, { ok: false }>;

export class TotpStrategy extends Strategy {
  override readonly name = 'totp';
  private readonly options: TotpStrategyOptions;

  constructor(options: TotpStrategyOptions) {
    super();
    this.options = options;
  }

  /**
   * Passport ignores the returned promise, so a rejection must call `error`. Otherwise the request
   * hangs.
   */
  override authenticate(req: Request): void {
    this.decide(req).then(
      (act) => act(),
      (error: unknown) => this.error(error),
    );
  }

  private async decide(req: Request): Promise<() => void> {
    const user = await this.options.currentUser(req);
    if (user === null)
      return () =>
        this.fail({ code: 'login_required', message: 'Log in with your password first.' }, 401);
    const verdict = await this.options.authenticators.check(user.id, readTextField(req, 'code'));
    return verdict.ok
      ? () => this.success(user, { method: 'totp', amr: ['otp'] })
      : () => this.refuse(verdict);
  }

  private refuse(verdict: Refusal): void {
    switch (verdict.reason) {
      case 'malformed':
        this.fail(
          { code: 'malformed', message: 'Enter the 6 digits that your authenticator app shows.' },
          400,
        );
        break;
      case 'invalid':
      case 'not_enrolled':
        this.fail(
          {
            code: 'invalid_code',
            message: 'That code is not right. Enter the newest one; each works once.',
          },
          401,
        );
        break;
      case 'throttled':
        this.fail(
          {
            code: 'too_many_attempts',
            message: 'Too many wrong codes.',
            retryAfterSeconds: verdict.retryAfterSeconds,
          },
          429,
        );
        break;
      case 'locked':
        this.fail(
          {
            code: 'locked',
            message: 'Too many wrong codes. Use a backup code, then set up the app again.',
          },
          429,
        );
    }
  }
}
