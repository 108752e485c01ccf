// The scripts behind the audit trail, reminders and reports. Each works on one partition and reads
// a limited number of entries, so that it never blocks the server for long.
import { defineScript } from '../client';
import { USER_FUNCTIONS } from './user-functions';

/**
 * Reads `order`, `from`, `count`, and the strings to search for in the JSON of an event: `user`,
 * and `types`, of which one is enough. Returns the name of the last entry that it looked at, how
 * many it looked at, and those that match: each with its name and fields.
 */
export const readEventsScript = defineScript(`
local events = KEYS[1]
local refusals = KEYS[2]
local request = cjson.decode(ARGV[1])

local from = request.from
local entries
if request.order == 'oldest-first' then
  local start = from == '' and '-' or '(' .. from
  entries = redis.call('XRANGE', events, start, '+', 'COUNT', request.count)
else
  local start = from == '' and '+' or '(' .. from
  entries = redis.call('XREVRANGE', events, start, '-', 'COUNT', request.count)
end

local function contains(event, text)
  return string.find(event, text, 1, true) ~= nil
end

local function matches(event)
  if request.user and not contains(event, request.user) then
    return false
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

local last = from
local found = {}
for _, entry in ipairs(entries) do
  local fields = entry[2]
  last = entry[1]
  if matches(fields[2]) then
    addRefusals(fields)
    table.insert(found, entry)
  end
end
return { last, tostring(#entries), found }
`);

/**
 * Removes the events from before a time among the next `count` entries after `from`. Reads
 * `before`, `from`, `count`. Returns how many it removed, and the last entry that it looked at.
 */
export const pruneScript = defineScript(`
local events = KEYS[1]
local refusals = KEYS[2]
local request = cjson.decode(ARGV[1])

local start = request.from == '' and '-' or '(' .. request.from
local entries = redis.call('XRANGE', events, start, '+', 'COUNT', request.count)
local removed = 0
local last = ''
for _, entry in ipairs(entries) do
  local event = cjson.decode(entry[2][2])
  last = entry[1]
  if event.at < request.before then
    redis.call('XDEL', events, last)
    for n = 3, #entry[2], 2 do
      if entry[2][n] == 'id' then
        redis.call('HDEL', refusals, entry[2][n + 1])
      end
    end
    removed = removed + 1
  end
end
return { tostring(removed), last }
`);

/** Returns user keys by score, at most `max`. Reads `max`, `offset`, `count`. */
export const listSetsScript = defineScript(`
local sets = KEYS[1]
local request = cjson.decode(ARGV[1])
return redis.call(
  'ZRANGEBYSCORE',
  sets,
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
