// What holds for every Lua script: it makes no write before all rights are checked, and it needs no
// right that docs/redis.md does not list.
import type { Script } from '../../lib/redis/client';
import * as accountScripts from '../../lib/redis/scripts/account-scripts';
import * as approvalScripts from '../../lib/redis/scripts/approval-scripts';
import * as attemptScripts from '../../lib/redis/scripts/attempt-scripts';
import * as auditScripts from '../../lib/redis/scripts/audit-scripts';
import * as consumeScripts from '../../lib/redis/scripts/consume-script';
import * as replayScripts from '../../lib/redis/scripts/replay-scripts';
import * as setScripts from '../../lib/redis/scripts/set-scripts';
import { listedRights } from '../helpers/redis-users';

const scripts: readonly (readonly [name: string, script: Script])[] = [
  accountScripts,
  approvalScripts,
  attemptScripts,
  auditScripts,
  consumeScripts,
  replayScripts,
  setScripts,
].flatMap((module) => Object.entries(module));

const READS = [
  'EXISTS',
  'GET',
  'HEXISTS',
  'HGET',
  'HGETALL',
  'HMGET',
  'TIME',
  'TYPE',
  'XINFO',
  'XRANGE',
  'XREVRANGE',
  'ZRANGE',
  'ZRANGEBYLEX',
  'ZRANGEBYSCORE',
  'ZREVRANGEBYLEX',
  'ZSCORE',
];

/** The commands that are the first argument of one of these Lua functions. */
function commandsOf({ source }: Script, functions: string): string[] {
  const calls = source.matchAll(new RegExp(`\\b(?:${functions})\\(\\s*'(\\w+)'`, 'g'));
  return [...calls].map(([, command = '']) => command);
}

it.each(scripts)('%s makes no write except the planned ones, at its end', (_, script) => {
  for (const command of commandsOf(script, 'redis\\.p?call')) expect(READS).toContain(command);
  const otherCalls = script.source.match(/redis\.p?call\((?!\s*')[^\n]*/g) ?? [];
  expect(otherCalls.filter((call) => call !== 'redis.call(unpack(planned))')).toEqual([]);
});

it('docs/redis.md lists the rights to every command of the scripts, and no other', () => {
  const used = scripts.flatMap(([, script]) =>
    commandsOf(script, 'redis\\.call|write|writeInChunks|remove'),
  );
  const rights = ['EVAL', 'EVALSHA', ...used].map((command) => `+${command.toLowerCase()}`);
  expect([...listedRights].sort()).toEqual([...new Set(rights)].sort());
});
