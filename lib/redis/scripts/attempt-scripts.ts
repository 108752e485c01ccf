// The scripts that count attempts and lock a channel. Each is one method of the store.
import { REFUSALS_COUNTED_MS } from '../../stores/contract';
import { defineScript } from '../client';
import { USER_FUNCTIONS } from './user-functions';

/**
 * Reads `channel`, `now`, `waits`, `refusal`, `refusalId`, and `keptMs` for an unknown user name.
 * Returns `granted`, attempt, generation, nextAt and all fields of the user; or `refused`, reason,
 * nextAt and the events that it wrote.
 */
export const takeAttemptScript = defineScript(`${USER_FUNCTIONS}
local channel = request.channel
local now = request.now
local counter = readCounter(channel)

-- Refusals are counted in the first one's event for a day, unless that event was pruned.
local function isFirstRefusalCurrent()
  if not counter.refusalEntry then
    return false
  end
  local found = redis.call('XRANGE', events, counter.refusalEntry, counter.refusalEntry)
  if #found == 0 then
    return false
  end
  local fields = found[1][2]
  return cjson.decode(fields[2]).at > now - ${REFUSALS_COUNTED_MS}
end

local isCountedInFirst = isFirstRefusalCurrent()
local refusalsSoFar = toNumber(redis.call('HGET', refusals, counter.refusalId or '') or 1)
local forgetAt = redis.call('HGET', user, 'forgetAt')

-- Only unknown user names are forgotten: here by the caller's clock. If no attempt follows, the key
-- expires by the server's clock.
if forgetAt and now >= toNumber(forgetAt) then
  redis.call('DEL', user)
  counter = readCounter(channel)
  isCountedInFirst = false
end

local function keepUnknownName()
  if request.keptMs then
    redis.call('HSET', user, 'forgetAt', toText(now + request.keptMs))
    redis.call('PEXPIRE', user, toText(request.keptMs))
  end
end

local isLocked = counter.lockedAt or counter.attempts >= #request.waits
if isLocked or now < counter.nextAt then
  local reason = isLocked and 'locked' or 'throttled'
  if isCountedInFirst then
    redis.call('HSET', refusals, counter.refusalId, toText(refusalsSoFar + 1))
  else
    local entry = record(request.refusal, 'reason', reason, 'refusals', '1')
    redis.call('HSET', user, channel .. ':refusalId', request.refusalId)
    redis.call('HSET', user, channel .. ':refusalEntry', entry)
  end
  keepUnknownName()
  return { 'refused', reason, toText(counter.nextAt), written }
end

local attempt = counter.attempts + 1
local wait = request.waits[attempt]
local nextAt = wait == 0 and 0 or now + wait
redis.call('HSET', user, channel .. ':attempts', toText(attempt))
redis.call('HSET', user, channel .. ':nextAt', toText(nextAt))
redis.call('HDEL', user, channel .. ':refusalId', channel .. ':refusalEntry')
keepUnknownName()
return {
  'granted',
  toText(attempt),
  toText(counter.generation),
  toText(nextAt),
  redis.call('HGETALL', user),
}
`);

/** Reads `channel`, `generation`, `nextAt` of the ticket. */
export const giveBackScript = defineScript(`${USER_FUNCTIONS}
local channel = request.channel
local counter = readCounter(channel)
if counter.generation ~= request.generation or counter.attempts == 0 then
  return
end
redis.call('HSET', user, channel .. ':attempts', toText(counter.attempts - 1))
if counter.nextAt == request.nextAt then
  redis.call('HDEL', user, channel .. ':nextAt')
end
`);

/**
 * Reads `events`, and `lock` with `channel`, `generation`, `now`, `event`. Returns the events that
 * it wrote.
 */
export const appendScript = defineScript(`${USER_FUNCTIONS}
local toWrite = request.events
local lock = request.lock

local function isLockable()
  if not lock or redis.call('EXISTS', user) == 0 then
    return false
  end
  return readCounter(lock.channel).generation == lock.generation
end

if isLockable() then
  redis.call('HSET', user, lock.channel .. ':lockedAt', toText(lock.now))
  table.insert(toWrite, lock.event)
end
for _, event in ipairs(toWrite) do
  record(event)
end
return written
`);

/** Reads `candidate`. Returns the stored key, which is the candidate of the first call. */
export const nameKeyScript = defineScript(`
local request = cjson.decode(ARGV[1])
redis.call('SET', KEYS[1], request.candidate, 'NX')
return redis.call('GET', KEYS[1])
`);
