// The scripts that apply exported events after a restore: one keeps an index of the ids of stored
// events, the other applies the events of one user.
import { defineScript } from '../client';
import { EVENT_FUNCTIONS } from './event-functions';
import { USER_FUNCTIONS } from './user-functions';

/** How long the index of event ids is kept after its last use. */
const INDEX_KEPT_MS = 3_600_000;

/** Values that one command takes. Even: names and values stay together. */
const CHUNK_SIZE = 1000;

/**
 * Adds the ids of the next `count` entries of the stream to the index. Reads `ids`, `count`.
 * Returns `more` if there may be further entries; or `done` and those of `ids` that are in the
 * index.
 */
export const indexEventsScript = defineScript(`${EVENT_FUNCTIONS}
local index = KEYS[4]
local from = redis.call('HGET', index, 'position') or ''
local entries = readEntries(from, request.count, false)

-- Decoding every event would take most of the time. Its id is the first field.
local function idOf(event)
  return string.match(event, '^{"id":"([^"]*)"') or cjson.decode(event).id
end

local list = {}
for _, entry in ipairs(entries) do
  table.insert(list, idOf(entry[2][2]))
  table.insert(list, '1')
  from = entry[1]
end
if #entries > 0 then
  for first = 1, #list, ${CHUNK_SIZE} do
    write('HSET', index, unpack(list, first, math.min(first + ${CHUNK_SIZE} - 1, #list)))
  end
  write('HSET', index, 'position', from)
end
write('PEXPIRE', index, '${INDEX_KEPT_MS}')
if #entries == request.count then
  return commit({ 'more' })
end

local isNew = {}
for n = 1, #list, 2 do
  isNew[list[n]] = true
end
local found = {}
for _, id in ipairs(request.ids) do
  if isNew[id] or redis.call('HEXISTS', index, id) == 1 then
    table.insert(found, id)
  end
end
return commit({ 'done', found })
`);

/**
 * Reads `owner` and `steps`: each with `event` as JSON, and of it `id`, `at`, `refusals`,
 * `remaining` and `total`; `change` with `type`, `setId` and `codeId`; and `isStored`. Returns the
 * events that it wrote, the effects, and `lost` if the user has no set now and one is lost.
 */
export const replayScript = defineScript(`${USER_FUNCTIONS}
local fields = {}
local list = redis.call('HGETALL', user)
for i = 1, #list, 2 do
  fields[list[i]] = list[i + 1]
end

local current = fields.setId
local createdAt = toNumber(fields.createdAt)
local remaining = toNumber(fields.remaining)
local lastConsumedAt = toNumber(fields.lastConsumedAt)
local stagedAt
if fields.staged then
  local staged = cjson.decode(fields.staged)
  for i = 1, #staged, 2 do
    if staged[i] == 'createdAt' then
      stagedAt = toNumber(staged[i + 1])
    end
  end
end

local effects = {}
local consumed = {}
-- By the id of the event, which is the id of the consumption.
local consumptionFields = {}
local endedAt
local endedSetId
local lostAt
local lockedAt
local isStagedDropped = false

local function hasEnded(setId)
  return setId == endedSetId or redis.call('HEXISTS', ended, setId) == 1
end

local function dropOlderStagedSet(at)
  if stagedAt and stagedAt <= at then
    isStagedDropped = true
  end
end

local function endCurrentSet(at, effect)
  endedAt = at
  endedSetId = current
  current = nil
  table.insert(effects, effect)
end

local function applyToSets(step)
  local change = step.change
  local at = step.at
  if current ~= change.setId then
    if hasEnded(change.setId) then
      return
    end
    lostAt = math.max(lostAt or 0, at)
    dropOlderStagedSet(at)
    if current and createdAt <= at then
      endCurrentSet(at, 'replaced')
    end
  elseif change.type == 'set_revoked' then
    dropOlderStagedSet(at)
    endCurrentSet(at, 'revoked')
  elseif change.type == 'code_consumed' then
    local field = 'consumed:' .. change.codeId
    if fields['code:' .. change.codeId] and not fields[field] then
      fields[field] = toText(at)
      table.insert(consumed, field)
      table.insert(consumed, toText(at))
      consumptionFields[step.id] = 'consumption:' .. change.codeId
      remaining = remaining - 1
      lastConsumedAt = math.max(lastConsumedAt, at)
      table.insert(effects, 'consumed')
    end
  end
end

for _, step in ipairs(request.steps) do
  local change = step.change
  if change and change.type == 'second_factor_locked' then
    local isLockable = current and createdAt <= step.at and not lockedAt
    if isLockable and not fields['second_factor:lockedAt'] then
      lockedAt = step.at
      table.insert(effects, 'locked')
    end
  elseif change then
    applyToSets(step)
  end
end

-- The codes of a set that ends are erased.
local isConsuming = #consumed > 0 and not endedAt
if isConsuming then
  writeInChunks('HSET', user, consumed)
  write('HSET', user, 'remaining', toText(remaining))
  write('HSET', user, 'lastConsumedAt', toText(lastConsumedAt))
end
if endedAt then
  endSet(endedAt)
end
if isStagedDropped then
  dropStagedSet()
end
if lostAt and not current then
  write('HSET', user, 'hadSet', '1', unpack(request.owner))
  write('ZADD', withoutSet, 'NX', toText(lostAt), user)
end
if lockedAt then
  write('HSET', user, 'second_factor:lockedAt', toText(lockedAt))
end

local isIndexed = {}
local function isMissing(step)
  if step.isStored or isIndexed[step.id] then
    return false
  end
  isIndexed[step.id] = true
  return redis.call('HEXISTS', KEYS[8], step.id) == 0
end

for _, step in ipairs(request.steps) do
  -- An entry that does not exist: a repeated consumption then returns the numbers of the set.
  local entry
  if isMissing(step) then
    write('HSET', KEYS[8], step.id, '1')
    if step.refusals then
      write('HSET', refusals, step.id, toText(step.refusals))
      record(step.event, 'id', step.id, 'refusals', toText(step.refusals))
    elseif step.remaining and step.total then
      local remainingThen = toText(step.remaining)
      entry = record(step.event, 'remaining', remainingThen, 'total', toText(step.total))
    else
      record(step.event)
    end
  end
  local field = consumptionFields[step.id]
  if field and isConsuming then
    write('HSET', user, field, function()
      local name = entry and replies[entry] or '0-0'
      return step.id .. ' ' .. name .. ' ' .. name
    end)
  end
end
return commit({ written, effects, lostAt and not current and 'lost' or '' })
`);
