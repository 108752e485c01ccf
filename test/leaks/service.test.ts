// Scenarios with known codes run through each outcome, event and fault. Then all output is searched
// for each code, digest, salt and key, in each form.
import { randomBytes, randomUUID } from 'node:crypto';
import {
  BackupCodeError,
  BackupCodes,
  BackupCodeStrategy,
  bcryptHasher,
  fastHasher,
  formats,
  pbkdf2Hasher,
  scryptHasher,
  type BackupCodesOptions,
  type BackupCodeStore,
  type Outcome,
  type Reason,
} from '../../lib';
import { MemoryApprovalStore, TwoPersonApproval } from '../../lib/approval';
import type { AuditEvent } from '../../lib/audit/events';
import { EVENT_TYPES, toEcs, toOcsf, toOwasp } from '../../lib/siem';
import { Canary, printed } from '../helpers/canary';
import { DAY_MS, HOUR_MS, START } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';
import { serviceOn, type Service } from '../helpers/service';
import { storeKinds, type OpenStore } from '../helpers/stores';
import { learnSecrets, recordOutput } from './record-output';

type OutputPlace = 'events' | 'answers' | 'errors' | 'objects' | 'settlements' | 'output' | 'trail';

/** A store, the scenarios that ran on it, and their output. */
class Play {
  /** The secrets: issued and mistyped codes, digests, salts and keys. */
  readonly secrets = new Canary();
  /** The secrets that the store may not keep either: codes and peppers. */
  readonly unkept = new Canary();
  readonly recorded = new Map<OutputPlace, unknown[]>();
  private readonly pepper = this.newPepper();
  private readonly store: BackupCodeStore;

  constructor(readonly opened: OpenStore) {
    this.store = learnSecrets(opened.store, this.secrets);
  }

  record(place: OutputPlace, value: unknown): void {
    this.recorded.set(place, [...(this.recorded.get(place) ?? []), value]);
  }

  learn(code: string): void {
    for (const canary of [this.secrets, this.unkept]) canary.addCode(code, 'a code');
  }

  newPepper(id = '2030'): { id: string; key: Buffer } {
    const key = randomBytes(32);
    for (const canary of [this.secrets, this.unkept]) canary.addBytes(key, 'a pepper');
    return { id, key };
  }

  /** Makes another instance, as another process would have it. */
  serve(options: Partial<BackupCodesOptions> = {}): Service {
    const {
      store,
      opened: { events },
    } = this;
    return serviceOn({ store, events }, { pepper: [this.pepper], ...options });
  }

  /** Records an error, also of a constructor, which throws synchronously. */
  async letFail(call: () => unknown): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.record('errors', error);
    }
  }

  /** Makes a service for operators, whose queries the wrapped store does not support. */
  operator(now: number): BackupCodes {
    return new BackupCodes({
      store: this.store,
      pepper: [this.pepper],
      hasher: countingHasher(),
      now: () => now,
    });
  }

  /** Makes a service that reads changed data, as if an attacker had written to the table. */
  serveDamaged(damage: (current: Record<string, unknown>) => object): Service {
    const store = new Proxy(this.store, {
      get: (target, name) =>
        name === 'takeAttempt'
          ? async (attempt: Parameters<BackupCodeStore['takeAttempt']>[0]) => {
              const taken = await target.takeAttempt(attempt);
              return taken.ok && taken.current
                ? { ...taken, current: { ...taken.current, ...damage({ ...taken.current }) } }
                : taken;
            }
          : (Reflect.get(target, name) as unknown),
    });
    return serviceOn({ store, events: this.opened.events }, { pepper: [this.pepper] });
  }

  /** A correct and a mistyped spelling of a code. */
  mistyped(code: string): string {
    const slip = code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A');
    this.learn(slip);
    return slip;
  }
}

const CONTEXT = { ip: '192.0.2.7', userAgent: 'A browser', requestId: 'r-1' };
const outOfMemory = new Error('out of memory');

/** The scenarios. Each runs to its end before the next begins. */
const STORIES: Readonly<Record<string, (play: Play) => Promise<void>>> = {
  'a channel of a tenant is reopened, and its user is forgotten': async (play) => {
    const { backupCodes } = play.serve({ namespace: 'bank' });
    const {
      codes: [first = '', second = ''],
    } = await backupCodes.issue('zoe', CONTEXT);
    await backupCodes.consume('zoe', play.mistyped(first), CONTEXT);
    await backupCodes.unlock('zoe', 'second_factor', { ...CONTEXT, actor: 'admin-9' });
    await backupCodes.consume('zoe', second, CONTEXT);
    await backupCodes.stage('zoe', CONTEXT);
    await backupCodes.forget('zoe', { audit: 'anonymize', actor: 'admin-9' });
    await play.letFail(() => backupCodes.forget('zoe', { audit: 'erase' }));
  },

  'a set is issued, staged, activated, used up and revoked': async (play) => {
    const { backupCodes } = play.serve();
    await backupCodes.issue('ada', CONTEXT);
    const {
      setId,
      codes: [first = '', ...others],
    } = await backupCodes.stage('ada', CONTEXT);
    await backupCodes.activate('ada', setId, CONTEXT);
    await backupCodes.consume('ada', play.mistyped(first), CONTEXT);
    const consumed = await backupCodes.consume(
      'ada',
      first.toLowerCase().replace('-', ' '),
      CONTEXT,
    );
    await backupCodes.consume('ada', first, CONTEXT);
    await backupCodes.recordUnfinishedLogin(
      'ada',
      consumed as Extract<Outcome, { ok: true }>,
      CONTEXT,
    );
    await backupCodes.resumeLogin('ada', consumed as Extract<Outcome, { ok: true }>, {
      ...CONTEXT,
      loginId: 'a pending login',
    });
    for (const code of others) await backupCodes.consume('ada', code, CONTEXT);
    for (const typed of [`${first}X`, { code: first }, [first], null, `${first}\0`])
      await backupCodes.consume('ada', typed, CONTEXT);
    await backupCodes.status('ada');
    await backupCodes.revoke('ada', { ...CONTEXT, actor: 'an administrator' });
    await backupCodes.consume('ada', others[0], CONTEXT);
    const { events } = await play.operator(START).audit.events({ userId: 'ada' });
    const lost = { ...(events[0] as AuditEvent), id: randomUUID() };
    await play.operator(START).audit.replay([lost]);
    await play.operator(START).audit.report();
  },

  'two people ask, approve, deny, withdraw, are late and are refused': async (play) => {
    const { backupCodes, clock } = play.serve();
    const [ada, bob] = [
      await backupCodes.issue('ada of two', CONTEXT),
      await backupCodes.issue('bob of two', CONTEXT),
    ];
    const approval = new TwoPersonApproval({
      store: new MemoryApprovalStore(),
      backupCodes,
      now: clock.now,
      isEntitled: () => true,
      actions: { open: () => 'open', break: () => Promise.reject(new Error('stuck')) },
    });
    for (const [n, action] of ['open', 'break', 'open'].entries()) {
      const asked = await approval.request(
        'ada of two',
        { action, target: 'vault', code: ada.codes[n], sessionId: 's' },
        CONTEXT,
      );
      if (!asked.ok) throw new Error('It was refused.');
      const { id, digest } = asked.approval;
      await approval.approve('ada of two', { id, digest, code: ada.codes[9] }, CONTEXT);
      await approval.approve('bob of two', { id, digest, code: ada.codes[9] }, CONTEXT);
      await approval.approve('bob of two', { id, digest, code: bob.codes[n] }, CONTEXT);
      await (n === 2
        ? approval.deny('bob of two', { id }, CONTEXT)
        : play.letFail(() => approval.execute('bob of two', { id, digest }, CONTEXT)));
    }
    for (const n of [3, 4]) {
      const asked = await approval.request(
        'ada of two',
        { action: 'open', target: 'vault', code: ada.codes[n] },
        CONTEXT,
      );
      if (!asked.ok) throw new Error('It was refused.');
      if (n === 4) clock.advance(DAY_MS);
      await approval.cancel('ada of two', asked.approval, CONTEXT);
    }
  },

  'codes are replaced one by one': async (play) => {
    const { backupCodes } = play.serve({ replaceConsumed: true });
    const { codes } = await backupCodes.issue('bea', CONTEXT);
    const consumed = await backupCodes.consume('bea', codes[0], CONTEXT);
    await backupCodes.consume('bea', consumed.ok ? consumed.replacement : '', CONTEXT);
  },

  'codes that were printed before are adopted': async (play) => {
    const { backupCodes, watched } = play.serve();
    const { codes } = await play.serve().backupCodes.issue('nia', CONTEXT);
    const adopt = (plainCodes: readonly string[]): Promise<void> =>
      play.letFail(() =>
        backupCodes.adopt('pat', plainCodes, { format: formats.standard, context: CONTEXT }),
      );
    for (const plainCodes of [
      [],
      [`${codes[0]!}X`, codes[1]!],
      [codes[0]!, codes[0]!],
      [...codes, codes[0]!.toLowerCase()],
    ])
      await adopt(plainCodes);
    watched.failAt(1, 'before');
    await adopt(codes);
    watched.reset();
    await adopt(codes);
    await backupCodes.consume('pat', codes[0], CONTEXT);
  },

  'a set expires': async (play) => {
    const { backupCodes, clock } = play.serve({ expiresAfterDays: 30 });
    const { codes } = await backupCodes.issue('cyd', CONTEXT);
    clock.advance(31 * DAY_MS);
    for (const days of [25, 31]) await play.operator(START + days * DAY_MS).audit.recordReminders();
    await backupCodes.consume('cyd', codes[0], CONTEXT);
    await play.operator(START).audit.prune({ before: START });
  },

  'a user guesses until the channel is locked': async (play) => {
    const { backupCodes, clock } = play.serve();
    const {
      codes: [code = ''],
    } = await backupCodes.issue('dan', CONTEXT);
    const guess = play.mistyped(code);
    for (let attempt = 0; attempt < 50; attempt += 1) {
      await backupCodes.consume('dan', guess, CONTEXT);
      await backupCodes.consume('dan', attempt < 6 ? guess : code.slice(1), CONTEXT);
      clock.advance(HOUR_MS);
    }
    await backupCodes.consume('dan', code, CONTEXT);
    await backupCodes.status('dan');
    for (let attempt = 0; attempt < 7; attempt += 1)
      await backupCodes.rejectUnknownUser('eve', code, CONTEXT);
  },

  'the risk hook says no, asks for more, and fails': async (play) => {
    const { codes } = await play.serve().backupCodes.issue('eve', CONTEXT);
    for (const assessRisk of [
      () => 'deny',
      () => 'step_up',
      () => 'perhaps',
      () => Promise.reject(outOfMemory),
    ]) {
      await play
        .serve({ assessRisk: assessRisk as NonNullable<BackupCodesOptions['assessRisk']> })
        .backupCodes.consume('eve', codes[0], CONTEXT);
    }
  },

  'more hashes wait than may': async (play) => {
    const { backupCodes, hasher } = play.serve({ hashConcurrency: 1, maxQueuedHashes: 0 });
    const { codes } = await backupCodes.issue('fay', CONTEXT);
    let finish: (hash: Buffer) => void = () => undefined;
    hasher.hash = () => new Promise((resolve) => (finish = resolve));
    const first = backupCodes.consume('fay', codes[0], CONTEXT);
    await new Promise(setImmediate);
    await backupCodes.consume('fay', codes[1], CONTEXT);
    await play.letFail(() => backupCodes.issue('fay', CONTEXT));
    finish(randomBytes(32));
    await first;
  },

  'the store fails at every step, before it did anything and after all of it': async (play) => {
    for (const when of ['before', 'after'] as const) {
      for (let nth = 1; nth <= 3; nth += 1) {
        const { backupCodes, watched } = play.serve();
        const { codes } = await backupCodes.issue('gil', CONTEXT);
        const failing = async (call: () => Promise<unknown>): Promise<void> => {
          watched.failAt(nth, when);
          await play.letFail(call);
          watched.reset();
        };
        await failing(() => backupCodes.consume('gil', codes[0], CONTEXT));
        await failing(() => backupCodes.consume('gil', play.mistyped(codes[1]!), CONTEXT));
        await failing(() => backupCodes.rejectUnknownUser('eve', codes[2], CONTEXT));
        await failing(() => backupCodes.issue('gil', CONTEXT));
        await failing(() => backupCodes.stage('gil', CONTEXT));
        await failing(() => backupCodes.revoke('gil', CONTEXT));
      }
    }
  },

  'the hasher fails, and gives too little': async (play) => {
    const { backupCodes, hasher } = play.serve();
    const { codes } = await backupCodes.issue('hal', CONTEXT);
    for (const hash of [
      () => Promise.reject(outOfMemory),
      () => Promise.resolve(Buffer.alloc(4)),
      () => Promise.resolve('hash' as unknown as Buffer),
    ]) {
      hasher.hash = hash;
      await play.letFail(() => backupCodes.consume('hal', codes[0], CONTEXT));
      await play.letFail(() => backupCodes.issue('hal', CONTEXT));
    }
  },

  'the pepper is another one, is not there, and is new': async (play) => {
    const { codes } = await play.serve().backupCodes.issue('ivy', CONTEXT);
    for (const pepper of [
      [play.newPepper()],
      [play.newPepper('2031')],
      [play.newPepper('2031'), { id: 'none' as const }],
    ]) {
      await play.letFail(() =>
        play.serve({ pepper }).backupCodes.consume('ivy', codes[0], CONTEXT),
      );
    }
  },

  'an attacker wrote into the table': async (play) => {
    const { codes } = await play.serve().backupCodes.issue('jon', CONTEXT);
    const damages: ((current: Record<string, unknown>) => object)[] = [
      ({ salt }) => ({ format: salt, salt: '$2b$04$' }),
      ({ check }) => ({ salt: check }),
      ({ salt }) => ({ check: salt }),
      ({ codes: rows }) => ({ format: JSON.stringify(rows) }),
      () => ({ pepperId: null }),
      () => ({ pepperId: 'another' }),
      () => ({ setId: 'another' }),
      () => ({ codes: null }),
    ];
    for (const damage of damages)
      await play.letFail(() =>
        play.serveDamaged(damage).backupCodes.consume('jon', codes[0], CONTEXT),
      );
  },

  'listeners fail, and the clock says nonsense': async (play) => {
    const { backupCodes, clock } = play.serve();
    const { codes } = await backupCodes.issue('kim', CONTEXT);
    for (const type of EVENT_TYPES) backupCodes.on(type, () => Promise.reject(outOfMemory));
    await backupCodes.consume('kim', codes[0], CONTEXT);
    await backupCodes.consume('kim', codes[0], CONTEXT);
    backupCodes.on('error', (error, event) => play.record('errors', [error, event]));
    await backupCodes.consume('kim', codes[0], CONTEXT);
    clock.set(NaN);
    await play.letFail(() => backupCodes.consume('kim', codes[1], CONTEXT));
  },

  'options are wrong': async (play) => {
    const pepper = play.newPepper();
    const {
      codes: [code = ''],
    } = await play.serve().backupCodes.issue('lea', CONTEXT);
    const wrong: Record<string, unknown>[] = [
      { pepper: [pepper, pepper] },
      { pepper: [{ ...pepper, key: pepper.key.subarray(0, 31) }] },
      { pepper: [{ ...pepper, key: pepper.key.toString('base64') }] },
      { pepper: { key: pepper.key } },
      { peppers: [pepper] },
      { pepper: [{ id: pepper.key.toString('base64'), key: pepper.key }] },
      { format: code },
      { count: code },
      { store: pepper },
    ];
    for (const options of wrong) await play.letFail(() => play.serve(options));
    for (const userId of [[code], { code }])
      await play.letFail(() =>
        play.serve().backupCodes.issue(userId as unknown as string, CONTEXT),
      );
    await play.letFail(() => play.serve().backupCodes.consume('lea', code, { code } as never));
    await play.letFail(() =>
      play.serve().backupCodes.rejectUnknownUser([code] as unknown as string, code, CONTEXT),
    );
  },

  'an app is in production without a pepper': async (play) => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    play.serve({ pepper: [] });
    process.env['NODE_ENV'] = before;
  },

  'an app prints all objects': async (play) => {
    const { backupCodes } = play.serve();
    const {
      codes: [code = ''],
    } = await backupCodes.issue('mia', CONTEXT);
    const strategies = [
      new BackupCodeStrategy({ backupCodes }),
      new BackupCodeStrategy({
        backupCodes: play.serve({ format: formats.recovery }).backupCodes,
        findUser: () => ({ id: 'mia' }),
      }),
    ];
    await backupCodes.consume('mia', code, CONTEXT);
    for (const object of [
      backupCodes,
      play.opened.store,
      ...strategies,
      formats,
      bcryptHasher(),
      scryptHasher(),
      pbkdf2Hasher(),
      fastHasher(),
      new BackupCodeError('busy', 'no'),
    ]) {
      play.record('objects', object);
      play.record('objects', { app: { locals: [object] } });
    }
  },
};

/** The reasons of an outcome. The scenarios must reach all of them. */
const REASONS: Readonly<Record<Reason, true>> = {
  malformed: true,
  mismatch: true,
  reused: true,
  expired: true,
  none: true,
  unknown_user: true,
  throttled: true,
  locked: true,
  denied: true,
  step_up: true,
  busy: true,
};

let play: Play;
recordOutput({
  learn: (code) => play.learn(code),
  record: (place, value) => play.record(place, value),
});

describe.each(storeKinds)('on $name', ({ open }) => {
  beforeAll(async () => {
    play = new Play(await open());
    const sinks = [
      jest.spyOn(process.stdout, 'write'),
      jest.spyOn(process.stderr, 'write'),
      ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((level) =>
        jest.spyOn(console, level),
      ),
    ];
    const warnings = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    for (const story of Object.values(STORIES)) await story(play);
    await new Promise(setImmediate);
    for (const { mock } of [...sinks, warnings]) play.record('output', mock.calls);
    for (const spy of [...sinks, warnings]) spy.mockRestore();
    play.secrets.addBytes(await play.opened.store.nameKey(), 'the key of names');
    for (const event of await play.opened.events())
      play.record('trail', [
        event,
        ...[toOwasp, toOcsf, toEcs].map((write) => write(event, { appId: 'leaks' })),
      ]);
  });
  afterAll(() => play.opened.close());

  it('The scenarios cover every reason, every event and every error', () => {
    const [answers, events, errors] = (['answers', 'trail', 'errors'] as const).map(
      (place) => play.recorded.get(place) ?? [],
    );
    expect(
      new Set(
        answers!.flatMap(
          (answer) => (answer as Partial<Extract<Outcome, { ok: false }>> | null)?.reason ?? [],
        ),
      ),
    ).toEqual(new Set(Object.keys(REASONS)));
    expect(new Set(events!.map((lines) => (lines as AuditEvent[])[0]!.type))).toEqual(
      new Set<string>(EVENT_TYPES),
    );
    expect(
      new Set(
        errors!.map((error) => (error instanceof BackupCodeError ? error.code : 'of the app')),
      ),
    ).toEqual(
      new Set([
        'of the app',
        'busy',
        'invalid_option',
        'invalid_result',
        'invalid_codes',
        'invalid_pepper',
        'invalid_user_id',
        'invalid_username',
        'unknown_user',
        'unknown_pepper',
        'unreadable_hash',
        'unreadable_set',
        'wrong_pepper',
      ]),
    );
    expect(printed(play.recorded.get('output'))).toMatch(
      /BACKUP_CODE_RISK[^]*BACKUP_CODE_LISTENER/,
    );
  });

  it.each<OutputPlace>(['events', 'trail', 'answers', 'errors', 'objects', 'output'])(
    'The %s contain no code, digest, salt or key',
    (place) => {
      const found = play.recorded
        .get(place)!
        .flatMap((value) =>
          play.secrets
            .findIn(printed(value))
            .map((finding) => `${finding}: ${printed(value).slice(0, 300)}`),
        );
      expect(found).toEqual([]);
    },
  );

  it('The store keeps no code and no pepper', () => {
    expect(play.opened.dump()).toContain('mia');
    expect(play.unkept.findIn(play.opened.dump())).toEqual([]);
  });

  it('The search finds the digests and salts that the store keeps', () => {
    expect(play.secrets.findIn(play.opened.dump())).toEqual(
      expect.arrayContaining(['a digest, in hex', 'a salt, in hex']),
    );
  });
});
