// The scripts behind the audit trail, reminders and reports. Each works on one partition and reads
// a limited number of entries, so that it never blocks the server for long.
import { defineScript } from '../client';
import { EVENT_FUNCTIONS } from './event-functions';
import { USER_FUNCTIONS } from './user-functions';

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
local removals = newRemovals()
for _, entry in ipairs(readEntries(request.from, request.count, false)) do
  local event = cjson.decode(entry[2][2])
  last = entry[1]
  if event.at < request.before then
    old = old + 1
    if (event.namespace or cjson.null) == request.namespace then
      if entry[3] then
        table.insert(removals.anonymous, entry[3])
      else
        table.insert(removals.events, last)
      end
      for n = 3, #entry[2], 2 do
        if entry[2][n] == 'id' then
          table.insert(removals.refusals, entry[2][n + 1])
        end
      end
      removed = removed + 1
    end
  end
end
writeRemovals(removals)
return commit({ tostring(removed), tostring(old), last })
`);

/**
 * Removes entries of the stream. Reads `entries`, each with its `name`, the `id` of its event and,
 * if the event is kept without its user, `anonymous`: that event as JSON. Returns how many it
 * removed.
 */
export const forgetEventsScript = defineScript(`${EVENT_FUNCTIONS}
local removals = newRemovals()
for _, entry in ipairs(request.entries) do
  if #redis.call('XRANGE', events, entry.name, entry.name) > 0 then
    table.insert(removals.events, entry.name)
    if entry.anonymous then
      write('ZADD', anonymous, 0, pad(entry.name) .. ' ' .. entry.anonymous)
    end
  end
  table.insert(removals.refusals, entry.id)
end
writeRemovals(removals)
return commit(tostring(#removals.events))
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

write('HSET', user, 'reminded', toText(request.passed))
write('ZADD', sets, request.score, user)
record(request.event, 'remaining', remaining, 'total', total)
return commit(written)
`);
