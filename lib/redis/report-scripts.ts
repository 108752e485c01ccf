// The Lua behind reading the trail, pruning, reminders and counts. Each works on one partition, a bounded piece at a time,
// so that no script keeps the server from others for long.
import { defineScript } from './client';
import { COMMON } from './scripts';

/** Entries of a stream from one end, each as its id, what is counted of its refusals, and its fields. */
export const readEventsScript = defineScript(`
local events, refusals = KEYS[1], KEYS[2]
local direction, from, count = ARGV[1], ARGV[2], ARGV[3]
local entries
if direction == 'oldest-first' then
  entries = redis.call('XRANGE', events, from == '' and '-' or '(' .. from, '+', 'COUNT', count)
else
  entries = redis.call('XREVRANGE', events, from == '' and '+' or '(' .. from, '-', 'COUNT', count)
end
local found = {}
for i, entry in ipairs(entries) do
  local id, fields = entry[1], entry[2]
  local eventId = cjson.decode(fields[2]).id
  found[i] = { id, redis.call('HGET', refusals, eventId) or '', fields }
end
return found
`);

/** Removes old ones among the first entries. Gives how many it looked at and how many it removed. */
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

/** Gives what is left of the set, or nothing where it was reminded of already, or has ended. */
export const remindScript = defineScript(`${COMMON}
local setId, done, nextScore, event = ARGV[1], whole(ARGV[2]), ARGV[3], ARGV[4]
local currentId, reminded, remaining, total = unpack(redis.call('HMGET', user, 'setId', 'reminded', 'remaining', 'total'))
if currentId ~= setId or whole(reminded) >= done then return {} end
redis.call('HSET', user, 'reminded', text(done))
redis.call('ZADD', sets, nextScore, user)
record(event, 'remaining', remaining, 'total', total)
return { remaining, total }
`);
