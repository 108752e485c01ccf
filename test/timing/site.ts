// A recovery login in a process of its own, with names and codes of every class. Started by attacker.ts; judges nothing.
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
import { classes, randomName, type Class, type ClassName, type Credential } from './classes';

export interface SiteOptions {
  readonly store: 'memory' | 'sqlite';
  /** `none`: a quick one in its place, so that the rest of the path shows. */
  readonly slowHash: 'bcrypt' | 'none';
  readonly leak?: LeakName;
  /** How many people of each class. */
  readonly people: Partial<Record<ClassName, number>>;
}

export interface OpenedSite {
  readonly port: number;
  readonly credentials: Partial<Record<ClassName, readonly Credential[]>>;
}

/** The floor of the product: a quick slow hash hides the least. */
const COST = 10;
const DAY_MS = 86_400_000;

const known = new Set<string>();
const ten = Array.from({ length: 10 }, () => recordCode(Buffer.alloc(32)));

/** What naive apps do. Each stands before an honest strategy. */
const leaks = {
  'no hash for unknown names': (req, res, next) => {
    if (isKnown(req.body)) next();
    else refuse(res);
  },
  'half a hash for unknown names': (req, res, next) => {
    if (isKnown(req.body)) next();
    else void bcrypt.hash('code', bcrypt.genSaltSync(COST - 1)).then(() => refuse(res));
  },
  'ten milliseconds more for known names': (req, _res, next) => {
    setTimeout(next, isKnown(req.body) ? 10 : 0);
  },
  'ten digests more for known names': (req, _res, next) => {
    if (isKnown(req.body)) findMatch(Buffer.alloc(32, 1), ten);
    next();
  },
} satisfies Record<string, RequestHandler>;

export type LeakName = keyof typeof leaks;

async function open({ store, slowHash, leak, people }: SiteOptions): Promise<OpenedSite> {
  const opened = await (store === 'sqlite' ? sqlite : memory).open();
  const options: BackupCodesOptions = {
    store: opened.store,
    hasher: slowHash === 'bcrypt' ? bcryptHasher({ cost: COST }) : countingHasher(),
    format: formats.recovery,
    // As many as one name permits, without a wait between them.
    attempts: { free: 50 },
    maxQueuedHashes: 100_000,
  };
  const backupCodes = new BackupCodes(options);
  const past = new BackupCodes({ ...options, now: () => Date.now() - 400 * DAY_MS });
  const join = (): string => {
    const name = randomName();
    known.add(name);
    return name;
  };
  const credentials: Record<string, Credential[]> = {};
  for (const [name, count] of Object.entries(people)) {
    const { prepare }: Class = classes[name as ClassName];
    credentials[name] = await Promise.all(
      Array.from({ length: count }, () => prepare({ backupCodes, past, join })),
    );
  }

  const passport = new Authenticator();
  passport.use(
    new BackupCodeStrategy<{ id: string }>({
      backupCodes,
      findUser: (username) => (known.has(username) ? { id: username } : null),
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
  return { port: (server.address() as AddressInfo).port, credentials };
}

function isKnown(body: unknown): boolean {
  return known.has((body as Credential).username);
}

/** As Passport refuses. */
function refuse(res: express.Response): void {
  res.status(401).end('Unauthorized');
}

process.on(
  'message',
  (options: SiteOptions) => void open(options).then((site) => process.send?.(site)),
);
