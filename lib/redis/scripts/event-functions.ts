// The Lua that every script on the events of a partition begins with: it reads the stream, and the
// anonymous events of users who were forgotten, in one order.
import { PLANNED_WRITES } from './planned-writes';

/** What the scripts on the events of a partition begin with. */
export const EVENT_FUNCTIONS = `${PLANNED_WRITES}
local events = KEYS[1]
local anonymous = KEYS[2]
local refusals = KEYS[3]
local request = cjson.decode(ARGV[1])

-- The name of an entry so that names sort as strings.
local function pad(name)
  local time, counter = string.match(name, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #time) .. time .. '-' .. string.rep('0', 20 - #counter) .. counter
end

-- What to remove from each key. One command removes it, because the key may be empty then.
local function newRemovals()
  return { events = {}, anonymous = {}, refusals = {} }
end

local function writeRemovals(removals)
  local function remove(command, key, list)
    if #list > 0 then
      write(command, key, unpack(list))
    end
  end
  remove('XDEL', events, removals.events)
  remove('ZREM', anonymous, removals.anonymous)
  remove('HDEL', refusals, removals.refusals)
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
