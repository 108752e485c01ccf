// The second factors of an account: an authenticator app, security keys. Backup codes stand behind
// them, so they are none of them: there are codes as long as there is such a factor, and none
// without.
import type { BackupCodes, Context } from 'passport-backup-code';
import type { QueueNotice } from '../data/database';
import type { Authenticators } from './authenticators';
import type { SecurityKey, SecurityKeys } from './security-keys';

export interface AccountFactors {
  readonly hasTotp: boolean;
  readonly keys: readonly SecurityKey[];
  /** Whether there is any. */
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

  /** Whether there are codes to fall back on. Where there are none, new ones are due. */
  async hasWorkingCodes(userId: string): Promise<boolean> {
    const codes = await this.options.backupCodes.status(userId);
    return codes !== null && codes.remaining > 0 && !codes.expired && !codes.locked.secondFactor;
  }

  /** @returns whether another factor is left; with the last one the codes end */
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

  /** @returns whether another factor is left; with the last one the codes end */
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

  /** For somebody who has lost them all. Codes first, here too. */
  async turnOffAll(userId: string, context: Context): Promise<void> {
    const { authenticators, securityKeys, backupCodes } = this.options;
    await backupCodes.revoke(userId, context);
    // Whoever decided it sees to it that the owner is told.
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
    // Codes first: a fault in between leaves somebody with a factor and no codes, never with codes
    // and no factor.
    if (countOthers(await this.list(userId)) === 0) await backupCodes.revoke(userId, context);
    await remove();
    const isAnyLeft = await this.has(userId);
    // Of two that are turned off at the same moment each saw the other.
    if (!isAnyLeft) await backupCodes.revoke(userId, context);
    return isAnyLeft;
  }
}
