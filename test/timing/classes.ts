// Whom an attacker would like to tell apart by waiting, and how such names and codes come to be. Times nothing.
import { randomBytes } from 'node:crypto';
import { formats, type BackupCodes } from '../../lib';
import { showCode } from '../../lib/codes/formats';
import { generateCodes } from '../../lib/codes/generate';

/** What is typed into the form. Names and codes are random and of one length: a request tells nothing of its class. */
export interface Credential {
  readonly username: string;
  readonly code: string;
}

/** Where people come from. */
export interface Cast {
  readonly backupCodes: BackupCodes;
  /** The same more than a year ago: what it issues has expired. */
  readonly past: BackupCodes;
  /** Somebody new whom the app knows; the name is the user's id too. */
  join(): string;
}

export interface Class {
  readonly prepare: (cast: Cast) => Promise<Credential>;
  /** What is sent once is something else the second time: each sample is another person. */
  readonly isOnce?: true;
}

export const classes = {
  'a wrong code': { prepare: (cast) => withSet(cast, () => anyCode()) },
  'an unknown name': { prepare: async () => ({ username: randomName(), code: anyCode() }) },
  'a user without a set': { prepare: async ({ join }) => ({ username: join(), code: anyCode() }) },
  'a wrong code, all consumed': {
    prepare: (cast) =>
      withSet(cast, async (codes, username) => {
        for (const code of codes) await cast.backupCodes.consume(username, code);
        return anyCode();
      }),
  },
  'a wrong code, expired set': {
    prepare: (cast) => withSet({ ...cast, backupCodes: cast.past }, () => anyCode()),
  },
  'a reused code, first place': {
    prepare: (cast) => withSet(cast, (codes, username) => spent(cast, username, codes.at(0))),
  },
  'a reused code, last place': {
    prepare: (cast) => withSet(cast, (codes, username) => spent(cast, username, codes.at(-1))),
  },
  'the right code, first place': {
    prepare: (cast) => withSet(cast, (codes) => codes.at(0)),
    isOnce: true,
  },
  'the right code, last place': {
    prepare: (cast) => withSet(cast, (codes) => codes.at(-1)),
    isOnce: true,
  },
  'the right code, expired set': {
    prepare: (cast) => withSet({ ...cast, backupCodes: cast.past }, (codes) => codes.at(0)),
  },
  'an unknown name, never tried before': {
    prepare: async () => ({ username: randomName(), code: anyCode() }),
    isOnce: true,
  },
} satisfies Record<string, Class>;

export type ClassName = keyof typeof classes;

export function randomName(): string {
  return randomBytes(8).toString('hex');
}

function anyCode(): string {
  const [symbols = ''] = generateCodes(formats.recovery, 1);
  return showCode(formats.recovery, symbols);
}

async function withSet(
  { backupCodes, join }: Cast,
  choose: (codes: readonly string[], username: string) => string | undefined | Promise<string>,
): Promise<Credential> {
  const username = join();
  const { codes } = await backupCodes.issue(username);
  return { username, code: (await choose(codes, username)) ?? '' };
}

async function spent({ backupCodes }: Cast, username: string, code = ''): Promise<string> {
  if (!(await backupCodes.consume(username, code)).ok) throw new Error('A right code was refused.');
  return code;
}
