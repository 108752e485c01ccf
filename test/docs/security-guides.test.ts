// Follows the guides of SECURITY.md for incidents step by step.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BackupCodes, MemoryStore, type Pepper } from '../../lib';
import * as express from '../../lib/express';
import { countingHasher } from '../helpers/counting-hasher';
import { failure } from '../helpers/errors';

const GUIDES =
  readFileSync(join(__dirname, '../../SECURITY.md'), 'utf8')
    .split('## When something happened')[1]
    ?.split('\n## ')[0] ?? '';
const fresh: Pepper = { id: '2027', key: Buffer.alloc(32, 27) };
const leaked: Pepper = { id: '2026', key: Buffer.alloc(32, 26) };
const none: Pepper = { id: 'none' };
const admin = { actor: 'admin-1' };
const since = Date.now() - 1000;

/** Returns a function that restarts on one store with the given peppers. */
function operator(): (...pepper: readonly Pepper[]) => BackupCodes {
  const [store, hasher] = [new MemoryStore(), countingHasher()];
  return (...pepper) => new BackupCodes({ store, hasher, pepper });
}

it('The guides name only functions that exist', () => {
  const calls = new Set(
    Array.from(GUIDES.matchAll(/backupCodes\.([\w.]+)\(/g), ([, name = '']) => name),
  );
  expect([...calls].sort()).toEqual(['audit.events', 'audit.report', 'revoke']);
  const backupCodes = operator()();
  for (const name of calls) expect(backupCodes).toHaveProperty(name);
  expect(express).toHaveProperty('requireEnrollment');
});

it('After a leak without a pepper, revoking and a pepper end old and planted sets', async () => {
  const restart = operator();
  const old = await restart().issue('ada');
  const draining = restart(fresh, none);
  expect((await draining.audit.report({ since })).setsByPepper).toEqual({ none: 1 });
  await draining.revoke('ada', admin);
  expect(await draining.consume('ada', old.codes[0])).toEqual({ ok: false, reason: 'none' });
  const { codes } = await draining.issue('ada');
  const planted = await restart().issue('mallory');
  expect(await restart(fresh, none).consume('mallory', planted.codes[0])).toMatchObject({
    ok: true,
  });
  await expect(restart(fresh).consume('mallory', planted.codes[1])).rejects.toEqual(
    failure('unknown_pepper'),
  );
  expect(await restart(fresh).consume('ada', codes[0])).toMatchObject({ ok: true });
});

it('After a leak of a pepper, printed codes work until it is dropped', async () => {
  const restart = operator();
  const old = await restart(leaked).issue('ada');
  const rotated = restart(fresh, leaked);
  expect(await rotated.consume('ada', old.codes[0])).toMatchObject({ ok: true });
  expect((await rotated.audit.report({ since })).setsByPepper).toEqual({ 2026: 1 });
  const { codes } = await rotated.issue('ada');
  expect((await rotated.audit.report({ since })).setsByPepper).toEqual({ 2027: 1 });
  expect(await restart(fresh).consume('ada', codes[0])).toMatchObject({ ok: true });
});

it('Revoking ends phished codes at once, and the trail has their address', async () => {
  const backupCodes = operator()(fresh);
  const { codes } = await backupCodes.issue('ada');
  await backupCodes.consume('ada', codes[0], { ip: '203.0.113.9', userAgent: 'phishing kit' });
  await backupCodes.consume('ada', codes[0], { ip: '192.0.2.1' });
  await backupCodes.revoke('ada', admin);
  expect(await backupCodes.consume('ada', codes[1])).toEqual({ ok: false, reason: 'none' });
  const { events } = await backupCodes.audit.events({ userId: 'ada', order: 'newest-first' });
  expect(
    events.map(({ type, reason, context }) => [type, reason, context.ip ?? context.actor]),
  ).toEqual([
    ['rejected', 'none', null],
    ['revoked', null, 'admin-1'],
    ['rejected', 'reused', '192.0.2.1'],
    ['consumed', null, '203.0.113.9'],
    ['issued', null, null],
  ]);
});

it('The report shows the address from which attempts on many users failed', async () => {
  const backupCodes = operator()(fresh);
  for (const user of ['ada', 'bob']) await backupCodes.issue(user);
  for (const user of ['ada', 'bob', 'ada', 'bob', 'ada', 'bob'])
    await backupCodes.consume(user, 'AAAA-AAAA', { ip: '203.0.113.9' });
  expect((await backupCodes.audit.report({ since })).unusual.addresses).toEqual([
    { ip: '203.0.113.9', failures: 6, users: 2 },
  ]);
});
