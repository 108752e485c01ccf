// The classes of requests that an attacker would like to tell apart by their response times, and
// how to prepare the user name and the code of each. Times nothing.
import { randomBytes } from 'node:crypto';
import { formats, type BackupCodes } from '../../lib';
import { showCode } from '../../lib/codes/formats';
import { generateCodes } from '../../lib/codes/generate';

/**
 * What a user types into the form. All names have one length and all codes have one length, so that
 * the request itself does not show its class.
 */
export interface Credentials {
  readonly username: string;
  readonly code: string;
}

/** The services that prepare the users of a class. */
export interface Preparation {
  readonly backupCodes: BackupCodes;
  /** A service whose clock is more than a year behind. The sets that it issues have expired. */
  readonly pastBackupCodes: BackupCodes;
  /** Adds a user to the app and returns the name, which is also the user id. */
  readonly addUser: () => string;
}

export interface RequestClass {
  readonly prepare: (preparation: Preparation) => Promise<Credentials>;
  /** A second request with these credentials is of another class. Each sample needs new ones. */
  readonly isOneTime?: true;
}

export const classes = {
  'an invalid code': { prepare: (preparation) => withSet(preparation, () => randomCode()) },
  'an unknown user': {
    prepare: () => Promise.resolve({ username: randomName(), code: randomCode() }),
  },
  'a user without a set': {
    prepare: ({ addUser }) => Promise.resolve({ username: addUser(), code: randomCode() }),
  },
  'an invalid code, all consumed': {
    prepare: (preparation) =>
      withSet(preparation, async ({ username, codes }) => {
        for (const code of codes) await preparation.backupCodes.consume(username, code);
        return randomCode();
      }),
  },
  'an invalid code, expired set': {
    prepare: (preparation) => withSet(withPastClock(preparation), () => randomCode()),
  },
  'a reused code, first place': {
    prepare: (preparation) =>
      withSet(preparation, ({ username, codes }) =>
        consumed(preparation, { username, code: codes.at(0) ?? '' }),
      ),
  },
  'a reused code, last place': {
    prepare: (preparation) =>
      withSet(preparation, ({ username, codes }) =>
        consumed(preparation, { username, code: codes.at(-1) ?? '' }),
      ),
  },
  'a valid code, first place': {
    prepare: (preparation) => withSet(preparation, ({ codes }) => codes.at(0)),
    isOneTime: true,
  },
  'a valid code, last place': {
    prepare: (preparation) => withSet(preparation, ({ codes }) => codes.at(-1)),
    isOneTime: true,
  },
  'a valid code, expired set': {
    prepare: (preparation) => withSet(withPastClock(preparation), ({ codes }) => codes.at(0)),
  },
  'an unknown user, never tried before': {
    prepare: () => Promise.resolve({ username: randomName(), code: randomCode() }),
    isOneTime: true,
  },
} satisfies Record<string, RequestClass>;

export type ClassName = keyof typeof classes;

interface IssuedSet {
  readonly username: string;
  readonly codes: readonly string[];
}

export function randomName(): string {
  return randomBytes(8).toString('hex');
}

function randomCode(): string {
  const [symbols = ''] = generateCodes(formats.recovery, 1);
  return showCode(formats.recovery, symbols);
}

function withPastClock(preparation: Preparation): Preparation {
  return { ...preparation, backupCodes: preparation.pastBackupCodes };
}

/** Adds a user, issues a set, and takes the code that `choose` returns. */
async function withSet(
  { backupCodes, addUser }: Preparation,
  choose: (set: IssuedSet) => string | undefined | Promise<string>,
): Promise<Credentials> {
  const username = addUser();
  const { codes } = await backupCodes.issue(username);
  return { username, code: (await choose({ username, codes })) ?? '' };
}

/** Consumes the code and returns it. */
async function consumed(
  { backupCodes }: Preparation,
  { username, code }: Credentials,
): Promise<string> {
  const outcome = await backupCodes.consume(username, code);
  if (!outcome.ok) throw new Error('A valid code was refused.');
  return code;
}
