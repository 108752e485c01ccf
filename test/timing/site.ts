// A recovery login in a process of its own, with users and codes of every class. attacker.ts starts
// it.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import bcrypt from 'bcrypt';
import express, { type RequestHandler } from 'express';
import { Authenticator } from 'passport';
import {
  BackupCodes,
  bcryptHasher,
  BackupCodeStrategy,
  formats,
  type BackupCodesOptions,
} from '../../lib';
import { findMatch, recordCode } from '../../lib/codes/digests';
import { countingHasher } from '../helpers/counting-hasher';
import { memory, sqlite } from '../helpers/stores';
import {
  classes,
  randomName,
  type ClassName,
  type Credentials,
  type RequestClass,
} from './classes';

export interface SiteOptions {
  readonly store: 'memory' | 'sqlite';
  /** `none` replaces the slow hash by a fast one, so that differences in the other work show. */
  readonly slowHash: 'bcrypt' | 'none';
  readonly leak?: LeakName;
  /** The number of users of each class. */
  readonly users: Partial<Record<ClassName, number>>;
}

export interface OpenedSite {
  readonly port: number;
  readonly credentials: Partial<Record<ClassName, readonly Credentials[]>>;
}

/** The lowest cost that the package accepts. A fast slow hash hides the least. */
const COST = 10;
const DAY_MS = 86_400_000;

const userNames = new Set<string>();
const tenRecords = Array.from({ length: 10 }, () => recordCode(Buffer.alloc(32)));

/** Mistakes of naive apps. Each runs before the strategy, which has none of them. */
const leaks = {
  'no hash for unknown users': (req, res, next) => {
    if (isUser(req.body)) next();
    else refuse(res);
  },
  'half a hash for unknown users': (req, res, next) => {
    if (isUser(req.body)) next();
    else void bcrypt.hash('code', bcrypt.genSaltSync(COST - 1)).then(() => refuse(res));
  },
  'ten milliseconds more for users': (req, _res, next) => {
    setTimeout(next, isUser(req.body) ? 10 : 0);
  },
  'ten digests more for users': (req, _res, next) => {
    if (isUser(req.body)) findMatch(Buffer.alloc(32, 1), tenRecords);
    next();
  },
} satisfies Record<string, RequestHandler>;

export type LeakName = keyof typeof leaks;

async function openSite({ store, slowHash, leak, users }: SiteOptions): Promise<OpenedSite> {
  const opened = await (store === 'sqlite' ? sqlite : memory).open();
  const options: BackupCodesOptions = {
    store: opened.store,
    hasher: slowHash === 'bcrypt' ? bcryptHasher({ cost: COST }) : countingHasher(),
    format: formats.recovery,
    // All attempts that one name permits, without a delay between them.
    attempts: { free: 50 },
    maxQueuedHashes: 100_000,
  };
  const backupCodes = new BackupCodes(options);
  const pastBackupCodes = new BackupCodes({ ...options, now: () => Date.now() - 400 * DAY_MS });
  const addUser = (): string => {
    const name = randomName();
    userNames.add(name);
    return name;
  };
  const credentials: Record<string, Credentials[]> = {};
  for (const [name, count] of Object.entries(users)) {
    const { prepare }: RequestClass = classes[name as ClassName];
    credentials[name] = await Promise.all(
      Array.from({ length: count }, () => prepare({ backupCodes, pastBackupCodes, addUser })),
    );
  }
  const port = await listen(backupCodes, leak);
  return { port, credentials };
}

/** @returns the port */
async function listen(backupCodes: BackupCodes, leak: LeakName | undefined): Promise<number> {
  const passport = new Authenticator();
  passport.use(
    new BackupCodeStrategy<{ id: string }>({
      backupCodes,
      findUser: (username) => (userNames.has(username) ? { id: username } : null),
    }),
  );
  const app = express();
  app.use(express.json());
  if (leak !== undefined) app.use(leaks[leak]);
  app.post(
    '/login',
    passport.authenticate('backup-code', { session: false }) as RequestHandler,
    (_req, res) => res.json({}),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function isUser(body: unknown): boolean {
  return userNames.has((body as Credentials).username);
}

/** Answers as Passport answers a failed login. */
function refuse(res: express.Response): void {
  res.status(401).end('Unauthorized');
}

process.on('message', (options: SiteOptions) => {
  void openSite(options).then((site) => process.send?.(site));
});
