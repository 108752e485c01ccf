// The second factors of an account: an authenticator app, security keys. Backup codes stand behind
// them, so they are none of them: there are codes as long as there is such a factor, and none
// without.
import type { BackupCodes, Context } from 'passport-backup-code';
import type { Tell } from '../data/database';
import type { Authenticators } from './authenticators';
import type { SecurityKey, SecurityKeys } from './security-keys';

export interface FactorsOfAccount {
  readonly hasTotp: boolean;
  readonly keys: readonly SecurityKey[];
  /** Whether there is any. */
  readonly hasAny: boolean;
}

export interface SecondFactorsParts {
  readonly authenticators: Authenticators;
  readonly securityKeys: SecurityKeys;
  readonly backupCodes: BackupCodes;
}

export class SecondFactors {
  private readonly parts: SecondFactorsParts;

  constructor(parts: SecondFactorsParts) {
    this.parts = parts;
  }

  async of(userId: string): Promise<FactorsOfAccount> {
    const { authenticators, securityKeys } = this.parts;
    const [hasTotp, keys] = await Promise.all([
      authenticators.has(userId),
      securityKeys.of(userId),
    ]);
    return { hasTotp, keys, hasAny: hasTotp || keys.length > 0 };
  }

  async has(userId: string): Promise<boolean> {
    return (await this.of(userId)).hasAny;
  }

  /** Whether there are codes to fall back on. Where there are none, new ones are due. */
  async haveCodes(userId: string): Promise<boolean> {
    const codes = await this.parts.backupCodes.status(userId);
    return codes !== null && codes.remaining > 0 && !codes.expired && !codes.locked.secondFactor;
  }

  /** @returns whether another factor is left; with the last one the codes end */
  turnOffTotp(
    userId: string,
    { tell, context }: { tell: Tell; context: Context },
  ): Promise<boolean> {
    return this.turnOff(userId, {
      othersIn: ({ keys }) => keys.length,
      remove: () => this.parts.authenticators.remove(userId, tell),
      context,
    });
  }

  /** @returns whether another factor is left; with the last one the codes end */
  removeKey(
    userId: string,
    { id, tell, context }: { id: string; tell: Tell; context: Context },
  ): Promise<boolean> {
    const othersIn = ({ hasTotp, keys }: FactorsOfAccount): number =>
      keys.filter((key) => key.id !== id).length + (hasTotp ? 1 : 0);
    return this.turnOff(userId, {
      othersIn,
      remove: () => this.parts.securityKeys.remove(userId, { id, tell }),
      context,
    });
  }

  /** For somebody who has lost them all. Codes first, here too. */
  async turnOffAll(userId: string, context: Context): Promise<void> {
    const { authenticators, securityKeys, backupCodes } = this.parts;
    await backupCodes.revoke(userId, context);
    // Whoever decided it sees to it that the owner is told.
    const tell: Tell = () => Promise.resolve();
    await authenticators.remove(userId, tell);
    for (const { id } of await securityKeys.of(userId))
      await securityKeys.remove(userId, { id, tell });
  }

  private async turnOff(
    userId: string,
    {
      othersIn,
      remove,
      context,
    }: {
      othersIn: (factors: FactorsOfAccount) => number;
      remove: () => Promise<void>;
      context: Context;
    },
  ): Promise<boolean> {
    const { backupCodes } = this.parts;
    // Codes first: a fault in between leaves somebody with a factor and no codes, never with codes
    // and no factor.
    if (othersIn(await this.of(userId)) === 0) await backupCodes.revoke(userId, context);
    await remove();
    const isAnyLeft = await this.has(userId);
    // Of two that are turned off at the same moment each saw the other.
    if (!isAnyLeft) await backupCodes.revoke(userId, context);
    return isAnyLeft;
  }
}
