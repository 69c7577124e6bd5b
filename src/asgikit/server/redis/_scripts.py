"""What must happen in one step inside Redis: every act looks at the lease and acts, or refuses, atomically."""

from dataclasses import dataclass
from hashlib import sha1

__all__ = ("ACT", "PUBLISH", "READ", "RELEASE", "TAKE", "TICK", "TRIM", "Script")


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, and the name under which Redis caches it."""

    source: str
    sha: str

    @classmethod
    def of(cls, source: str) -> "Script":
        """Make the script from its source."""
        return cls(source, sha1(source.encode(), usedforsecurity=False).hexdigest())


TICK = Script.of("""
-- KEYS: workers, then the lease of each partition. ARGV: worker id, milliseconds, then for each partition
-- the lease value that this worker believes to hold, or ''.
-- Says that the worker lives and prolongs its leases. Returns the live workers and all lease values ('' = free).
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
local leases = {}
for i = 2, #KEYS do
  local value = redis.call('GET', KEYS[i]) or ''
  if value ~= '' and value == ARGV[i + 1] then
    redis.call('PEXPIRE', KEYS[i], ARGV[2])
  end
  leases[i - 1] = value
end
return {redis.call('ZRANGE', KEYS[1], 0, -1), leases}
""")
"""Heartbeat: one call per worker and beat, however many partitions there are."""

TAKE = Script.of("""
-- KEYS: lease, fence, events, output, history. ARGV: worker id, milliseconds, group.
-- Takes a partition that is free, or this worker's own by a lease that it does not know of (the reply was lost).
-- Returns the fencing token, or 0 when somebody else holds it.
local held = redis.call('GET', KEYS[1])
if held and string.match(held, '^%d+:(.*)$') ~= ARGV[1] then
  return 0
end
local token = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], token .. ':' .. ARGV[1], 'PX', ARGV[2])
local made = redis.pcall('XGROUP', 'CREATE', KEYS[3], ARGV[3], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP') then
  return redis.error_reply(made.err)
end
local last = redis.call('XREVRANGE', KEYS[4], '+', '-', 'COUNT', 1)
redis.call('XADD', KEYS[5], 'MAXLEN', '~', 1000, '*',
  'token', token, 'worker', ARGV[1], 'output', last[1] and last[1][1] or '0-0')
return token
""")
"""A new fencing token is larger than every one before it, and valid from this moment."""

RELEASE = Script.of("""
-- KEYS: workers, lease. ARGV: worker id, lease value ('' = only leave the set of workers).
if ARGV[2] == '' then
  redis.call('ZREM', KEYS[1], ARGV[1])
elseif redis.call('GET', KEYS[2]) == ARGV[2] then
  redis.call('DEL', KEYS[2])
end
return 1
""")

READ = Script.of("""
-- KEYS: lease, events. ARGV: lease value, group, consumer, id of the last entry that the caller has, count.
-- Returns 0 when fenced; else {entries, id to wait behind}.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for _, id in ipairs({ARGV[4], '>'}) do
  local found = redis.call('XREADGROUP', 'GROUP', ARGV[2], ARGV[3], 'COUNT', ARGV[5], 'STREAMS', KEYS[2], id)
  if found and #found[1][2] > 0 then
    return {found[1][2], ''}
  end
end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
return {{}, last[1] and last[1][1] or '0-0'}
""")
"""Entries are given out under the lease only: one who slept through it gets none, and none is parked with it.

What was given out and has not reached the caller comes first: what earlier holders left, and the reply that was on its
way when the connection broke. So the same call may be made again after an error.
"""

ACT = Script.of("""
-- KEYS: lease, events, output, dead. ARGV: lease value, group, then acts one after another:
--   'send', number of fields and values, those...   'ack', id   'bury', id, reason
-- Returns 1, or 0 when fenced; then nothing was done.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local i = 3
while i <= #ARGV do
  if ARGV[i] == 'send' then
    local count = tonumber(ARGV[i + 1])
    redis.call('XADD', KEYS[3], '*', unpack(ARGV, i + 2, i + 1 + count))
    i = i + 2 + count
  elseif ARGV[i] == 'ack' then
    redis.call('XACK', KEYS[2], ARGV[2], ARGV[i + 1])
    i = i + 2
  else
    local entry = redis.call('XRANGE', KEYS[2], ARGV[i + 1], ARGV[i + 1])[1]
    if entry then
      local fields = entry[2]
      fields[#fields + 1] = 'event'
      fields[#fields + 1] = ARGV[i + 1]
      fields[#fields + 1] = 'reason'
      fields[#fields + 1] = ARGV[i + 2]
      redis.call('XADD', KEYS[4], '*', unpack(fields))
    end
    redis.call('XACK', KEYS[2], ARGV[2], ARGV[i + 1])
    i = i + 3
  end
end
return 1
""")
"""All that a worker does for a partition goes through here: output, acknowledgement, burial."""

TRIM = Script.of("""
-- KEYS: a stream. ARGV: how many entries to remove at most.
-- Removes from the front what every consumer group was given and has acknowledged; nothing without a group.
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if groups.err or #groups == 0 then
  return 0
end
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end
local floor_ms, floor_seq
for _, group in ipairs(groups) do
  local about = {}
  for i = 1, #group, 2 do
    about[group[i]] = group[i + 1]
  end
  local ms, seq
  if about['pending'] > 0 then
    ms, seq = parts(redis.call('XPENDING', KEYS[1], about['name'])[2])
  else
    ms, seq = parts(about['last-delivered-id'])
    seq = seq + 1
  end
  if not floor_ms or ms < floor_ms or (ms == floor_ms and seq < floor_seq) then
    floor_ms, floor_seq = ms, seq
  end
end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f-%.0f', floor_ms, floor_seq), 'LIMIT', ARGV[1])
""")
"""Bounded work per call, and only whole nodes of the stream: some acknowledged entries may stay, no other one goes."""

PUBLISH = Script.of("""
-- KEYS: event streams. ARGV: for each event the index of its stream and its three values.
for i = 1, #ARGV, 4 do
  redis.call('XADD', KEYS[tonumber(ARGV[i])], '*', 'id', ARGV[i + 1], 'scope', ARGV[i + 2], 'message', ARGV[i + 3])
end
return #ARGV / 4
""")
"""Many events in one round trip."""
