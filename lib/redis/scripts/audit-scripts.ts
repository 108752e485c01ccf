// The scripts behind the audit trail, reminders and reports. Each works on one partition and reads
// a limited number of entries, so that it never blocks the server for long.
import { defineScript } from '../client';
import { USER_FUNCTIONS } from './user-functions';

/** What the scripts on the events of a partition begin with. */
export const EVENT_FUNCTIONS = `
local events = KEYS[1]
local anonymous = KEYS[2]
local refusals = KEYS[3]
local request = cjson.decode(ARGV[1])

-- The name of an entry so that names sort as strings.
local function pad(name)
  local time, counter = string.match(name, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #time) .. time .. '-' .. string.rep('0', 20 - #counter) .. counter
end

-- The entries of the stream after one: each with its name and fields.
local function readStream(from, count, isNewestFirst)
  if isNewestFirst then
    return redis.call('XREVRANGE', events, from == '' and '+' or '(' .. from, '-', 'COUNT', count)
  end
  return redis.call('XRANGE', events, from == '' and '-' or '(' .. from, '+', 'COUNT', count)
end

-- The anonymous events after an entry, as entries. The third value of each is its member.
local function readAnonymous(from, count, isNewestFirst)
  local members
  if isNewestFirst then
    local max = from == '' and '+' or '(' .. pad(from)
    members = redis.call('ZREVRANGEBYLEX', anonymous, max, '-', 'LIMIT', 0, count)
  else
    -- A member is the name, a space and the event. The next character after the space follows all
    -- members with this name.
    local min = from == '' and '-' or '(' .. pad(from) .. '!'
    members = redis.call('ZRANGEBYLEX', anonymous, min, '+', 'LIMIT', 0, count)
  end
  local entries = {}
  for n, member in ipairs(members) do
    local time, counter, event = string.match(member, '^0*(%d+)-0*(%d+) (.*)$')
    entries[n] = { time .. '-' .. counter, { 'event', event }, member }
  end
  return entries
end

-- Both, in their order.
local function readEntries(from, count, isNewestFirst)
  local named = readStream(from, count, isNewestFirst)
  local unnamed = readAnonymous(from, count, isNewestFirst)
  if #unnamed == 0 then
    return named
  end
  local entries = {}
  local n = 1
  local u = 1
  while #entries < count and (named[n] or unnamed[u]) do
    local isUnnamedNext = not named[n]
    if named[n] and unnamed[u] then
      isUnnamedNext = (pad(unnamed[u][1]) < pad(named[n][1])) ~= isNewestFirst
    end
    if isUnnamedNext then
      table.insert(entries, unnamed[u])
      u = u + 1
    else
      table.insert(entries, named[n])
      n = n + 1
    end
  end
  return entries
end
`;

/**
 * Reads `order`, `from`, `count`, and the strings to search for in the JSON of an event: `texts`,
 * all of which it must contain, and `types`, of which one is enough. Returns the name of the last
 * entry that it looked at, how many it looked at, and those that match: each with its name and
 * fields. Returns nothing if the stream never came as far as `from`.
 */
export const readEventsScript = defineScript(`${EVENT_FUNCTIONS}
local function contains(event, text)
  return string.find(event, text, 1, true) ~= nil
end

local function matches(event)
  for _, text in ipairs(request.texts) do
    if not contains(event, text) then
      return false
    end
  end
  if not request.types then
    return true
  end
  for _, text in ipairs(request.types) do
    if contains(event, text) then
      return true
    end
  end
  return false
end

-- Refusals are counted beside the stream, by the id that the entry has beside its event.
local function addRefusals(fields)
  local positions = {}
  for n = 3, #fields, 2 do
    positions[fields[n]] = n + 1
  end
  if positions.refusals then
    local counted = redis.call('HGET', refusals, fields[positions.id])
    fields[positions.refusals] = counted or fields[positions.refusals]
  end
end

-- The stream keeps its last id when entries are removed. A stream that is missing was lost.
local function isAhead(from)
  if redis.call('EXISTS', events) == 0 then
    return true
  end
  local info = redis.call('XINFO', 'STREAM', events)
  for n = 1, #info, 2 do
    if info[n] == 'last-generated-id' then
      return pad(from) > pad(info[n + 1])
    end
  end
end

local isNewestFirst = request.order == 'newest-first'
local entries = readEntries(request.from, request.count, isNewestFirst)
if #entries == 0 and request.from ~= '' and not isNewestFirst and isAhead(request.from) then
  return {}
end
local last = request.from
local found = {}
for _, entry in ipairs(entries) do
  local fields = entry[2]
  last = entry[1]
  if matches(fields[2]) then
    addRefusals(fields)
    table.insert(found, { entry[1], fields })
  end
end
return { last, tostring(#entries), found }
`);

/**
 * Removes the events of a namespace from before a time among the next `count` entries after `from`.
 * Reads `namespace`, `before`, `from`, `count`. Returns how many it removed, how many of any
 * namespace are that old, and the last entry that it looked at.
 */
export const pruneScript = defineScript(`${EVENT_FUNCTIONS}
local removed = 0
local old = 0
local last = ''
for _, entry in ipairs(readEntries(request.from, request.count, false)) do
  local event = cjson.decode(entry[2][2])
  last = entry[1]
  if event.at < request.before then
    old = old + 1
    if (event.namespace or cjson.null) == request.namespace then
      if entry[3] then
        redis.call('ZREM', anonymous, entry[3])
      else
        redis.call('XDEL', events, last)
      end
      for n = 3, #entry[2], 2 do
        if entry[2][n] == 'id' then
          redis.call('HDEL', refusals, entry[2][n + 1])
        end
      end
      removed = removed + 1
    end
  end
end
return { tostring(removed), tostring(old), last }
`);

/**
 * Removes entries of the stream. Reads `entries`, each with its `name`, the `id` of its event and,
 * if the event is kept without its user, `anonymous`: that event as JSON. Returns how many it
 * removed.
 */
export const forgetEventsScript = defineScript(`${EVENT_FUNCTIONS}
local removed = 0
for _, entry in ipairs(request.entries) do
  if entry.anonymous and #redis.call('XRANGE', events, entry.name, entry.name) > 0 then
    redis.call('ZADD', anonymous, 0, pad(entry.name) .. ' ' .. entry.anonymous)
  end
  removed = removed + redis.call('XDEL', events, entry.name)
  redis.call('HDEL', refusals, entry.id)
end
return tostring(removed)
`);

/** Returns user keys by score, at most `max`. Reads `max`, `offset`, `count`. */
export const listUsersScript = defineScript(`
local users = KEYS[1]
local request = cjson.decode(ARGV[1])
return redis.call(
  'ZRANGEBYSCORE',
  users,
  '-inf',
  request.max,
  'LIMIT',
  request.offset,
  request.count
)
`);

/** Returns the values of `fields` for each key; an empty string if a field is missing. */
export const readUsersScript = defineScript(`
local request = cjson.decode(ARGV[1])
local users = {}
for i, user in ipairs(KEYS) do
  local values = redis.call('HMGET', user, unpack(request.fields))
  for n, value in ipairs(values) do
    values[n] = value or ''
  end
  users[i] = values
end
return users
`);

/**
 * Records a reminder, unless the set has ended or as many reminders are recorded already. Reads
 * `setId`, `passed`, `score`, `event`. Returns the events that it wrote.
 */
export const recordReminderScript = defineScript(`${USER_FUNCTIONS}
local set = readUser('setId', 'reminded', 'remaining', 'total')
if set.setId ~= request.setId or toNumber(set.reminded) >= request.passed then
  return written
end
local remaining = toText(toNumber(set.remaining))
local total = toText(toNumber(set.total))

redis.call('HSET', user, 'reminded', toText(request.passed))
redis.call('ZADD', sets, request.score, user)
record(request.event, 'remaining', remaining, 'total', total)
return written
`);
