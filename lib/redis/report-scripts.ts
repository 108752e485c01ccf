// The Lua behind reading the trail, pruning, reminders and counts. Each works on one partition, a bounded piece at a time,
// so that no script keeps the server from others for long.
import { defineScript } from './client';
import { COMMON } from './scripts';

/**
 * Looks at entries of a stream from one end. Gives the last one it looked at, how many, and those that are wanted: each as
 * its id, what is counted of its refusals, and its fields. Events are wanted by what their JSON holds.
 */
export const readEventsScript = defineScript(`
local events, refusals = KEYS[1], KEYS[2]
local direction, from, count, user = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local entries
if direction == 'oldest-first' then
  entries = redis.call('XRANGE', events, from == '' and '-' or '(' .. from, '+', 'COUNT', count)
else
  entries = redis.call('XREVRANGE', events, from == '' and '+' or '(' .. from, '-', 'COUNT', count)
end

local function isWanted(event)
  if not string.find(event, user, 1, true) then return false end
  for n = 5, #ARGV do
    if string.find(event, ARGV[n], 1, true) then return true end
  end
  return #ARGV == 4
end

-- The refusals of a wait go on being counted beside the event of the first.
local function refusalsOf(fields)
  for n = 3, #fields, 2 do
    if fields[n] == 'refusals' then return redis.call('HGET', refusals, cjson.decode(fields[2]).id) or '' end
  end
  return ''
end

local wanted = {}
for _, entry in ipairs(entries) do
  local id, fields = unpack(entry)
  from = id
  if isWanted(fields[2]) then table.insert(wanted, { id, refusalsOf(fields), fields }) end
end
return { from, tostring(#entries), wanted }
`);

/** Removes old ones among the entries after one. Gives how many it removed, and the last that it looked at. */
export const pruneScript = defineScript(`
local events, refusals = KEYS[1], KEYS[2]
local before, from, count = tonumber(ARGV[1]), ARGV[2], ARGV[3]
local entries = redis.call('XRANGE', events, from == '' and '-' or '(' .. from, '+', 'COUNT', count)
local removed, last = 0, ''
for _, entry in ipairs(entries) do
  local event = cjson.decode(entry[2][2])
  last = entry[1]
  if event.at < before then
    redis.call('XDEL', events, last)
    redis.call('HDEL', refusals, event.id)
    removed = removed + 1
  end
end
return { tostring(removed), last }
`);

/** User keys by when their sets expire. */
export const listSetsScript = defineScript(`
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', ARGV[2], ARGV[3])
`);

/** Fields of many users, for each of whom there is a key. */
export const readUsersScript = defineScript(`
local found = {}
for i, user in ipairs(KEYS) do
  local values = redis.call('HMGET', user, unpack(ARGV))
  for n, value in ipairs(values) do values[n] = value or '' end
  found[i] = values
end
return found
`);

export const remindScript = defineScript(`${COMMON}
local setId, done, nextScore, event = ARGV[1], whole(ARGV[2]), ARGV[3], ARGV[4]
local currentId, reminded, remaining, total = unpack(redis.call('HMGET', user, 'setId', 'reminded', 'remaining', 'total'))
if currentId ~= setId or whole(reminded) >= done then return written end
redis.call('HSET', user, 'reminded', text(done))
redis.call('ZADD', sets, nextScore, user)
record(event, 'remaining', remaining, 'total', total)
return written
`);
