import { RedisApprovalStore, type RedisClient } from '../../lib/redis';
import { readApprovalScript } from '../../lib/redis/scripts/approval-scripts';

const stored = JSON.stringify({ id: 'a1', target: 'vault', state: 'requested', digest: '00' });

/** Another caller always changes the record between the reading and the replacing of it. */
function contendedClient(): { readonly client: RedisClient; readonly reads: () => number } {
  let reads = 0;
  const evalSha = async (sha1: string): Promise<string> => {
    if (sha1 !== readApprovalScript.sha1) return 'changed';
    reads += 1;
    return stored;
  };
  return { client: { eval: evalSha, evalSha }, reads: () => reads };
}

it('RedisApprovalStore gives up on a request that others change 100 times', async () => {
  const { client, reads } = contendedClient();
  const store = new RedisApprovalStore({ client });
  await expect(store.update('a1', (record) => ({ ...record, state: 'denied' }))).rejects.toThrow(
    expect.objectContaining({ code: 'busy' }),
  );
  expect(reads()).toBe(100);
});
