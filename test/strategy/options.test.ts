// The checks of the options, at construction, with their messages.
import {
  BackupCodeError,
  BackupCodes,
  BackupCodeStrategy,
  defineFormat,
  formats,
  MemoryStore,
  type BackupCodeStrategyOptions,
} from '../../lib';
import { findUser, makeService } from './test-app';

const consumeCode = (): boolean => true;
/** As code of callback times has it: (user, code, context, done). */
const withCallback = Object.defineProperty(() => true, 'length', { value: 4 });
/** Options with a `backupCodes` that is made within the test. */
const withService = (options: object): object => ({
  ...options,
  get backupCodes(): BackupCodes {
    return makeService().backupCodes;
  },
});

/** Passes invalid options, as a JavaScript caller can. */
function make(options: unknown, verify?: unknown): BackupCodeStrategy {
  return new BackupCodeStrategy(
    options as BackupCodeStrategyOptions<Express.User>,
    verify as undefined,
  );
}

function refusal(options: unknown, verify?: unknown): { code: string; message: string } {
  try {
    make(options, verify);
  } catch (error) {
    if (error instanceof BackupCodeError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('The options were accepted.');
}

it("the strategy is named 'backup-code'", () => {
  expect(make({ consumeCode }).name).toBe('backup-code');
});

it.each<[string, unknown, string]>([
  ['no options', undefined, 'BackupCodeStrategy takes an options object, but was given undefined.'],
  [
    'a function in place of options, as other strategies take it',
    () => undefined,
    'BackupCodeStrategy takes an options object, but was given a function.',
  ],
  ['an array', [], 'BackupCodeStrategy takes an options object, but was given an array.'],
  [
    'an unknown option',
    { consumeCode, colour: 1 },
    'BackupCodeStrategy has no option "colour". It knows findUser,',
  ],
  ['a misspelt option', { consumecode: consumeCode }, 'Did you mean "consumeCode"?'],
  [
    'neither backupCodes nor consumeCode',
    {},
    'Give backupCodes (a BackupCodes) or consumeCode (a function of your own): exactly one',
  ],
  ['both backupCodes and consumeCode', withService({ consumeCode }), 'exactly one of the two.'],
  [
    'a consumeCode that is not a function',
    { consumeCode: true },
    'consumeCode must be a function, but was a boolean.',
  ],
  ['a consumeCode of null', { consumeCode: null }, 'consumeCode must be a function, but was null.'],
  [
    'a messages that is not a function',
    { consumeCode, messages: { invalid_code: 'No.' } },
    'messages must be a function, but was an object.',
  ],
  [
    'a consumeCode that takes a callback',
    { consumeCode: withCallback },
    'but takes 4 parameters. It gets no callback.',
  ],
  [
    'a store in place of the service',
    { backupCodes: new MemoryStore() },
    'backupCodes lacks the method rejectUnknownUser.',
  ],
  [
    'a backupCodes of null',
    { backupCodes: null },
    'backupCodes must be an object with consume, rejectUnknownUser, but was null.',
  ],
  [
    'the class BackupCodes in place of an instance',
    { backupCodes: BackupCodes },
    'backupCodes must be an instance, new BackupCodes({ store }), but was a class or a function.',
  ],
  [
    'an object with the same methods that is not a BackupCodes',
    { backupCodes: { consume: consumeCode, rejectUnknownUser: consumeCode } },
    'backupCodes must be a BackupCodes. For a service of your own there is consumeCode.',
  ],
  [
    'both findUser and currentUser',
    { consumeCode, findUser, currentUser: () => null },
    'Give findUser (a recovery login) or currentUser (a second factor), not both.',
  ],
  [
    'a findUser that is not a function',
    { consumeCode, findUser: 'ada' },
    'findUser must be a function, but was a string.',
  ],
  [
    'a currentUser that is not a function',
    { consumeCode, currentUser: {} },
    'currentUser must be a function, but was an object.',
  ],
  [
    'a context that is not a function',
    { consumeCode, context: {} },
    'context must be a function, but was an object.',
  ],
  [
    'a userId that is not a function',
    withService({ userId: 'id' }),
    'userId must be a function, but was a string.',
  ],
  [
    'a userId beside consumeCode',
    { consumeCode, userId: () => 1 },
    'userId belongs to backupCodes; consumeCode gets the user.',
  ],
  [
    'a format beside backupCodes',
    withService({ format: formats.recovery }),
    'format belongs to consumeCode; a BackupCodes has its own.',
  ],
  [
    'an unknown format',
    { consumeCode, format: 'hex' },
    'format must be a format, but was a string. Write format: formats.hex,',
  ],
  [
    'a codeField that is not a string',
    { consumeCode, codeField: 7 },
    'codeField must be the name of a field of the body, but was 7.',
  ],
  [
    'an empty usernameField',
    { consumeCode, usernameField: '' },
    'usernameField must be the name of a field of the body, but was empty.',
  ],
  [
    'a passReqToCallback that is not a boolean',
    { consumeCode, passReqToCallback: 'yes' },
    'passReqToCallback must be true or false, but was a string.',
  ],
])('%s is refused with a message that says what was expected', (_what, options, words) => {
  const { code, message } = refusal(options);
  expect(message).toContain(words);
  expect(code).toBe('invalid_option');
});

it('a verify that is not a function is refused', () => {
  expect(refusal({ consumeCode }, { done: true })).toEqual({
    code: 'invalid_option',
    message: 'verify must be a function, but was an object. (docs/errors.md#invalid_option)',
  });
});

it('a format for consumeCode that is too easy to guess is refused', () => {
  expect(refusal({ consumeCode, format: { alphabet: '0123456789', length: 5 } })).toMatchObject({
    code: 'invalid_format',
    message: expect.stringContaining('10^6'),
  });
});

describe('with findUser, the recovery channel', () => {
  const SIXTY_TWO_BITS = defineFormat({
    alphabet: '0123456789abcdefghijklmnopqrstuvwxyz',
    length: 12,
  });
  const SIXTY_FIVE_BITS = defineFormat({
    alphabet: 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789',
    length: 13,
  });

  it.each([
    ['the standard format', formats.standard, 40],
    ['62 bits', SIXTY_TWO_BITS, 62.03],
    ['a list in which an older format is shorter', [formats.recovery, formats.standard], 40],
  ])(
    'findUser refuses %s, and names the number of bits and the standard',
    (_what, format, bits) => {
      const { code, message } = refusal({
        findUser,
        backupCodes: makeService({ format }).backupCodes,
      });
      expect(code).toBe('invalid_format');
      expect(message).toContain(`this BackupCodes reads codes of ${bits} bits.`);
      expect(message).toContain('a code needs 64 bits (NIST SP 800-63B-4, section 4.2.1.1)');
      expect(message).toContain('formats.recovery');
    },
  );

  it.each([
    ['65 bits', SIXTY_FIVE_BITS],
    ['formats.recovery', formats.recovery],
    ['a list of longer formats', [formats.long, formats.recovery]],
  ])('findUser accepts %s', (_what, format) => {
    expect(() =>
      make({ findUser, backupCodes: makeService({ format }).backupCodes }),
    ).not.toThrow();
  });

  it('only findUser needs 64 bits: currentUser accepts the standard format', () => {
    expect(() =>
      make({ currentUser: () => null, backupCodes: makeService().backupCodes }),
    ).not.toThrow();
  });
});

it('the constructor calls neither the functions in its options nor the store', () => {
  const store = new MemoryStore();
  const takeAttempt = jest.spyOn(store, 'takeAttempt');
  const nameKey = jest.spyOn(store, 'nameKey');
  const never = (): never => {
    throw new Error('called at construction');
  };
  make(
    {
      findUser: never,
      messages: never,
      context: never,
      userId: never,
      backupCodes: new BackupCodes({
        store,
        format: formats.recovery,
        hasher: makeService().hasher,
      }),
    },
    never,
  );
  expect([takeAttempt.mock.calls, nameKey.mock.calls]).toEqual([[], []]);
});
