#!/usr/bin/env bash
# While a Redis cluster moves a slot, a script that deletes its own key and sets it again stops half
# way, and its first writes stay. The same commands in MULTI are all done.
#
# Guess      Redis checks the keys of a script before it runs. The script then runs as a whole, at
#            least as far as MULTI would.
# What       The keys are checked again at each write of the script. On the node that the slot is
#            leaving, a key that the script itself has deleted counts as moved. The next write to
#            it ends the script with "Script attempted to access a non local key", although the
#            key is declared, is in the same slot, and has never been on another node. The writes
#            before it stay. MULTI with the same commands, on the same data, is done completely.
#            If a key is missing before the start, TRYAGAIN refuses the script as a whole.
# Versions   redis-server 7.0.15 of Debian, redis 6.3.1 of npm.
# Means      A script that replaces a set of backup codes (delete the old codes, add the new ones)
#            can lose both sets: the old one is deleted, the new one is not stored. It happens only
#            while an operator moves slots, so no ordinary test sees it.
# Our part   lib/redis/scripts/planned-writes.ts: no write empties a key that a later write fills.
#            test/servers/redis/slot-migration.test.ts runs every call while its slot moves.
# Needs      redis-server 7 (Debian: redis-server).
source "$(dirname "$0")/helpers/start.sh"
need redis-server 'the Debian package redis-server'

install redis@6.3.1

check <<'JS'
const { expect, printVersion, title } = require('./expect.js');
const { run, startRedis, waitFor } = require('./servers.js');

const KEYS = ['{user}:version', '{user}:codes', '{user}:log'];
const REPLACE = `
redis.call('SET', KEYS[1], 'new')
redis.call('DEL', KEYS[2])
redis.call('SET', KEYS[2], 'new')
redis.call('SET', KEYS[3], 'new')
return 'done'`;

const main = async () => {
  const cluster = { 'cluster-enabled': 'yes', appendonly: 'no' };
  const [{ client: source }, { client: target, port }] = await Promise.all([
    startRedis(cluster),
    startRedis(cluster),
  ]);
  const [, version] = /redis_version:(\S+)/.exec(await source.info('server'));
  console.log(`redis-server ${version}`);
  printVersion('redis');
  const send = (...args) => source.sendCommand(args);
  await send('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await send('CLUSTER', 'MEET', '127.0.0.1', `${port}`);
  const targetId = await target.sendCommand(['CLUSTER', 'MYID']);
  await waitFor('The meeting of the nodes', async () =>
    (await send('CLUSTER', 'NODES')).includes(targetId),
  );
  await waitFor('The start of the cluster', async () =>
    /state:ok/.test(await send('CLUSTER', 'INFO')),
  );

  const slot = `${await send('CLUSTER', 'KEYSLOT', KEYS[0])}`;
  /** Sets the keys to `old`, and has the slot be on its way while `call` runs. */
  const whileSlotMoves = async (keys, call) => {
    await send('DEL', ...KEYS);
    for (const key of keys) await send('SET', key, 'old');
    await send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId);
    const answer = await call().then(String, ({ message }) => message);
    await send('CLUSTER', 'SETSLOT', slot, 'STABLE');
    return { answer, values: await send('MGET', ...KEYS) };
  };
  const runScript = () => send('EVAL', REPLACE, '3', ...KEYS);

  title('The script, with all its keys on the node');
  const script = await whileSlotMoves(KEYS, runScript);
  expect(
    'answer',
    script.answer.replace(/:.*/, ''),
    'ERR Script attempted to access a non local key in a cluster node script',
  );
  expect('values of the three keys', script.values, ['new', null, 'old']);

  title('MULTI with the same commands, with all keys on the node');
  const multi = await whileSlotMoves(KEYS, () =>
    source.multi().set(KEYS[0], 'new').del(KEYS[1]).set(KEYS[1], 'new').set(KEYS[2], 'new').exec(),
  );
  expect('answer', multi.answer, 'OK,1,OK,OK');
  expect('values of the three keys', multi.values, ['new', 'new', 'new']);

  title('The script, with one key missing before it starts');
  const missing = await whileSlotMoves([KEYS[0], KEYS[2]], runScript);
  expect('answer', missing.answer.replace(/ .*/, ''), 'TRYAGAIN');
  expect('values of the three keys', missing.values, ['old', null, 'old']);

  title('The script, after the slot has stopped moving');
  await send('MSET', ...KEYS.flatMap((key) => [key, 'old']));
  expect('answer', await runScript(), 'done');
  expect('values of the three keys', await send('MGET', ...KEYS), ['new', 'new', 'new']);
};

run(main);
JS
