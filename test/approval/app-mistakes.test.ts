// A clock of the app that is broken, and a field of an event that is mistyped.
import { BackupCodes, MemoryStore } from '../../lib';
import { MemoryApprovalStore, TwoPersonApproval } from '../../lib/approval';
import { countingHasher } from '../helpers/counting-hasher';

const backupCodes = new BackupCodes({ store: new MemoryStore(), hasher: countingHasher() });
const openApproval = (now?: () => number): TwoPersonApproval =>
  new TwoPersonApproval({
    store: new MemoryApprovalStore(),
    backupCodes,
    isEntitled: () => true,
    actions: { open: () => 'open' },
    ...(now && { now }),
  });

it('a clock that returns no time is an error, and no code is consumed', async () => {
  const { codes } = await backupCodes.issue('ada');
  const request = { action: 'open', target: 'vault', parameters: {}, code: codes[0] as string };
  await expect(openApproval(() => NaN).request('ada', request)).rejects.toMatchObject({
    code: 'invalid_result',
  });
  expect((await backupCodes.status('ada'))?.remaining).toBe(10);
});

it('audit.record refuses a field that it does not know', async () => {
  const mistyped = { userId: 'ada', detail: { by: 'support' } };
  await expect(backupCodes.audit.record('app_told', mistyped as never)).rejects.toMatchObject({
    code: 'invalid_option',
  });
});
