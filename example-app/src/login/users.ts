// The accounts and their passwords. Contains no sessions, authenticators or backup codes.
import { randomUUID } from 'node:crypto';
import bcrypt from 'bcrypt';
import { type Database, isDuplicate } from '../data/database';

/** An account as the rest of the app sees it. Contains no secret, so it is safe on a request. */
export interface Account {
  readonly id: string;
  readonly username: string;
  /** The first address; `Emails` has the others. */
  readonly email: string;
  readonly createdAt: number;
}

export interface NewAccount {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/** bcrypt reads only 72 bytes. Longer passwords are refused instead of truncated. */
export const MAX_PASSWORD_BYTES = 72;

export class Users {
  private readonly db: Database;
  private readonly passwordCost: number;
  private readonly now: () => number;
  private readonly dummyHash: Promise<string>;

  constructor({
    db,
    passwordCost,
    now,
  }: {
    db: Database;
    passwordCost: number;
    now: () => number;
  }) {
    this.db = db;
    this.passwordCost = passwordCost;
    this.now = now;
    this.dummyHash = bcrypt.hash(randomUUID(), passwordCost);
  }

  /** `null` if the name is taken. */
  async create({ username, email, password }: NewAccount): Promise<Account | null> {
    const account = {
      id: randomUUID(),
      username: username.normalize('NFKC').trim(),
      email,
      createdAt: this.now(),
    };
    const row = {
      id: account.id,
      username: account.username,
      username_key: usernameKey(username),
      email: account.email,
      password_hash: await bcrypt.hash(passwordBytes(password), this.passwordCost),
      created_at: account.createdAt,
    };
    try {
      await this.db.insertInto('users').values(row).execute();
      return account;
    } catch (error) {
      // If two users request one name at the same moment, the unique key decides. A check before
      // the insert could not.
      if (isDuplicate(error)) return null;
      throw error;
    }
  }

  async findById(id: string): Promise<Account | null> {
    const row = await this.db
      .selectFrom('users')
      .select(COLUMNS)
      .where('id', '=', id)
      .executeTakeFirst();
    return row === undefined ? null : toAccount(row);
  }

  /** Compares normalized names. */
  async findByName(username: string): Promise<Account | null> {
    const row = await this.db
      .selectFrom('users')
      .select(COLUMNS)
      .where('username_key', '=', usernameKey(username))
      .executeTakeFirst();
    return row === undefined ? null : toAccount(row);
  }

  async count(): Promise<number> {
    const { accounts } = await this.db
      .selectFrom('users')
      .select(({ fn }) => fn.countAll().as('accounts'))
      .executeTakeFirstOrThrow();
    return Number(accounts);
  }

  /** Sorted by name, starting after the given name. */
  async page({ after, limit }: { after: string | null; limit: number }): Promise<Account[]> {
    const rows = await this.db
      .selectFrom('users')
      .select(COLUMNS)
      .where('username_key', '>', usernameKey(after ?? ''))
      .orderBy('username_key')
      .limit(limit)
      .execute();
    return rows.map(toAccount);
  }

  /**
   * The account if the password is valid. An unknown name costs the same hash as an invalid
   * password.
   */
  async findByPassword(username: string, password: string): Promise<Account | null> {
    const row = await this.db
      .selectFrom('users')
      .select([...COLUMNS, 'password_hash'])
      .where('username_key', '=', usernameKey(username))
      .executeTakeFirst();
    const bytes = passwordBytes(password);
    const isMatch = await bcrypt.compare(bytes, row?.password_hash ?? (await this.dummyHash));
    return row !== undefined && isMatch && bytes.length <= MAX_PASSWORD_BYTES
      ? toAccount(row)
      : null;
  }
}

/**
 * Names that differ in width, case or surrounding spaces are the same name. PostgreSQL stores no
 * NUL character, and no valid name contains one.
 */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase().replaceAll('\0', '\uFFFD');
}

/** Normalized, so that a password is the same on keyboards that compose accents differently. */
export function passwordBytes(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC'), 'utf8');
}

const COLUMNS = ['id', 'username', 'email', 'created_at'] as const;

function toAccount({
  id,
  username,
  email,
  created_at,
}: {
  id: string;
  username: string;
  email: string;
  created_at: number | string;
}): Account {
  return { id, username, email, createdAt: Number(created_at) };
}
