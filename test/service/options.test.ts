import { BackupCodes, formats, MemoryStore, type BackupCodesOptions } from '../../lib';
import { parseConfig } from '../../lib/service/config';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

const store = new MemoryStore();
const pepper = [
  { id: '2026', key: Buffer.from('a pepper of more than thirty-two bytes, as text') },
];
const construct = (options: unknown): BackupCodes => new BackupCodes(options as BackupCodesOptions);

describe('BackupCodes without options', () => {
  it('By default a set has ten standard codes for a year, hashed at cost 12', () => {
    const config = parseConfig({ store });
    expect(config).toMatchObject({
      formats: [formats.standard],
      count: 10,
      expiresAfterDays: 365,
      rotateAfterDays: 180,
      lowAt: 3,
      maxReplacements: 0,
      hashQueue: { maxQueued: 128 },
    });
    expect(config.hashers[0].newSalt()).toMatch(/^\$2b\$12\$/);
    expect(config.pepper.newest.id).toBeNull();
  });

  it('With replaceConsumed a hundred codes of a set are replaced, or as many as maxReplacements says', () => {
    const limits = [undefined, 1, 1000].map(
      (maxReplacements) =>
        parseConfig({ store, replaceConsumed: true, ...(maxReplacements && { maxReplacements }) })
          .maxReplacements,
    );
    expect(limits).toEqual([100, 1, 1000]);
  });

  it('bcrypt is always readable, whichever hashers are listed', () => {
    const { hashers } = parseConfig({ store, hasher: countingHasher() });
    expect(hashers.filter((hasher) => hasher.reads('$2b$12$abcdefghijklmnopqrstuu'))).toHaveLength(
      1,
    );
  });

  it('By default user names are normalized in case, width and outer spaces', () => {
    const { normalizeUsername } = parseConfig({ store });
    expect([' Ada\t', 'ADA', '\uff21\uff24\uff21'].map(normalizeUsername)).toEqual([
      'ada',
      'ada',
      'ada',
    ]);
  });
});

describe('BackupCodes', () => {
  it('Sets can have 32 codes, several formats and hashers, and no expiry', () => {
    const hasher = [countingHasher('new'), countingHasher('old')];
    expect(
      parseConfig({
        store,
        count: 32,
        format: [formats.recovery, formats.standard],
        hasher,
        expiresAfterDays: null,
        rotateAfterDays: null,
        lowAt: 0,
      }),
    ).toMatchObject({
      count: 32,
      formats: [formats.recovery, formats.standard],
      expiresAfterDays: null,
      rotateAfterDays: null,
      lowAt: 0,
    });
  });

  it.each<[string, object]>([
    ['no store', {}],
    ['a store that lacks methods', { store: { find: () => null } }],
    ['a store that is a connection string', { store: 'sqlite://' }],
    ['an unknown option', { store, saltRounds: 10 }],
    ['no codes', { store, count: 0 }],
    ['33 codes', { store, count: 33 }],
    ['a count that is a string', { store, count: '10' }],
    ['an expiry of no days', { store, expiresAfterDays: 0 }],
    ['an expiry of eleven years', { store, expiresAfterDays: 3651 }],
    ['a rotation of no days', { store, rotateAfterDays: 0 }],
    ['a negative lowAt', { store, lowAt: -1 }],
    ['a replaceConsumed that is a string', { store, replaceConsumed: 'one' }],
    ['a replaceConsumed that is a number', { store, replaceConsumed: 1 }],
    ['no replacements', { store, replaceConsumed: true, maxReplacements: 0 }],
    ['1001 replacements', { store, replaceConsumed: true, maxReplacements: 1001 }],
    ['half a replacement', { store, replaceConsumed: true, maxReplacements: 1.5 }],
    ['a maxReplacements that is a string', { store, replaceConsumed: true, maxReplacements: '9' }],
    ['maxReplacements without replaceConsumed', { store, maxReplacements: 100 }],
    [
      'maxReplacements with replaceConsumed: false',
      { store, replaceConsumed: false, maxReplacements: 9 },
    ],
    ['a risk hook that is not a function', { store, assessRisk: 'deny' }],
    ['a clock that is a time', { store, now: Date.now() }],
    ['a normalizeUsername that is not a function', { store, normalizeUsername: 'NFKC' }],
    ['zero concurrent hashes', { store, hashConcurrency: 0 }],
    ['a negative queue', { store, maxQueuedHashes: -1 }],
    ['an empty list of formats', { store, format: [] }],
    ['a format name', { store, format: 'standard' }],
    ['attempts that are a number', { store, attempts: 5 }],
  ])('BackupCodes refuses %s', (_what, options) => {
    expect(() => construct(options)).toThrow(failure('invalid_option'));
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['a store', store],
  ])('%s is refused in place of an options object', (_what, options) => {
    expect(() => construct(options)).toThrow(failure('invalid_option'));
  });

  it.each<[string, object, string]>([
    ['an empty list of hashers', { store, hasher: [] }, 'invalid_hasher'],
    ['a hasher name', { store, hasher: 'bcrypt' }, 'invalid_hasher'],
    [
      'a hasher that needs longer codes',
      { store, hasher: { ...countingHasher(), minimumBits: 112 } },
      'invalid_hasher',
    ],
    ['a short pepper', { store, pepper: [{ id: 'a', key: Buffer.alloc(8) }] }, 'invalid_pepper'],
    [
      'a format with a false length',
      { store, format: { ...formats.standard, length: 2 } },
      'invalid_format',
    ],
  ])('BackupCodes refuses %s', (_what, options, code) => {
    expect(() => construct(options)).toThrow(failure(code as 'invalid_hasher'));
  });

  it('The message about a misspelt option suggests the right one', () => {
    expect(() => construct({ store, formats: formats.standard })).toThrow(
      'BackupCodes has no option "formats". Did you mean "format"?',
    );
  });
});

describe('the chance of guessing a code', () => {
  const sixDigits = {
    alphabet: '0123456789',
    length: 6,
    groupSize: 3,
    separator: '-',
  } as typeof formats.numeric;

  it('A chance of guessing a code above 10^-4 is refused with the number', () => {
    expect(() => construct({ store, pepper, format: sixDigits })).toThrow(
      failure('invalid_format'),
    );
    expect(() => construct({ store, pepper, format: sixDigits })).toThrow(
      '10 codes and 50 attempts over 1000000 possibilities are guessed with a chance of 0.0005; at most 0.0001 is accepted',
    );
  });

  it('A chance of guessing a code of exactly 10^-4 is accepted', () => {
    expect(
      construct({ store, pepper, format: sixDigits, attempts: { lockAfter: 10 } }).formats,
    ).toHaveLength(1);
    expect(() =>
      construct({ store, pepper, format: sixDigits, attempts: { lockAfter: 11 } }),
    ).toThrow(failure('invalid_format'));
    expect(() =>
      construct({ store, pepper, format: sixDigits, count: 11, attempts: { lockAfter: 10 } }),
    ).toThrow(failure('invalid_format'));
  });

  it('A format with fewer than 2^40 possibilities needs a pepper', () => {
    expect(() => construct({ store, format: formats.numeric })).toThrow('needs a pepper');
    expect(construct({ store, format: formats.numeric, pepper }).formats[0]).toEqual(
      formats.numeric,
    );
    for (const format of [formats.standard, formats.hex])
      expect(construct({ store, format }).formats[0]).toEqual(format);
  });

  it('An older format may be easier to guess, because it is only read', () => {
    expect(
      construct({ store, format: [formats.standard, formats.numeric, sixDigits] }).formats,
    ).toHaveLength(3);
  });
});

describe('slow hashes at once', () => {
  const { UV_THREADPOOL_SIZE: before } = process.env;
  afterEach(() => {
    if (before === undefined) delete process.env['UV_THREADPOOL_SIZE'];
    else process.env['UV_THREADPOOL_SIZE'] = before;
  });

  it.each([
    [undefined, 2],
    ['1', 1],
    ['4', 2],
    ['7', 3],
    ['16', 8],
    ['', 1],
    ['many', 2],
    ['-4', 1],
  ])(
    'Half of the libuv threads are used for hashes, at least one: of %p threads %d',
    (threads, concurrency) => {
      if (threads === undefined) delete process.env['UV_THREADPOOL_SIZE'];
      else process.env['UV_THREADPOOL_SIZE'] = threads;
      expect(parseConfig({ store }).hashQueue.concurrency).toBe(concurrency);
    },
  );

  it('`hashConcurrency` and `maxQueuedHashes` can be set', () => {
    expect(parseConfig({ store, hashConcurrency: 7, maxQueuedHashes: 0 }).hashQueue).toEqual({
      concurrency: 7,
      maxQueued: 0,
    });
  });
});

describe('the clock', () => {
  it('Times are rounded to whole milliseconds', () => {
    expect(parseConfig({ store, now: () => 1234.9 }).now()).toBe(1234);
  });

  it.each([
    NaN,
    Infinity,
    -Infinity,
    -1,
    8.64e15 + 1,
    1e300,
    '1234',
    null,
    undefined,
    new Date(0),
    7n,
  ])('A clock that returns %p is an error', (time) => {
    expect(() => parseConfig({ store, now: (() => time) as () => number }).now()).toThrow(
      failure('invalid_result'),
    );
  });
});

describe('in production', () => {
  const { NODE_ENV: before } = process.env;
  let warn: jest.SpyInstance;
  beforeEach(() => {
    process.env['NODE_ENV'] = 'production';
    warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  });
  afterEach(() => {
    process.env['NODE_ENV'] = before;
    warn.mockRestore();
  });

  it('In production a memory store and a missing pepper each cause one warning', () => {
    for (let instance = 0; instance < 3; instance += 1) construct({ store });
    expect(warn.mock.calls.map((call: unknown[]) => call[1])).toEqual([
      { code: 'BACKUP_CODE_MEMORY_STORE' },
      { code: 'BACKUP_CODE_NO_PEPPER' },
    ]);
  });
});
