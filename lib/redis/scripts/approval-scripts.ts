// The scripts that create, read and replace the request of a two-person approval.
import { defineScript } from '../client';
import { PLANNED_WRITES } from './planned-writes';

/**
 * Reads `record` as JSON, `id`, `now`, `expiresAt`, `keptMs`. Returns `created`, or `taken` if the
 * target has another open request.
 *
 * The target is free again when the window of its request ends: by the server's clock, because the
 * key expires, or by the caller's clock, which is compared here.
 */
export const createApprovalScript = defineScript(`${PLANNED_WRITES}
local stored = KEYS[1]
local open = KEYS[2]
local request = cjson.decode(ARGV[1])

local function toText(number)
  return string.format('%.0f', number)
end

local other = redis.call('GET', open)
if other then
  local otherExpiresAt = tonumber(string.match(other, ' (%d+)$'))
  if not otherExpiresAt or otherExpiresAt > request.now then
    return 'taken'
  end
end
local windowMs = request.expiresAt - request.now
local openValue = request.id .. ' ' .. toText(request.expiresAt)
write('SET', stored, request.record, 'PX', toText(windowMs + request.keptMs))
write('SET', open, openValue, 'PX', toText(windowMs))
return commit('created')
`);

/** Returns the record as JSON, or an empty string. */
export const readApprovalScript = defineScript(`
return redis.call('GET', KEYS[1]) or ''
`);

/**
 * Replaces a record if it is still the one that the caller read, and frees the target if the
 * request has ended. Reads `old` and `new` as JSON, `id`, `hasEnded`. Returns `replaced` or
 * `changed`.
 */
export const replaceApprovalScript = defineScript(`${PLANNED_WRITES}
local stored = KEYS[1]
local open = KEYS[2]
local request = cjson.decode(ARGV[1])

if redis.call('GET', stored) ~= request.old then
  return 'changed'
end
local holder = redis.call('GET', open)
write('SET', stored, request.new, 'KEEPTTL')
if request.hasEnded and holder and string.sub(holder, 1, #request.id) == request.id then
  write('DEL', open)
end
return commit('replaced')
`);
