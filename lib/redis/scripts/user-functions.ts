// The Lua that every script on a user's keys begins with, and the call of such a script. The Lua
// knows no policy, and reads no clock except for the names of stream entries. It never changes an
// event: a field to fill in is stored beside the event.
import { DAY_MS } from '../../internal/time';
import { firstGeneration } from '../../stores/generation';
import { runScript, type Script, type ScriptRequest } from '../client';
import { userKeys } from '../keys';
import type { RedisKeyspace } from '../redis-options';
import { PLANNED_WRITES } from './planned-writes';

/** How long the times of an ended set are kept. Longer than a set lives by default. */
const ENDED_KEPT_MS = 400 * DAY_MS;

/** Lua passes about 8000 values to a function at most. Even: names and values stay together. */
const CHUNK_SIZE = 1000;

/** Functions that read see the data from before the script: its writes are made at its end. */
export const USER_FUNCTIONS = `${PLANNED_WRITES}
local user = KEYS[1]
local ended = KEYS[2]
local events = KEYS[3]
local refusals = KEYS[4]
local sets = KEYS[5]
local withoutSet = KEYS[6]
local networks = KEYS[7]
local request = cjson.decode(ARGV[1])

local types = { 'hash', 'hash', 'stream', 'hash', 'zset', 'zset', 'zset', 'hash' }
for n, key in ipairs(KEYS) do
  local expected = types[n]
  local found = redis.call('TYPE', key).ok
  if found ~= expected and found ~= 'none' then
    local message = 'WRONGTYPE %s must be a %s but is a %s. Nothing was changed.'
    return redis.error_reply(string.format(message, key, expected, found))
  end
end

-- Writes every digit. By default Lua writes 100000000000000 as 1e+14.
local function toText(number)
  return string.format('%.0f', number)
end

-- A missing number is 0.
local function toNumber(stored)
  return assert(tonumber(stored or 0), 'A stored number is damaged. Nothing was changed.')
end

-- Fields of the user by name. A missing field is false.
local function readUser(...)
  local values = redis.call('HMGET', user, ...)
  local fields = {}
  for n, name in ipairs({ ... }) do
    fields[name] = values[n]
  end
  return fields
end

-- Plans a command with a list of any length, in chunks. A set may have thousands of codes.
local function writeInChunks(command, key, list)
  for first = 1, #list, ${CHUNK_SIZE} do
    local last = math.min(first + ${CHUNK_SIZE} - 1, #list)
    write(command, key, unpack(list, first, last))
  end
end

-- What the script returns as the events that it wrote: each as the fields of its stream entry.
local written = {}

-- Plans the write of an event, and returns its position. The pairs of names and values after it
-- replace fields of the event. The server names the entry by its own clock: the order is that of
-- the commits, whatever callers' clocks say.
local function record(event, ...)
  table.insert(written, { 'event', event, ... })
  return write('XADD', events, '*', 'event', event, ...)
end

-- Writes the event under this id, or counts it in the one that has the id already.
local function count(event, id, ...)
  local counted = toNumber(redis.call('HGET', refusals, id))
  write('HSET', refusals, id, toText(counted + 1))
  if counted == 0 then
    record(event, 'id', id, 'refusals', '1', ...)
  end
end

-- What this command returned when it ran before; nil if it did not. A client may send a command
-- again if it lost the answer. Only the last change of a user is found.
local function readEarlierReply()
  local id, entry = string.match(redis.call('HGET', user, 'change') or '', '^(%S+) (%S+)$')
  if id ~= request.id then
    return nil
  end
  for _, found in ipairs(redis.call('XRANGE', events, entry, entry)) do
    table.insert(written, found[2])
  end
  return written
end

-- Makes the planned writes, and notes the event at this position as the last change of the user.
local function commitChange(position)
  write('HSET', user, 'change', function()
    return request.id .. ' ' .. replies[position]
  end)
  return commit(written)
end

local function readSecondFactor()
  local fields = readUser(
    'second_factor:attempts',
    'second_factor:nextAt',
    'second_factor:generation',
    'second_factor:lockedAt',
    'second_factor:attemptId'
  )
  return {
    attempts = toNumber(fields['second_factor:attempts']),
    nextAt = toNumber(fields['second_factor:nextAt']),
    generation = toNumber(fields['second_factor:generation'] or request.firstGeneration),
    lockedAt = fields['second_factor:lockedAt'],
    attemptId = fields['second_factor:attemptId'],
  }
end

-- nil before the channel is first reset, or the second factor first counts.
local function readGeneration(channel)
  local stored = redis.call('HGET', user, channel .. ':generation')
  return stored and toNumber(stored) or nil
end

local function nextGeneration(channel)
  local generation = readGeneration(channel)
  return generation and generation + 1 or request.firstGeneration
end

-- A channel counts from zero, in a new generation: on recovery for all networks.
local function beginGeneration(channel, generation)
  write('HSET', user, channel .. ':generation', toText(generation))
  if channel == 'second_factor' then
    write(
      'HDEL',
      user,
      'second_factor:attempts',
      'second_factor:nextAt',
      'second_factor:lockedAt',
      'second_factor:attemptId'
    )
  end
end

local function dropStagedSet()
  write('HDEL', user, 'staged', 'stagedId', 'stagedUntil')
end

-- The times of a set as JSON. cjson.encode would write long numbers as 1e+14.
local function timesOf(set, consumedTimes, now)
  return string.format(
    '{"endedAt":%s,"createdAt":%s,"expiresAt":%s,"consumedAt":[%s]}',
    toText(now),
    set.createdAt,
    set.expiresAt or 'null',
    table.concat(consumedTimes, ',')
  )
end

-- The ids of sets that ended so long ago that their times are removed.
local function outdatedSets(now)
  local outdated = {}
  local stored = redis.call('HGETALL', ended)
  for i = 1, #stored, 2 do
    local endedAt = tonumber(string.match(stored[i + 1], '"endedAt":(%d+)'))
    if endedAt and endedAt <= now - ${ENDED_KEPT_MS} then
      table.insert(outdated, stored[i])
    end
  end
  return outdated
end

-- Erases the current set. Only its times are kept.
local function endSet(now)
  local set = {}
  local consumedTimes = {}
  local codeFields = {}
  local stored = redis.call('HGETALL', user)
  for i = 1, #stored, 2 do
    local field = stored[i]
    local value = stored[i + 1]
    set[field] = value
    if string.find(field, '^consumed:') then
      table.insert(consumedTimes, value)
      table.insert(codeFields, field)
    elseif string.find(field, '^code:') or string.find(field, '^consumption:') then
      table.insert(codeFields, field)
    end
  end
  if not set.setId then
    return
  end
  local times = timesOf(set, consumedTimes, now)
  local outdated = outdatedSets(now)

  write(
    'HDEL',
    user,
    'setId',
    'header',
    'createdAt',
    'expiresAt',
    'total',
    'remaining',
    'lastConsumedAt',
    'pepperId',
    'hasher',
    'reminded'
  )
  writeInChunks('HDEL', user, codeFields)
  write('HSET', ended, set.setId, times)
  writeInChunks('HDEL', ended, outdated)
  write('PEXPIRE', ended, ${ENDED_KEPT_MS})
end

-- Lists the user among those who have no set, since this time.
local function listWithoutSet(since)
  write('ZREM', sets, user)
  write('ZADD', withoutSet, toText(since), user)
end

-- The value of a name in a list of names and values.
local function valueOf(list, name)
  for i = 1, #list, 2 do
    if list[i] == name then
      return list[i + 1]
    end
  end
end

-- Makes a set current, given as a list of names and values. Both channels count from zero.
local function beginSet(set, now)
  local expiresAt = valueOf(set, 'expiresAt')
  local score = expiresAt and toText(toNumber(expiresAt)) or '+inf'
  local secondFactor = nextGeneration('second_factor')
  local recovery = nextGeneration('recovery')

  endSet(now)
  dropStagedSet()
  write('HSET', user, 'hadSet', '1')
  writeInChunks('HSET', user, set)
  write('ZADD', sets, score, user)
  write('ZREM', withoutSet, user)
  beginGeneration('second_factor', secondFactor)
  beginGeneration('recovery', recovery)
end
`;

export interface UserCall {
  /** The `key` of a subject. */
  readonly subjectKey: string;
  /** The network whose counter the script needs. */
  readonly network?: string;
  readonly request?: ScriptRequest;
}

/** The keys of a user as the first lines of {@link USER_FUNCTIONS} name them, in that order. */
export function userScriptKeys(prefix: string, subjectKey: string): string[] {
  const { user, ended, events, refusals, sets, withoutSet, networks } = userKeys(
    prefix,
    subjectKey,
  );
  return [user, ended, events, refusals, sets, withoutSet, networks];
}

/** Runs a script that begins with {@link USER_FUNCTIONS}. */
export function runUserScript(
  { client, prefix }: RedisKeyspace,
  script: Script,
  { subjectKey, network, request }: UserCall,
): Promise<unknown> {
  const keys = userScriptKeys(prefix, subjectKey);
  if (network !== undefined) keys.push(`${userKeys(prefix, subjectKey).networks}:${network}`);
  const withGeneration = { ...request, firstGeneration: firstGeneration() };
  return runScript(client, script, { keys, request: withGeneration });
}
