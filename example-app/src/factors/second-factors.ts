// The second factors of an account: an authenticator app and security keys. Backup codes do not
// count as a second factor, because they replace one. An account has codes only as long as it has a
// second factor.
import type { BackupCodes, Context } from 'passport-backup-code';
import type { QueueNotice } from '../data/database';
import type { Authenticators } from './authenticators';
import type { SecurityKey, SecurityKeys } from './security-keys';

export interface AccountFactors {
  readonly hasTotp: boolean;
  readonly keys: readonly SecurityKey[];
  /** Whether the account has any second factor. */
  readonly hasAny: boolean;
}

export interface SecondFactorsOptions {
  readonly authenticators: Authenticators;
  readonly securityKeys: SecurityKeys;
  readonly backupCodes: BackupCodes;
}

export class SecondFactors {
  private readonly options: SecondFactorsOptions;

  constructor(options: SecondFactorsOptions) {
    this.options = options;
  }

  async list(userId: string): Promise<AccountFactors> {
    const { authenticators, securityKeys } = this.options;
    const [hasTotp, keys] = await Promise.all([
      authenticators.has(userId),
      securityKeys.list(userId),
    ]);
    return { hasTotp, keys, hasAny: hasTotp || keys.length > 0 };
  }

  async has(userId: string): Promise<boolean> {
    return (await this.list(userId)).hasAny;
  }

  /** Whether the user has backup codes that work. If not, new ones are needed. */
  async hasWorkingCodes(userId: string): Promise<boolean> {
    const codes = await this.options.backupCodes.status(userId);
    return codes !== null && codes.remaining > 0 && !codes.expired && !codes.locked.secondFactor;
  }

  /** @returns whether another factor is left; if not, the backup codes are revoked */
  turnOffTotp(
    userId: string,
    { queueNotice, context }: { queueNotice: QueueNotice; context: Context },
  ): Promise<boolean> {
    return this.turnOff(userId, {
      countOthers: ({ keys }) => keys.length,
      remove: () => this.options.authenticators.remove(userId, queueNotice),
      context,
    });
  }

  /** @returns whether another factor is left; if not, the backup codes are revoked */
  removeKey(
    userId: string,
    { id, queueNotice, context }: { id: string; queueNotice: QueueNotice; context: Context },
  ): Promise<boolean> {
    const countOthers = ({ hasTotp, keys }: AccountFactors): number =>
      keys.filter((key) => key.id !== id).length + (hasTotp ? 1 : 0);
    return this.turnOff(userId, {
      countOthers,
      remove: () => this.options.securityKeys.remove(userId, { id, queueNotice }),
      context,
    });
  }

  /** For a user who has lost all factors. Revokes the codes first, like `turnOff`. */
  async turnOffAll(userId: string, context: Context): Promise<void> {
    const { authenticators, securityKeys, backupCodes } = this.options;
    await backupCodes.revoke(userId, context);
    // The two-person approval notifies the owner.
    const queueNotice: QueueNotice = () => Promise.resolve();
    await authenticators.remove(userId, queueNotice);
    for (const { id } of await securityKeys.list(userId))
      await securityKeys.remove(userId, { id, queueNotice });
  }

  private async turnOff(
    userId: string,
    {
      countOthers,
      remove,
      context,
    }: {
      countOthers: (factors: AccountFactors) => number;
      remove: () => Promise<void>;
      context: Context;
    },
  ): Promise<boolean> {
    const { backupCodes } = this.options;
    // Codes are revoked first. A fault in between leaves a factor without codes, never codes
    // without a factor.
    if (countOthers(await this.list(userId)) === 0) await backupCodes.revoke(userId, context);
    await remove();
    const isAnyLeft = await this.has(userId);
    // If two factors are turned off at the same moment, each call saw the other factor.
    if (!isAnyLeft) await backupCodes.revoke(userId, context);
    return isAnyLeft;
  }
}
