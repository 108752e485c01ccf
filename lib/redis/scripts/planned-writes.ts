// The Lua that makes all writes of a script, or none. A script first reads, checks and plans its
// writes. It makes them at its end.

/**
 * Redis does not undo a script that fails at its n-th command. What Redis refuses because of its
 * own state (no memory, a read-only replica, a full disk, too few replicas) it refuses at the first
 * write, never at a later one. A missing right it refuses at any command, so `commit` checks the
 * rights to all planned writes before the first one. Rights cannot change while a script runs.
 *
 * No write empties a key that a later write fills: while a cluster moves a slot to another node, it
 * refuses to create the key again.
 */
export const PLANNED_WRITES = `
local plannedWrites = {}
local replies = {}

-- Plans a command. Its first argument is the key. An argument may be a function, which is called
-- after the writes before this one. Returns the position of the reply in replies.
local function write(...)
  table.insert(plannedWrites, { ... })
  return #plannedWrites
end

-- Redis 6.2 cannot tell which rights its user has.
local function hasRight(command, key)
  return not redis.acl_check_cmd or redis.acl_check_cmd(command, key)
end

-- Makes the planned writes. Returns the reply, or an error if the user lacks a right.
local function commit(reply)
  for _, planned in ipairs(plannedWrites) do
    if not hasRight(planned[1], planned[2]) then
      local message = 'NOPERM This Redis user may not run %s on the keys of the store.'
        .. ' Nothing was changed. docs/redis.md lists the rights that it needs.'
      return redis.error_reply(string.format(message, planned[1]))
    end
  end
  for n, planned in ipairs(plannedWrites) do
    for i, argument in ipairs(planned) do
      planned[i] = type(argument) == 'function' and argument() or argument
    end
    replies[n] = redis.call(unpack(planned))
  end
  return reply
end
`;
