// The module `./yours.js` that the pages import: users, codes and secrets of an app, in memory. A
// test can delay or break its fast hash.
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { BackupCodes, MemoryStore, type Hasher } from 'passport-backup-code';

export interface User {
  readonly id: string;
  readonly name: string;
}

export const secret = 'a secret of thirty-two characters, or more';
export const PASSWORD = 'correct horse';

const byId = new Map<string, User>();
export const users = {
  byId: async (id: string): Promise<User | null> => byId.get(id) ?? null,
  checkPassword: async (name: unknown, password: unknown): Promise<User | null> => {
    const user = [...byId.values()].find((candidate) => candidate.name === name);
    return user !== undefined && password === PASSWORD ? user : null;
  },
};

/** A session store for koa-session. */
const kept = new Map<string, object>();
export const sessions = {
  get: async (key: string): Promise<object | undefined> => kept.get(key),
  set: async (key: string, session: object): Promise<void> =>
    void kept.set(key, structuredClone(session)),
  destroy: async (key: string): Promise<void> => void kept.delete(key),
};

let isBroken = false;
let wait: Promise<void> | null = null;
let letGo: () => void = () => undefined;
let held: () => void = () => undefined;

const hasher: Hasher = {
  newSalt: () => `$quick$${randomBytes(16).toString('hex')}`,
  reads: (salt) => salt.startsWith('$quick$'),
  hash: async (code, salt) => {
    if (isBroken) throw new Error('the hash is broken');
    const mine = wait;
    wait = null;
    if (mine !== null) held();
    await mine;
    return createHash('sha256').update(`${salt}\0${code}`).digest();
  },
};

const store = new MemoryStore();
export const backupCodes = new BackupCodes({ store, hasher, count: 3, attempts: { free: 3 } });

/** The commands that a test can send to this process through `start.ts`. */
export const commands = {
  /** Makes a user with codes. */
  enrol: async (name: string): Promise<{ id: string; codes: string[] }> => {
    const id = randomUUID();
    byId.set(id, { id, name });
    const { codes } = await backupCodes.issue(id);
    return { id, codes };
  },
  remaining: async (id: string): Promise<number | undefined> =>
    (await backupCodes.status(id))?.remaining,
  events: async (userId: string): Promise<string[]> =>
    (await backupCodes.audit.events({ userId })).events.map(({ type }) => type),
  break: (): void => void (isBroken = true),
  mend: (): void => void (isBroken = false),
  /** Makes the next hash wait until `letGo`. */
  hold: (): void => void (wait = new Promise((resolve) => (letGo = resolve))),
  /** Resolves when a hash waits. Send it before the request. */
  untilHeld: (): Promise<void> => new Promise((resolve) => (held = resolve)),
  letGo: (): void => letGo(),
};
