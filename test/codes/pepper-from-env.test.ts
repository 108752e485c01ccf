import { randomBytes } from 'node:crypto';
import { BackupCodes, MemoryStore, pepperFromEnv } from '../../lib';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

const NAME = 'BACKUP_CODE_PEPPER';
const pepper = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;

afterEach(() => {
  delete process.env['BACKUP_CODE_PEPPER'];
});

function errorOf(value: string | undefined): Error {
  if (value === undefined) delete process.env['BACKUP_CODE_PEPPER'];
  else process.env[NAME] = value;
  try {
    pepperFromEnv(NAME);
  } catch (error) {
    return error as Error;
  }
  throw new Error('The variable was accepted.');
}

test('one pepper is read as new-pepper prints it, also with a line break at its end', () => {
  const [id = '', key = ''] = pepper('2026').split(':');
  process.env[NAME] = `${id}:${key}\n`;
  expect(pepperFromEnv(NAME)).toEqual([{ id: '2026', key: Buffer.from(key, 'base64') }]);
});

test('a list of peppers is read in its order, and may end with none', async () => {
  process.env[NAME] = `${pepper('2027')}, ${pepper('2026')},none`;
  const peppers = pepperFromEnv(NAME);
  expect(peppers.map(({ id }) => id)).toEqual(['2027', '2026', 'none']);
  const backupCodes = new BackupCodes({
    store: new MemoryStore(),
    hasher: countingHasher(),
    pepper: peppers,
  });
  await backupCodes.issue('ada');
  expect((await backupCodes.audit.report()).setsByPepper).toEqual({ '2027': 1 });
});

test.each([
  [
    'not set',
    undefined,
    'The variable BACKUP_CODE_PEPPER is not set. Run npx passport-backup-code',
  ],
  ['empty', '', 'The variable BACKUP_CODE_PEPPER is empty.'],
  ['blank', '  ', 'The variable BACKUP_CODE_PEPPER is empty.'],
  [
    'a key without an id',
    pepper('x').slice(2),
    'Entry 1 of the variable BACKUP_CODE_PEPPER is not',
  ],
  [
    'a list with a gap',
    `${pepper('a')},`,
    'Entry 2 of the variable BACKUP_CODE_PEPPER is not an id',
  ],
  ['a key called none', pepper('none'), 'Entry 1 of the variable BACKUP_CODE_PEPPER is not an id'],
  ['a key that was cut off', pepper('a').slice(0, 20), 'has a key of 13 bytes, and 32 are needed'],
  [
    'a key in quotes',
    `"${pepper('a')}"`,
    'Entry 1 of the variable BACKUP_CODE_PEPPER is not an id',
  ],
])('a variable that is %s is refused with its name and the fix', (_what, value, message) => {
  const error = errorOf(value);
  expect(error).toEqual(failure('invalid_pepper'));
  expect(error.message).toContain(message);
  expect(error.message).toContain('npx passport-backup-code new-pepper');
  for (const part of (value ?? '').split(/[:,"\s]/).filter(({ length }) => length > 8))
    expect(error.message).not.toContain(part);
});

test.each([undefined, '', 7])('pepperFromEnv(%p) is refused: it takes a name', (name) => {
  expect(() => pepperFromEnv(name as string)).toThrow(failure('invalid_option'));
});
