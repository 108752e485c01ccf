// The scripts that count attempts and lock a channel. Each is one method of the store.
import { DAY_MS } from '../../internal/time';
import { defineScript } from '../client';
import { PLANNED_WRITES } from './planned-writes';
import { USER_FUNCTIONS } from './user-functions';

/**
 * The counter of an attempt: fields of the user on the second factor, or the hash KEYS[8] of a
 * network, which counts from zero in another generation of the user. If the user has no generation,
 * each counter has one of its own. `networks` lists the networks of the user by when their counters
 * expire.
 */
const COUNTER = `
local network = KEYS[8]

local function readCounter()
  if request.channel == 'second_factor' then
    return readSecondFactor()
  end
  local generation = readGeneration('recovery')
  local values =
    redis.call('HMGET', network, 'attempts', 'nextAt', 'generation', 'forgetAt', 'attemptId')
  local isForgotten = request.now and request.now >= toNumber(values[4])
  local isCurrent = values[3] and (not generation or toNumber(values[3]) == generation)
  if isForgotten or not isCurrent then
    return { attempts = 0, nextAt = 0, generation = generation or request.firstGeneration }
  end
  return {
    attempts = toNumber(values[1]),
    nextAt = toNumber(values[2]),
    generation = toNumber(values[3]),
    attemptId = values[5],
  }
end

local function writeCounter(attempts, nextAt, generation, attemptId)
  if request.channel == 'second_factor' then
    write('HSET', user, 'second_factor:attempts', toText(attempts))
    write('HSET', user, 'second_factor:nextAt', toText(nextAt))
    write('HSET', user, 'second_factor:generation', toText(generation))
    write('HSET', user, 'second_factor:attemptId', attemptId)
    return
  end
  write(
    'HSET',
    network,
    'attempts',
    toText(attempts),
    'nextAt',
    toText(nextAt),
    'generation',
    toText(generation),
    'attemptId',
    attemptId
  )
end
`;

/**
 * Reads `id`, `channel`, `now`, `waits`, `latestEnd`, `refusal`, `refusedSource`, `owner` and
 * `keptMs`. Returns `granted`, attempt, generation, nextAt and all fields that the user had before;
 * or `refused`, reason, nextAt and the events that it wrote.
 */
export const takeAttemptScript = defineScript(`${USER_FUNCTIONS}${COUNTER}
local now = request.now
local isRecovery = request.channel == 'recovery'
local counter = readCounter()

local function refuse(reason, period)
  local hash = redis.sha1hex(request.refusedSource .. ' ' .. reason .. ' ' .. period)
  local id = string.format(
    '%s-%s-8%s-8%s-%s',
    string.sub(hash, 1, 8),
    string.sub(hash, 9, 12),
    string.sub(hash, 13, 15),
    string.sub(hash, 16, 18),
    string.sub(hash, 19, 30)
  )
  count(request.refusal, id, 'reason', reason)
  return commit({ 'refused', reason, toText(counter.nextAt), written })
end

local function grant(attempt, generation, nextAt)
  return {
    'granted',
    toText(attempt),
    toText(generation),
    toText(nextAt),
    redis.call('HGETALL', user),
  }
end

-- A client may send a command again if it lost the answer. It is the same attempt.
if counter.attemptId == request.id then
  return grant(counter.attempts, counter.generation, counter.nextAt)
end

if not isRecovery and (counter.lockedAt or counter.attempts >= #request.waits) then
  return refuse('locked', 'day ' .. toText(math.floor(now / ${DAY_MS})))
end
-- A wait that ends later than the longest possible one was begun by a clock that was ahead.
if now < counter.nextAt and counter.nextAt <= request.latestEnd then
  return refuse('throttled', toText(counter.generation) .. ' ' .. toText(counter.nextAt))
end

local attempt = counter.attempts + 1
local wait = request.waits[math.min(attempt, #request.waits)]
local nextAt = wait == 0 and 0 or now + wait
-- A counter is forgotten by the caller's clock, and removed by the server's.
local serverNow = redis.call('TIME')[1] * 1000
writeCounter(attempt, nextAt, counter.generation, request.id)
if isRecovery then
  write('HSET', network, 'forgetAt', toText(now + request.keptMs))
  write('PEXPIRE', network, request.keptMs)
  write('ZADD', networks, toText(serverNow + request.keptMs), network)
  write('ZREMRANGEBYSCORE', networks, '-inf', serverNow)
  write('PEXPIRE', networks, request.keptMs)
elseif #request.owner > 0 and redis.call('HEXISTS', user, 'setId') == 0 then
  write('HSET', user, unpack(request.owner))
  write('ZADD', withoutSet, 'NX', toText(now), user)
end
return commit(grant(attempt, counter.generation, nextAt))
`);

/** Reads `channel`, and `generation` and `nextAt` of the ticket. */
export const giveBackScript = defineScript(`${USER_FUNCTIONS}${COUNTER}
local counter = readCounter()
if counter.generation ~= request.generation or counter.attempts == 0 then
  return
end
local nextAt = counter.nextAt == request.nextAt and 0 or counter.nextAt
writeCounter(counter.attempts - 1, nextAt, counter.generation, '')
return commit()
`);

/** Reads `event` and its `id`. Returns the events that it wrote. */
export const countScript = defineScript(`${USER_FUNCTIONS}
count(request.event, request.id)
return commit(written)
`);

/**
 * Reads `events`, and `lock` with `generation`, `now`, `event`. Returns the events that
 * it wrote.
 */
export const appendScript = defineScript(`${USER_FUNCTIONS}
local toWrite = request.events
local lock = request.lock

local function isLockable()
  if not lock or redis.call('EXISTS', user) == 0 then
    return false
  end
  return readSecondFactor().generation == lock.generation
end

if isLockable() then
  write('HSET', user, 'second_factor:lockedAt', toText(lock.now))
  table.insert(toWrite, lock.event)
end
for _, event in ipairs(toWrite) do
  record(event)
end
return commit(written)
`);

/** Reads `candidate`. Returns the stored key, which is the candidate of the first call. */
export const nameKeyScript = defineScript(`${PLANNED_WRITES}
local request = cjson.decode(ARGV[1])
local stored = redis.call('GET', KEYS[1])
if stored then
  return stored
end
write('SET', KEYS[1], request.candidate)
return commit(request.candidate)
`);
