// The scripts that read, replace, stage, activate and revoke a user's set. Each is one method of
// the store.
import { defineScript } from '../client';
import { USER_FUNCTIONS } from './user-functions';

/** Reads `id`, `set`, `event`, `now`, `onlyFirst`. Returns the events that it wrote. */
export const replaceScript = defineScript(`${USER_FUNCTIONS}
local earlier = readEarlierReply()
if earlier then
  return earlier
end
if request.onlyFirst and redis.call('HEXISTS', user, 'hadSet') == 1 then
  return written
end
beginSet(request.set, request.now)
return commitChange(record(request.event))
`);

/**
 * Reads `id`, `set` as JSON, `setId`, `owner`, `stagedUntil`, `event`. Returns the events that it
 * wrote.
 */
export const stageScript = defineScript(`${USER_FUNCTIONS}
local earlier = readEarlierReply()
if earlier then
  return earlier
end
if redis.call('HEXISTS', user, 'setId') == 0 then
  write('ZADD', withoutSet, toText(request.stagedUntil), user)
end
write('HSET', user, unpack(request.owner))
write(
  'HSET',
  user,
  'staged',
  request.set,
  'stagedId',
  request.setId,
  'stagedUntil',
  toText(request.stagedUntil)
)
return commitChange(record(request.event))
`);

/** Reads `id`, `setId`, `now`, `latestUntil`, `event`. Returns the events that it wrote. */
export const activateScript = defineScript(`${USER_FUNCTIONS}
local fields = readUser('staged', 'stagedId', 'stagedUntil')
local stagedUntil = toNumber(fields.stagedUntil)
local earlier = readEarlierReply()
if earlier then
  return earlier
end
if fields.stagedId ~= request.setId then
  return written
end
-- A set that ends later than one staged now was staged by a clock that was ahead.
if request.now >= stagedUntil or stagedUntil > request.latestUntil then
  return written
end
local set = cjson.decode(fields.staged)
local total = valueOf(set, 'total')
beginSet(set, request.now)
return commitChange(record(request.event, 'remaining', total, 'total', total))
`);

/** Reads `id`, `now`, `event`. Returns the events that it wrote. */
export const revokeScript = defineScript(`${USER_FUNCTIONS}
local setId = redis.call('HGET', user, 'setId')
local earlier = readEarlierReply()
if earlier then
  return earlier
end
endSet(request.now)
dropStagedSet()
if setId then
  listWithoutSet(request.now)
  return commitChange(record(request.event, 'setId', setId))
end
return commit(written)
`);

/** Returns all fields of the user. */
export const findScript = defineScript(`${USER_FUNCTIONS}
return redis.call('HGETALL', user)
`);
