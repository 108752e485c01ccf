// The scripts that remove a user (the last step of forgetting one, and pruning one who has had no
// set for long), and the one that reopens a channel. They find the counters of networks in the list
// of the user, which has the same hash tag.
import { defineScript } from '../client';
import { USER_FUNCTIONS } from './user-functions';

/** How many events the last step of forgetting looks at. */
const MAX_NEW_EVENTS = 500;

/** Lua that removes everything of a user except the events, or only the counters of networks. */
const REMOVE_USER = `
local function removeNetworks()
  for _, network in ipairs(redis.call('ZRANGE', networks, 0, -1)) do
    -- While a cluster moves a slot, this refuses a counter that is on another node already.
    if redis.call('EXISTS', network) == 1 then
      write('DEL', network)
    end
  end
  write('DEL', networks)
end

local function removeUser()
  removeNetworks()
  write('DEL', user)
  write('DEL', ended)
  write('ZREM', sets, user)
  write('ZREM', withoutSet, user)
end
`;

/**
 * The last step of forgetting a user, whose events up to `from` are removed. Reads `userId`,
 * `namespace`, `from`, `hasOnlyEvents`, `event`. Returns `again` if the user has events after
 * `from`; or `done` and the events that it wrote.
 */
export const forgetScript = defineScript(`${USER_FUNCTIONS}${REMOVE_USER}
local start = request.from == '' and '-' or '(' .. request.from
local newer = redis.call('XRANGE', events, start, '+', 'COUNT', ${MAX_NEW_EVENTS})
if #newer == ${MAX_NEW_EVENTS} then
  return { 'again' }
end
for _, entry in ipairs(newer) do
  local event = cjson.decode(entry[2][2])
  local namespace = event.namespace or cjson.null
  if event.userId == request.userId and namespace == request.namespace then
    return { 'again' }
  end
end

local wasStored = redis.call('EXISTS', user, ended, networks) > 0
if not wasStored and not request.hasOnlyEvents then
  return { 'done', written }
end
removeUser()
record(request.event)
return commit({ 'done', written })
`);

/**
 * Removes a user who has had no current or staged set since `before`, and whose second factor is
 * neither locked nor waiting. Reads `namespace`, `before`, `lockAfter`.
 */
export const removeUserScript = defineScript(`${USER_FUNCTIONS}${REMOVE_USER}
local set = readUser('setId', 'namespace', 'stagedUntil')
local lastSetAt = redis.call('ZSCORE', withoutSet, user)
local stagedUntil = set.stagedUntil and toNumber(set.stagedUntil)
local counter = readSecondFactor()

if (set.namespace or cjson.null) ~= request.namespace or set.setId then
  return
end
if not lastSetAt or toNumber(lastSetAt) >= request.before then
  return
end
if stagedUntil and stagedUntil >= request.before then
  return
end
if counter.lockedAt or counter.attempts >= request.lockAfter then
  return
end
if counter.nextAt < request.before then
  removeUser()
end
return commit()
`);

/** Reads `id`, `channel`, `now`, `event`. Returns the events that it wrote. */
export const unlockScript = defineScript(`${USER_FUNCTIONS}${REMOVE_USER}
local generation = readGeneration(request.channel)
local isStored = redis.call('EXISTS', user) == 1
local earlier = readEarlierReply()
if earlier then
  return earlier
end

local function countsOnNetworks()
  for _, network in ipairs(redis.call('ZRANGE', networks, 0, -1)) do
    local counter = redis.call('HMGET', network, 'attempts', 'generation', 'forgetAt')
    local isCurrent = not generation or toNumber(counter[2]) == generation
    if isCurrent and request.now < toNumber(counter[3]) and toNumber(counter[1]) > 0 then
      return true
    end
  end
  return false
end

local function isCounting()
  if request.channel == 'recovery' then
    return countsOnNetworks()
  end
  local counter = readSecondFactor()
  return counter.attempts > 0 or counter.lockedAt
end

if not isCounting() then
  return written
end
local position = record(request.event)
if not isStored then
  removeNetworks()
  return commit(written)
end
beginGeneration(request.channel, nextGeneration(request.channel))
return commitChange(position)
`);
