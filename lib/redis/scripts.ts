// The Lua that `RedisStore` runs: a script for each method, each one atomic step. It reads and checks all it needs
// before it writes anything, for Redis does not roll a failed script back. It knows no clock and no policy, and alters
// no event: what is to be filled in stands beside it in the stream.
import { REFUSALS_COUNTED_MS } from '../stores/contract';
import { defineScript } from './client';

/** How long the times of a set that was replaced or revoked are kept: longer than a set lives by default. */
const ENDED_KEPT_MS = 400 * 86_400_000;

export const COMMON = `
local user, ended, events, refusals, sets = unpack(KEYS)
for key, kind in pairs({ [user] = 'hash', [ended] = 'hash', [events] = 'stream', [refusals] = 'hash', [sets] = 'zset' }) do
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then
    return redis.error_reply('WRONGTYPE ' .. key .. ' must be a ' .. kind .. ' but is a ' .. found .. '. Nothing was changed.')
  end
end

-- Lua would write 1e+14.
local function text(number) return string.format('%.0f', number) end

local function whole(stored) return assert(tonumber(stored or 0), 'A stored number is damaged. Nothing was changed.') end

-- The server's clock gives the entry its name, so that the order is that of the commits whatever the callers' clocks say.
local written = {}
local function record(event, ...)
  table.insert(written, { 'event', event, ... })
  return redis.call('XADD', events, '*', 'event', event, ...)
end

local function countOf(channel)
  local stored = redis.call('HMGET', user, channel .. ':attempts', channel .. ':nextAt', channel .. ':generation', channel .. ':lockedAt', channel .. ':refusalId', channel .. ':refusalEntry')
  return { attempts = whole(stored[1]), nextAt = whole(stored[2]), generation = whole(stored[3]), lockedAt = stored[4], refusalId = stored[5], refusalEntry = stored[6] }
end

local function beginCount(channel, generation)
  redis.call('HDEL', user, channel .. ':attempts', channel .. ':nextAt', channel .. ':lockedAt', channel .. ':refusalId', channel .. ':refusalEntry')
  redis.call('HSET', user, channel .. ':generation', text(generation))
end

local function dropStaged() redis.call('HDEL', user, 'staged', 'stagedId', 'stagedUntil') end

-- Of the current set only the times stay, and those of sets that ended long ago go.
local function endSet(now)
  local old, consumedAt, codes = {}, {}, {}
  local stored = redis.call('HGETALL', user)
  for i = 1, #stored, 2 do
    local field, value = stored[i], stored[i + 1]
    old[field] = value
    if string.find(field, '^consumed:') then table.insert(consumedAt, value) end
    if string.find(field, '^consumed:') or string.find(field, '^code:') then table.insert(codes, field) end
  end
  if not old.setId then return end
  local times = string.format('{"endedAt":%s,"createdAt":%s,"expiresAt":%s,"consumedAt":[%s]}', text(now), old.createdAt, old.expiresAt or 'null', table.concat(consumedAt, ','))
  local forgotten = {}
  stored = redis.call('HGETALL', ended)
  for i = 1, #stored, 2 do
    local endedAt = tonumber(string.match(stored[i + 1], '"endedAt":(%d+)'))
    if endedAt and endedAt <= now - ${ENDED_KEPT_MS} then table.insert(forgotten, stored[i]) end
  end

  redis.call('HDEL', user, 'setId', 'header', 'createdAt', 'expiresAt', 'total', 'remaining', 'lastConsumedAt', 'pepperId', 'hasher', 'reminded', unpack(codes))
  redis.call('ZREM', sets, user)
  if #forgotten > 0 then redis.call('HDEL', ended, unpack(forgotten)) end
  redis.call('HSET', ended, old.setId, times)
  redis.call('PEXPIRE', ended, ${ENDED_KEPT_MS})
end

-- A set, as a list of fields and values, becomes the current one; both channels count from nothing.
local function beginSet(set, now)
  local expiresAt = '+inf'
  for i = 1, #set, 2 do
    if set[i] == 'expiresAt' then expiresAt = text(whole(set[i + 1])) end
  end
  local generations = {}
  for _, channel in ipairs({ 'second_factor', 'recovery' }) do generations[channel] = countOf(channel).generation + 1 end

  endSet(now)
  dropStaged()
  redis.call('HSET', user, 'hadSet', '1', unpack(set))
  redis.call('ZADD', sets, expiresAt, user)
  for channel, generation in pairs(generations) do beginCount(channel, generation) end
end
`;

export const replaceScript = defineScript(`${COMMON}
local set, event, now, only = cjson.decode(ARGV[1]), ARGV[2], whole(ARGV[3]), ARGV[4]
if only == 'first' and redis.call('HEXISTS', user, 'hadSet') == 1 then return written end
beginSet(set, now)
record(event)
return written
`);

export const stageScript = defineScript(`${COMMON}
local set, setId, untilTime, event, userId = unpack(ARGV)
redis.call('HSET', user, 'userId', userId, 'staged', set, 'stagedId', setId, 'stagedUntil', untilTime)
record(event)
return written
`);

export const activateScript = defineScript(`${COMMON}
local setId, now, event = ARGV[1], whole(ARGV[2]), ARGV[3]
local stagedId, stagedUntil, staged = unpack(redis.call('HMGET', user, 'stagedId', 'stagedUntil', 'staged'))
if stagedId ~= setId or now >= whole(stagedUntil) then return written end
beginSet(cjson.decode(staged), now)
local total = redis.call('HGET', user, 'total')
record(event, 'remaining', total, 'total', total)
return written
`);

export const findScript = defineScript(`${COMMON}
return redis.call('HGETALL', user)
`);

/** Gives the ticket and what `find` gives, or the refusal. */
export const takeAttemptScript = defineScript(`${COMMON}
local channel, now, waits, refusalId, refusal, keptMs = ARGV[1], whole(ARGV[2]), cjson.decode(ARGV[3]), ARGV[4], ARGV[5], whole(ARGV[6])
local count = countOf(channel)
local refused = whole(redis.call('HGET', refusals, count.refusalId or '') or 1)
local found = count.refusalEntry and redis.call('XRANGE', events, count.refusalEntry, count.refusalEntry) or {}
local isCountedIn = found[1] and cjson.decode(found[1][2][2]).at > now - ${REFUSALS_COUNTED_MS}
local forgetAt = whole(redis.call('HGET', user, 'forgetAt') or math.huge)

-- Only names that belong to nobody are forgotten: by the caller's clock here, and by the server's if nobody asks again.
if now >= forgetAt then
  redis.call('DEL', user)
  count = countOf(channel)
  isCountedIn = false
end
local function keep()
  if keptMs == 0 then return end
  redis.call('HSET', user, 'forgetAt', text(now + keptMs))
  redis.call('PEXPIRE', user, text(keptMs))
end

local isLocked = count.lockedAt or count.attempts >= #waits
if isLocked or now < count.nextAt then
  local reason = isLocked and 'locked' or 'throttled'
  if isCountedIn then
    redis.call('HSET', refusals, count.refusalId, text(refused + 1))
  else
    local entry = record(refusal, 'reason', reason, 'refusals', '1')
    redis.call('HSET', user, channel .. ':refusalId', refusalId, channel .. ':refusalEntry', entry)
  end
  keep()
  return { 'refused', reason, text(count.nextAt), written }
end

local attempt = count.attempts + 1
local nextAt = waits[attempt] == 0 and 0 or now + waits[attempt]
redis.call('HSET', user, channel .. ':attempts', text(attempt), channel .. ':nextAt', text(nextAt))
redis.call('HDEL', user, channel .. ':refusalId', channel .. ':refusalEntry')
keep()
return { 'granted', text(attempt), text(count.generation), text(nextAt), redis.call('HGETALL', user) }
`);

export const giveBackScript = defineScript(`${COMMON}
local channel, generation, ticketNextAt = ARGV[1], whole(ARGV[2]), whole(ARGV[3])
local count = countOf(channel)
if count.generation ~= generation or count.attempts == 0 then return end
redis.call('HSET', user, channel .. ':attempts', text(count.attempts - 1))
if count.nextAt == ticketNextAt then redis.call('HDEL', user, channel .. ':nextAt') end
`);

export const consumeScript = defineScript(`${COMMON}
local setId, codeId, channel, now = ARGV[1], ARGV[2], ARGV[3], whole(ARGV[4])
local wanted, milestones, replacementId, replacement = cjson.decode(ARGV[5]), cjson.decode(ARGV[6]), ARGV[7], ARGV[8]
local currentId, expiresAt, remaining, total, code, consumedAt =
  unpack(redis.call('HMGET', user, 'setId', 'expiresAt', 'remaining', 'total', 'code:' .. codeId, 'consumed:' .. codeId))
local count = countOf(channel)
if currentId ~= setId then return { 'gone', 'none' } end
if expiresAt and now >= whole(expiresAt) then return { 'gone', 'expired' } end
if count.lockedAt then return { 'gone', 'locked' } end
if not code then return { 'gone', 'none' } end
if consumedAt then return { 'already_consumed', consumedAt } end

remaining, total = whole(remaining) - 1, whole(total)
if replacementId ~= '' then remaining, total = remaining + 1, total + 1 end
for _, milestone in ipairs(milestones) do
  if tonumber(milestone[1]) == remaining then table.insert(wanted, milestone[2]) end
end

redis.call('HSET', user, 'consumed:' .. codeId, text(now), 'lastConsumedAt', text(now), 'remaining', text(remaining), 'total', text(total))
if replacementId ~= '' then redis.call('HSET', user, 'code:' .. replacementId, replacement) end
beginCount(channel, count.generation + 1)
for _, event in ipairs(wanted) do record(event, 'remaining', text(remaining), 'total', text(total)) end
return { 'consumed', text(remaining), text(total), written }
`);

export const revokeScript = defineScript(`${COMMON}
local now, event = whole(ARGV[1]), ARGV[2]
local setId = redis.call('HGET', user, 'setId')
endSet(now)
dropStaged()
if setId then record(event, 'setId', setId) end
return written
`);

export const appendScript = defineScript(`${COMMON}
local wanted, channel, generation, now, locked = cjson.decode(ARGV[1]), ARGV[2], whole(ARGV[3]), whole(ARGV[4]), ARGV[5]
local locks = channel ~= '' and redis.call('EXISTS', user) == 1 and countOf(channel).generation == generation
if locks then
  redis.call('HSET', user, channel .. ':lockedAt', text(now))
  table.insert(wanted, locked)
end
for _, event in ipairs(wanted) do record(event) end
return written
`);

export const nameKeyScript = defineScript(`
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
`);
