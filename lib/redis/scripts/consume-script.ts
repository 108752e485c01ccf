// The script that consumes a code. Redis runs one script at a time: of any number of callers with
// the same code, exactly one gets `consumed`.
import { defineScript } from '../client';
import { USER_FUNCTIONS } from './user-functions';

/**
 * Reads `id`, `setId`, `codeId`, `channel`, `now`, `events`, `milestones` with `remaining` and
 * `event`, and `replacement` with `codeId` and `code`. Returns `consumed`, remaining, total, the
 * events that it wrote and `first`; or the same of an earlier run with this id, and `repeated`; or
 * `already_consumed` and the time; or `gone` and the reason.
 */
export const consumeScript = defineScript(`${USER_FUNCTIONS}
local now = request.now
local codeField = 'code:' .. request.codeId
local consumedField = 'consumed:' .. request.codeId
local consumptionField = 'consumption:' .. request.codeId
local set = readUser(
  'setId',
  'expiresAt',
  'remaining',
  'total',
  codeField,
  consumedField,
  consumptionField
)
local channel = request.channel
local generation = nextGeneration(channel)
local isLocked = channel == 'second_factor' and readSecondFactor().lockedAt

-- What an earlier run with this id returned. Its entries follow each other in the stream. If they
-- were pruned, the numbers are those of the set.
local function repeatConsumption(first, last)
  local remaining = set.remaining
  local total = set.total
  for n, entry in ipairs(redis.call('XRANGE', events, first, last)) do
    local fields = entry[2]
    remaining = fields[4]
    total = fields[6]
    written[n] = fields
  end
  return { 'consumed', remaining, total, written, 'repeated' }
end

if set.setId ~= request.setId then
  return { 'gone', 'none' }
end
if set[consumptionField] then
  local id, first, last = string.match(set[consumptionField], '^(%S+) (%S+) (%S+)$')
  if id == request.id then
    return repeatConsumption(first, last)
  end
end
if set.expiresAt and now >= toNumber(set.expiresAt) then
  return { 'gone', 'expired' }
end
if isLocked then
  return { 'gone', 'locked' }
end
if not set[codeField] then
  return { 'gone', 'none' }
end
if set[consumedField] then
  return { 'already_consumed', set[consumedField] }
end

local remaining = toNumber(set.remaining) - 1
local total = toNumber(set.total)
if request.replacement then
  remaining = remaining + 1
  total = total + 1
end
local toWrite = request.events
for _, milestone in ipairs(request.milestones) do
  if milestone.remaining == remaining then
    table.insert(toWrite, milestone.event)
  end
end

write('HSET', user, consumedField, toText(now))
write('HSET', user, 'lastConsumedAt', toText(now))
write('HSET', user, 'remaining', toText(remaining))
write('HSET', user, 'total', toText(total))
if request.replacement then
  write('HSET', user, 'code:' .. request.replacement.codeId, request.replacement.code)
end
beginGeneration(channel, generation)
local entries = {}
for n, event in ipairs(toWrite) do
  entries[n] = record(event, 'remaining', toText(remaining), 'total', toText(total))
end
write('HSET', user, consumptionField, function()
  return request.id .. ' ' .. replies[entries[1]] .. ' ' .. replies[entries[#entries]]
end)
return commit({ 'consumed', toText(remaining), toText(total), written, 'first' })
`);
