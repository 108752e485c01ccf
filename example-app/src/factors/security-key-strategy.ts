// The Passport strategy for security keys, as a second factor for the user that `currentUser`
// returns. Only translates results into Passport's terms.
import type { Request } from 'express';
import { Strategy } from 'passport';
import type { Account } from '../login/users';
import { readTextField } from '../web/read-text-field';
import { takeChallenge } from './security-key-challenge';
import type { KeyVerdict, SecurityKeys } from './security-keys';

export interface SecurityKeyStrategyOptions {
  readonly securityKeys: SecurityKeys;
  readonly currentUser: (req: Request) => Promise<Account | null>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class SecurityKeyStrategy extends Strategy {
  override readonly name = 'security-key';
  private readonly options: SecurityKeyStrategyOptions;

  constructor(options: SecurityKeyStrategyOptions) {
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
    const { securityKeys, currentUser, now } = this.options;
    const user = await currentUser(req);
    if (user === null)
      return () =>
        this.fail({ code: 'login_required', message: 'Log in with your password first.' }, 401);
    // Taken before the answer is verified: a challenge is answered once, even if the answer is
    // invalid.
    const challenge = takeChallenge(req, { userId: user.id, purpose: 'show a key', now });
    const response = readTextField(req, 'response');
    const verdict: KeyVerdict =
      challenge === null
        ? { ok: false, reason: response === '' ? 'malformed' : 'invalid' }
        : await securityKeys.check(user.id, { response, challenge });
    return verdict.ok
      ? () => this.success(user, { method: 'webauthn', amr: [verdict.amr] })
      : () => this.refuse(verdict.reason);
  }

  private refuse(reason: Extract<KeyVerdict, { ok: false }>['reason']): void {
    switch (reason) {
      case 'malformed':
        this.fail(
          {
            code: 'malformed',
            message: 'Nothing came from your security key. It needs JavaScript.',
          },
          400,
        );
        break;
      case 'invalid':
        this.fail(
          {
            code: 'invalid_key',
            message: 'That did not work. Try again, with a key of this account.',
          },
          401,
        );
        break;
      case 'copied':
        this.fail(
          {
            code: 'copied_key',
            message:
              'This key counts its uses, and its count went back: it may have been copied. ' +
              'Log in another way, and remove it.',
          },
          401,
        );
    }
  }
}
