// Queries of the audit trail are checked before the store is called, and an invalid one changes
// nothing.
import { BackupCodes, MemoryStore, type BackupCodeStore, type EventsQuery } from '../../lib';
import { STORE_METHODS } from '../../lib/stores/contract';
import { DAY_MS, fakeClock, START } from '../helpers/clock';
import { countingHasher } from '../helpers/counting-hasher';

const store = new MemoryStore();
const clock = fakeClock();
const backupCodes = new BackupCodes({ store, hasher: countingHasher(), now: clock.now });
/** A store with the methods of a verification only, as another package may have it. */
const bareStore = Object.fromEntries(
  STORE_METHODS.map((method) => [method, () => Promise.reject(new Error('unused'))]),
) as unknown as BackupCodeStore;

beforeAll(() => backupCodes.issue('ada'));
afterAll(async () => {
  expect(await backupCodes.status('ada')).toMatchObject({ remaining: 10 });
  expect(store.auditTrail).toHaveLength(1);
});

describe('events', () => {
  test.each<[string, unknown, string]>([
    ['a limit of -1', { limit: -1 }, 'invalid_limit'],
    ['a limit of 0', { limit: 0 }, 'invalid_limit'],
    ['a limit of 1001', { limit: 1001 }, 'invalid_limit'],
    ['half a limit', { limit: 1.5 }, 'invalid_limit'],
    ['an invalid cursor', { after: 'yesterday' }, 'invalid_cursor'],
    ['a cursor that is not a string', { after: 7 }, 'invalid_cursor'],
    [
      'a cursor of another store',
      { after: Buffer.from('["redis","1-1"]').toString('base64url') },
      'invalid_cursor',
    ],
    [
      'an undefined user id, which would show the events of all users',
      { userId: undefined },
      'invalid_user_id',
    ],
    ['an empty user id', { userId: '' }, 'invalid_user_id'],
    ['an unknown type', { types: ['login'] }, 'invalid_option'],
    ['types that are not a list', { types: 'issued' }, 'invalid_option'],
    ['an unknown order', { order: 'random' }, 'invalid_option'],
    ['an unknown option', { user: 'ada' }, 'invalid_option'],
    ['null in place of a query', null, 'invalid_option'],
  ])('Reading events with %s is refused', async (_what, query, code) => {
    await expect(backupCodes.audit.events(query as EventsQuery)).rejects.toMatchObject({
      name: 'BackupCodeError',
      code,
    });
  });
});

describe('dates', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['pruning before a future date', () => backupCodes.audit.prune({ before: START + 1 })],
    ['pruning without a date', () => backupCodes.audit.prune({} as never)],
    ['pruning before a string', () => backupCodes.audit.prune({ before: '2026-01-01' as never })],
    ['pruning before an invalid date', () => backupCodes.audit.prune({ before: new Date(NaN) })],
    ['a report that starts tomorrow', () => backupCodes.audit.report({ since: START + DAY_MS })],
    ['a report that starts at -1', () => backupCodes.audit.report({ since: -1 })],
    ['recording reminders at NaN', () => backupCodes.audit.recordReminders({ now: NaN })],
    [
      'recording reminders after the last date',
      () => backupCodes.audit.recordReminders({ now: 8.64e15 + 1 }),
    ],
  ])('%s is refused as an invalid date', async (_what, ask) => {
    await expect(ask()).rejects.toMatchObject({ name: 'BackupCodeError', code: 'invalid_date' });
  });

  test('Times are accepted as a Date and as milliseconds', async () => {
    expect(await backupCodes.audit.prune({ before: new Date(START) })).toBe(0);
    expect(await backupCodes.audit.report({ since: new Date(START - DAY_MS) })).toEqual(
      await backupCodes.audit.report({ since: START - DAY_MS }),
    );
    expect(await backupCodes.audit.recordReminders({ now: new Date(START) })).toBe(0);
  });
});

test('A store without an audit trail verifies codes, and reports what it lacks', async () => {
  const bare = new BackupCodes({ store: bareStore, hasher: countingHasher() });
  for (const ask of [
    () => bare.audit.events(),
    () => bare.audit.prune({ before: 0 }),
    () => bare.audit.recordReminders(),
    () => bare.audit.report(),
  ]) {
    await expect(ask()).rejects.toMatchObject({
      code: 'not_supported',
      message:
        'This store has no audit trail that can be read: ' +
        'it lacks readEvents, prune, recordReminders, report. (docs/errors.md#not_supported)',
    });
  }
});
