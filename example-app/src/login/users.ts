// The accounts: who exists, and whose password it is. Knows nothing of sessions, authenticators or
// backup codes.
import { randomUUID } from 'node:crypto';
import bcrypt from 'bcrypt';
import { type Database, isDuplicate } from '../data/database';

/**
 * A person as the rest of the app sees them. Holds nothing secret, so it may stand on a request.
 */
export interface Account {
  readonly id: string;
  readonly username: string;
  /** The first of their addresses; `Emails` knows the others. */
  readonly email: string;
  readonly createdAt: number;
}

export interface NewAccount {
  readonly username: string;
  readonly email: string;
  readonly password: string;
}

/**
 * bcrypt reads 72 bytes and no more; what it would not read is refused, never cut off in silence.
 */
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

  /** `null`: the name is taken. */
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
      // Two who ask for one name at the same moment: the database decides, not a look beforehand.
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

  /** However the name is written. */
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

  /** In the order of their names, after the one given. */
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
   * The account if name and password belong together. An unknown name costs the same hash as a
   * wrong password.
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
 * Full width, upper case and blanks around it make no other person. PostgreSQL takes no NUL, which
 * no name has.
 */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').trim().toLowerCase().replaceAll('\0', '\uFFFD');
}

/** One password, however the keyboard composed its accents. */
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
