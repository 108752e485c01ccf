// Follows docs/peppers.md from no pepper to the second one, and makes each mistake on the way. Each
// restart runs the block of the page, the query is that of the page, and the keys come from the
// command.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';
import { transformSync } from '@swc/core';
import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import * as core from '../../lib';
import { BackupCodes, MemoryStore, type BackupCodesOptions, type BackupCodeStore } from '../../lib';
import { auditEvent } from '../../lib/audit/events';
import { createTables, SqlStore } from '../../lib/sql';
import { userSubject } from '../../lib/stores/subject';
import { countingHasher, type CountingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';
import { WRONG_ON_BOTH as WRONG } from '../helpers/service';

const PAGE = readFileSync(join(__dirname, '../../docs/peppers.md'), 'utf8');

function block(name: string): string {
  const [found, ...others] = [
    ...PAGE.matchAll(new RegExp(`<!-- run: ${name} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, 'g')),
  ];
  if (found?.[1] === undefined || others.length > 0)
    throw new Error(`docs/peppers.md must have one block after <!-- run: ${name} -->.`);
  return found[1];
}

const program = transformSync(`${block('read-peppers')}\nexport { backupCodes };`, {
  jsc: { target: 'es2022' },
  module: { type: 'commonjs' },
}).code;
const start = compileFunction(program, ['require', 'exports', 'store']) as (
  require: (name: string) => unknown,
  exports: { backupCodes?: BackupCodes },
  store: BackupCodeStore,
) => void;

/** Starts the program of the page with a fast counting hasher, and with codes for both channels. */
function startPage({
  store,
  hasher,
  listed,
}: {
  store: BackupCodeStore;
  hasher: CountingHasher;
  listed: string;
}): BackupCodes {
  class Counted extends BackupCodes {
    constructor(options: BackupCodesOptions) {
      super({ format: core.formats.recovery, ...options, hasher });
    }
  }
  const made: { backupCodes?: BackupCodes } = {};
  const load = (name: string): unknown =>
    ({ [name]: { ...core, BackupCodes: Counted } })['passport-backup-code'];
  process.env['BACKUP_CODE_PEPPER'] = listed;
  try {
    start(load, made, store);
  } finally {
    delete process.env['BACKUP_CODE_PEPPER'];
  }
  return made.backupCodes!;
}

/** Returns a new pepper as the command prints it, `2026:BASE64`. */
function newPepper(id: string): string {
  const command = [
    '--require',
    join(__dirname, '../helpers/run-typescript.js'),
    join(__dirname, '../../lib/cli/main.ts'),
    'new-pepper',
    id,
  ];
  return execFileSync(process.execPath, command, { encoding: 'utf8' }).trim();
}

interface OpenStore {
  readonly store: BackupCodeStore;
  /** Removes the pepper id from the stored set, as an attacker who can write to the database. */
  strip(userId: string): Promise<void>;
}

const onMemory = async (): Promise<OpenStore> => {
  const store = new MemoryStore();
  return {
    store,
    strip: async (userId) => {
      const [subject, now] = [userSubject(userId), Date.now()];
      const event = auditEvent('issued', {
        at: now,
        userId,
        context: { ip: null, userAgent: null, requestId: null, actor: null, channel: 'recovery' },
      });
      const taken = await store.takeAttempt({
        subject,
        channel: 'recovery',
        network: '',
        now,
        waits: [0],
        refusal: { ...event, type: 'throttled', refusals: 1 },
      });
      if (!taken.ok || taken.current === null) throw new Error('There is no set to strip.');
      await store.replace({
        subject,
        header: { ...taken.current, pepperId: null },
        codes: taken.current.codes,
        event,
        now,
      });
    },
  };
};

const databases: Kysely<unknown>[] = [];
afterEach(async () => {
  for (const kysely of databases.splice(0)) await kysely.destroy();
});

async function onSqlite(): Promise<OpenStore & { ask(query: string): unknown[] }> {
  const database = new Database(':memory:');
  const kysely = new Kysely<unknown>({ dialect: new SqliteDialect({ database }) });
  databases.push(kysely);
  await createTables({ database: kysely });
  return {
    store: new SqlStore({ database: kysely }),
    strip: async (userId) => {
      expect(
        database
          .prepare('UPDATE backup_code_users SET pepper_id = NULL WHERE user_id = ?')
          .run([userId]).changes,
      ).toBe(1);
    },
    ask: (query) => database.prepare(query).all(),
  };
}

interface Operator extends OpenStore {
  readonly hasher: CountingHasher;
  /** The service as it was before the first pepper. */
  readonly withoutPepper: BackupCodes;
  restart(listed: string): BackupCodes;
  pepperOf(userId: string): Promise<string | null | undefined>;
  /** Attempts charged to a user on the second factor. */
  charged(userId: string): Promise<number>;
}

async function operate(open: () => Promise<OpenStore>): Promise<Operator> {
  const [opened, hasher] = [await open(), countingHasher()];
  const { store } = opened;
  return {
    ...opened,
    hasher,
    withoutPepper: new BackupCodes({ store, hasher, format: core.formats.recovery }),
    restart: (listed) => startPage({ store, hasher, listed }),
    pepperOf: async (userId) => (await store.find(userSubject(userId)))?.current?.pepperId,
    charged: async (userId) => (await store.find(userSubject(userId)))?.secondFactor.attempts ?? 0,
  };
}

const [p2026, p2027] = [newPepper('2026'), newPepper('2027')];
/** Returns a pepper with this id and the key of another one. */
const withKeyOf = (id: string, other: string): string => `${id}:${other.split(':')[1]}`;
const accepted = expect.objectContaining({ ok: true }) as unknown;

describe.each([
  ['MemoryStore', onMemory],
  ['SqlStore on SQLite', onSqlite],
])('on %s', (_name, open) => {
  it('Each printed code works until its pepper is dropped', async () => {
    const { withoutPepper, restart, pepperOf, charged } = await operate(open);
    const [ada, bob, eve] = [
      await withoutPepper.issue('ada'),
      await withoutPepper.issue('bob'),
      await withoutPepper.issue('eve'),
    ];

    // The first pepper signs, and sets without one are still read.
    const first = restart(`${p2026},none`);
    expect(await first.consume('ada', ada.codes[0])).toEqual(accepted);
    const renewed = await first.issue('bob');
    expect([await pepperOf('ada'), await pepperOf('bob')]).toEqual([null, '2026']);
    expect(await first.consume('bob', bob.codes[0])).toEqual({ ok: false, reason: 'mismatch' });
    expect(await first.consume('bob', renewed.codes[0])).toEqual(accepted);

    // The next pepper is first only read, so that old and new processes read each other's sets.
    const second = restart(`${p2026},${p2027},none`);
    expect(await first.consume('ada', (await second.issue('ada')).codes[0])).toEqual(accepted);
    const third = restart(`${p2027},${p2026},none`);
    const carol = await third.issue('carol');
    expect([await pepperOf('ada'), await pepperOf('carol')]).toEqual(['2026', '2027']);
    expect(await second.consume('carol', carol.codes[0])).toEqual(accepted);
    expect(await third.consume('carol', (await second.issue('carol')).codes[0])).toEqual(accepted);
    // A process that missed this step cannot read the new sets, and says so.
    const dave = await third.issue('dave');
    await expect(first.consume('dave', dave.codes[0])).rejects.toEqual(failure('unknown_pepper'));

    // The last set without a pepper is eve's. It is revoked.
    expect(await third.consume('eve', eve.codes[0])).toEqual(accepted);
    expect(await third.revoke('eve', { actor: 'pepper rotation' })).toBe(true);
    const drained = restart(`${p2027},${p2026}`);
    expect(await drained.consume('bob', renewed.codes[1])).toEqual(accepted);
    expect(await drained.consume('eve', eve.codes[1])).toEqual({ ok: false, reason: 'none' });

    // No set has the first pepper any more, so it is dropped.
    const codes = await Promise.all(
      ['ada', 'bob', 'carol', 'eve'].map(async (userId) => ({
        userId,
        code: (await drained.issue(userId)).codes[0],
      })),
    );
    const last = restart(p2027);
    for (const { userId, code } of [...codes, { userId: 'dave', code: dave.codes[0] }])
      expect(await last.consume(userId, code)).toEqual(accepted);
    for (const userId of ['ada', 'bob', 'carol', 'dave', 'eve'])
      expect(await charged(userId)).toBe(0);
  });

  it.each<[string, string, string]>([
    ['a truncated key', p2027.slice(0, -8), 'and 32 are needed'],
    ['an empty key', '2027:', 'Entry 1 of the variable BACKUP_CODE_PEPPER is not an id'],
    ['an id without its key', '2027', 'Entry 1 of the variable BACKUP_CODE_PEPPER is not an id'],
    ['"none" before a pepper', `none,${p2027}`, 'may only be the last of a list'],
    ['one id twice', `${p2027},${p2027}`, 'Two peppers have the id "2027"'],
  ])(
    'The process does not start with %s, and the error says what is wrong',
    async (_what, listed, message) => {
      const { restart } = await operate(open);
      expect(() => restart(listed)).toThrow(failure('invalid_pepper'));
      expect(() => restart(listed)).toThrow(message);
    },
  );

  it('Without a list the process does not start, so no set lacks a pepper', async () => {
    const { restart } = await operate(open);
    expect(() => restart('')).toThrow('The variable BACKUP_CODE_PEPPER is empty');
  });

  const otherKey = withKeyOf('2027', p2026);
  it.each<[string, string, core.BackupCodeErrorCode]>([
    ['another key under the id of the set', otherKey, 'wrong_pepper'],
    ['the keys of two ids exchanged', `${otherKey},${withKeyOf('2026', p2027)}`, 'wrong_pepper'],
    ['a pepper dropped too early', p2026, 'unknown_pepper'],
    ['a pepper dropped too early and "none" listed', `${p2026},none`, 'unknown_pepper'],
  ])(
    'After a start with %s, a code is an error until the list is corrected',
    async (_what, listed, code) => {
      const { restart, hasher, charged } = await operate(open);
      const { codes } = await restart(p2027).issue('ada');
      const mistaken = restart(listed);
      hasher.count = 0;
      for (const channel of ['second_factor', 'recovery'] as const) {
        for (const typed of [codes[0], WRONG])
          await expect(mistaken.consume('ada', typed, { channel })).rejects.toEqual(failure(code));
      }
      expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
      expect(await restart(p2027).consume('ada', codes[0])).toMatchObject({
        ok: true,
        remaining: 9,
      });
    },
  );

  it.each<[string, string, core.BackupCodeErrorCode]>([
    ['once "none" is dropped', p2027, 'unknown_pepper'],
    ['while "none" is listed', `${p2027},none`, 'wrong_pepper'],
  ])(
    'A set whose pepper id was removed is an error before any hash, %s',
    async (_when, listed, code) => {
      const { restart, strip, hasher, charged, pepperOf } = await operate(open);
      const backupCodes = restart(listed);
      const { codes } = await backupCodes.issue('ada');
      await strip('ada');
      expect(await pepperOf('ada')).toBeNull();
      hasher.count = 0;
      for (const typed of [codes[0], WRONG])
        await expect(backupCodes.consume('ada', typed)).rejects.toEqual(failure(code));
      expect([hasher.count, await charged('ada')]).toEqual([0, 0]);
    },
  );

  it('A set planted without a pepper works only while "none" is listed', async () => {
    const { withoutPepper, restart, charged } = await operate(open);
    const planted = await withoutPepper.issue('ada');
    expect(await restart(`${p2027},none`).consume('ada', planted.codes[0])).toEqual(accepted);
    await expect(restart(p2027).consume('ada', planted.codes[1])).rejects.toEqual(
      failure('unknown_pepper'),
    );
    expect(await charged('ada')).toBe(0);
  });

  it('A set issued with a wrong key is refused with the correct key', async () => {
    const { restart } = await operate(open);
    const mistaken = await restart(otherKey).issue('ada');
    const mended = restart(p2027);
    await expect(mended.consume('ada', mistaken.codes[0])).rejects.toEqual(failure('wrong_pepper'));
    expect(await mended.consume('ada', (await mended.issue('ada')).codes[0])).toEqual(accepted);
  });

  it('An expired set of a dropped pepper is an error until it is revoked', async () => {
    const { restart, store, hasher } = await operate(open);
    const year = 366 * 86_400_000;
    const { codes } = await restart(p2026).issue('ada');
    const later = new BackupCodes({
      store,
      hasher,
      format: core.formats.recovery,
      pepper: [{ id: '2027', key: Buffer.alloc(32) }],
      now: () => Date.now() + year,
    });
    await expect(later.consume('ada', codes[0])).rejects.toEqual(failure('unknown_pepper'));
    await later.revoke('ada');
    expect(await later.consume('ada', codes[0])).toEqual({ ok: false, reason: 'none' });
  });
});

describe('docs/peppers.md', () => {
  it('The query of the page lists the owners of sets with an old pepper only', async () => {
    const { store, ask } = await onSqlite();
    const { restart } = await operate(async () => ({
      store,
      strip: () => Promise.reject(new Error('not here')),
    }));
    const [older, newer] = [restart(p2026), restart(`${p2027},${p2026}`)];
    for (const userId of ['ada', 'bob', 'carol', 'eve']) await older.issue(userId);
    await newer.issue('bob');
    await newer.revoke('carol');
    await newer.issue('dave');
    await newer.rejectUnknownUser('mallory', WRONG);
    expect(ask(block('owners'))).toEqual([{ user_id: 'ada' }, { user_id: 'eve' }]);
  });

  it('The page has a row for each error of a pepper', () => {
    expect([...PAGE.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code)).toEqual([
      'invalid_pepper',
      'unknown_pepper',
      'wrong_pepper',
    ]);
  });
});
