// Two-person actions: reading the vault, and turning off the second factors of a user who has lost
// them all.
import type { BackupCodes } from 'passport-backup-code';
import { type ApprovalStore, TwoPersonApproval } from 'passport-backup-code/approval';
import { type Database, isDuplicate } from '../data/database';
import type { SecondFactors } from '../factors/second-factors';
import { type Users, usernameKey } from '../login/users';
import type { Emails } from '../notices/account-emails';
import { emailKey } from '../notices/email-address';

/** The labels of the actions, as the pages show them. */
export const ACTIONS = {
  'open-vault': { label: 'Read what is in the vault', isAboutAccount: false },
  'reset-factors': { label: 'Turn off the second factors of an account', isAboutAccount: true },
} as const;

export type ActionName = keyof typeof ACTIONS;
/** The target of an action that is not about an account. */
export const VAULT = 'vault';

export interface VaultOptions {
  readonly db: Database;
  readonly approvals: ApprovalStore;
  readonly backupCodes: BackupCodes;
  readonly users: Users;
  readonly emails: Emails;
  readonly secondFactors: SecondFactors;
  readonly admins: readonly string[];
  readonly now: () => number;
}

export class Vault {
  /** The only way to run the actions. */
  readonly approval: TwoPersonApproval;
  private readonly options: VaultOptions;

  constructor(options: VaultOptions) {
    const { approvals: store, backupCodes, users, emails, secondFactors, admins, now } = options;
    this.options = options;
    this.approval = new TwoPersonApproval({
      store,
      backupCodes,
      now,
      isEntitled: async (userId) => {
        const account = await users.findById(userId);
        return (
          account !== null &&
          admins.includes(usernameKey(account.username)) &&
          (await secondFactors.has(userId))
        );
      },
      // Two accounts with the same first address are one person.
      personOf: async (userId) => {
        const [email] = await emails.list(userId);
        return email === undefined ? userId : emailKey(email);
      },
      actions: {
        'open-vault': async (approved) => {
          this.approval.assertApproved(approved, 'open-vault');
          return this.read();
        },
        'reset-factors': async (approved) => {
          this.approval.assertApproved(approved, 'reset-factors');
          await secondFactors.turnOffAll(approved.target, { actor: 'as decided by two' });
          return null;
        },
      },
    });
  }

  /** Replaces the content of the vault. Any administrator may do this alone. */
  async put(text: string): Promise<void> {
    const { db, now } = this.options;
    const row = { name: VAULT, text, put_at: now() };
    try {
      await db.insertInto('vault').values(row).execute();
    } catch (error) {
      if (!isDuplicate(error)) throw error;
      await db.updateTable('vault').set(row).where('name', '=', VAULT).execute();
    }
  }

  /** Milliseconds since 1970, or `null` if the vault is empty. */
  async filledAt(): Promise<number | null> {
    const row = await this.options.db
      .selectFrom('vault')
      .select('put_at')
      .where('name', '=', VAULT)
      .executeTakeFirst();
    return row === undefined ? null : Number(row.put_at);
  }

  private async read(): Promise<string> {
    const row = await this.options.db
      .selectFrom('vault')
      .select('text')
      .where('name', '=', VAULT)
      .executeTakeFirst();
    return row?.text ?? '';
  }
}
