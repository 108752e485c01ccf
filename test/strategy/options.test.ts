// What the strategy refuses when it is made, and in which words. Nothing of it can be met by a request.
import {
  BackupCodeError,
  BackupCodes,
  BackupCodeStrategy,
  defineFormat,
  formats,
  MemoryStore,
  type BackupCodeStrategyOptions,
} from '../../lib';
import { findUser, service } from './host';

const consumeCode = (): boolean => true;
/** A service that is made within the test. */
const serviceAnd = (options: object): object => ({
  ...options,
  get backupCodes(): BackupCodes {
    return service().backupCodes;
  },
});

/** JavaScript callers have no types to hold them back. */
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
  throw new Error('it was accepted');
}

it("goes by the name 'backup-code'", () => {
  expect(make({ consumeCode }).name).toBe('backup-code');
});

it.each<[string, unknown, string]>([
  ['no options', undefined, 'BackupCodeStrategy takes an options object, but was given undefined.'],
  [
    'a function in their place, as other strategies take',
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
    'nothing that consumes',
    {},
    'Give backupCodes (a BackupCodes) or consumeCode (a function of your own): exactly one of the two.',
  ],
  ['two that consume', serviceAnd({ consumeCode }), 'exactly one of the two.'],
  [
    'a consumeCode that is none',
    { consumeCode: true },
    'consumeCode must be a function, but was a boolean.',
  ],
  ['a consumeCode of null', { consumeCode: null }, 'consumeCode must be a function, but was null.'],
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
    'the class in place of the service',
    { backupCodes: BackupCodes },
    'backupCodes must be an object with consume, rejectUnknownUser, but was a function.',
  ],
  [
    'something with methods alike',
    { backupCodes: { consume: consumeCode, rejectUnknownUser: consumeCode } },
    'backupCodes must be a BackupCodes; for anything else there is consumeCode.',
  ],
  [
    'both findUser and currentUser',
    { consumeCode, findUser, currentUser: () => null },
    'Give findUser (a recovery login) or currentUser (a second factor), not both.',
  ],
  [
    'a findUser that is none',
    { consumeCode, findUser: 'ada' },
    'findUser must be a function, but was a string.',
  ],
  [
    'a currentUser that is none',
    { consumeCode, currentUser: {} },
    'currentUser must be a function, but was an object.',
  ],
  [
    'a context that is none',
    { consumeCode, context: {} },
    'context must be a function, but was an object.',
  ],
  [
    'a userId that is none',
    serviceAnd({ userId: 'id' }),
    'userId must be a function, but was a string.',
  ],
  [
    'a userId beside consumeCode',
    { consumeCode, userId: () => 1 },
    'userId belongs to backupCodes; consumeCode is given the user.',
  ],
  [
    'a format beside backupCodes',
    serviceAnd({ format: formats.recovery }),
    'format belongs to consumeCode; a BackupCodes has its own.',
  ],
  [
    'an unknown format',
    { consumeCode, format: 'hex' },
    'format takes an options object, but was given a string.',
  ],
  [
    'a codeField that is no name',
    { consumeCode, codeField: 7 },
    'codeField must be the name of a field of the body, but was 7.',
  ],
  [
    'an empty usernameField',
    { consumeCode, usernameField: '' },
    'usernameField must be the name of a field of the body, but was empty.',
  ],
  [
    'a passReqToCallback that is neither',
    { consumeCode, passReqToCallback: 'yes' },
    'passReqToCallback must be true or false, but was a string.',
  ],
])('%s is refused', (_what, options, words) => {
  const { code, message } = refusal(options);
  expect(message).toContain(words);
  expect(code).toBe('invalid_option');
});

it('a verify that is no function is refused', () => {
  expect(refusal({ consumeCode }, { done: true })).toEqual({
    code: 'invalid_option',
    message: 'verify must be a function, but was an object.',
  });
});

it('a format of consumeCode that is too easy to guess is refused', () => {
  expect(refusal({ consumeCode, format: { alphabet: '0123456789', length: 5 } })).toMatchObject({
    code: 'invalid_format',
    message: expect.stringContaining('10^6'),
  });
});

describe('findUser signs people in with a code alone, so', () => {
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
  ])('%s is refused, with the number and the standard', (_what, format, bits) => {
    const { code, message } = refusal({ findUser, backupCodes: service({ format }).backupCodes });
    expect(code).toBe('invalid_format');
    expect(message).toContain(`this BackupCodes reads codes of ${bits}.`);
    expect(message).toContain('needs 64 bits (NIST SP 800-63B-4, section 4.2.1.1)');
    expect(message).toContain('formats.recovery');
  });

  it.each([
    ['65 bits', SIXTY_FIVE_BITS],
    ['formats.recovery', formats.recovery],
    ['a list of long ones', [formats.long, formats.recovery]],
  ])('%s is accepted', (_what, format) => {
    expect(() => make({ findUser, backupCodes: service({ format }).backupCodes })).not.toThrow();
  });

  it('behind a first factor the standard format is enough', () => {
    expect(() =>
      make({ currentUser: () => null, backupCodes: service().backupCodes }),
    ).not.toThrow();
  });
});

it('runs none of the functions it is given, and asks the store for nothing', () => {
  const store = new MemoryStore();
  const takeAttempt = jest.spyOn(store, 'takeAttempt');
  const nameKey = jest.spyOn(store, 'nameKey');
  const never = (): never => {
    throw new Error('called at construction');
  };
  make(
    {
      findUser: never,
      context: never,
      userId: never,
      backupCodes: new BackupCodes({ store, format: formats.recovery, hasher: service().hasher }),
    },
    never,
  );
  expect([takeAttempt.mock.calls, nameKey.mock.calls]).toEqual([[], []]);
});
