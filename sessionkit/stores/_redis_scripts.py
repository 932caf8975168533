"""What the Redis store does in one step on the server.

A record begins with its version, eight bytes, so that a script compares them as text: versions
exceed 2**53, and Lua's numbers do not. The record itself is never handed to Lua.

The index of an owner is a sorted set of keys. Its scores are the time at which a member was
written, never an expiry: a session that is prolonged must not be hidden by what its index said
before. The index lives at least as long as the longest record in it.

Nothing is undone when a command fails. Therefore what may fail (no memory, a foreign value in the
place of an index) is done first: members are added, records written, members removed. That the last
fails is no failure: what a member leads to is looked at before it is believed.
"""

from __future__ import annotations

import hashlib
import typing as t

#: Seconds for which a member of an index is kept although it has no record: a writer may be between
#: the two where they cannot be written in one step.
GRACE = 600


class Script(t.NamedTuple):
    """A script and the name that the server knows it by."""

    text: str
    digest: str


def _script(text: str) -> Script:
    text = text.strip() + "\n"
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


# Members without a record, which has expired, are looked for whenever an index has doubled, so that
# that of an owner who is never listed does not grow for ever.
_PRUNE = f"""
local function prune(index, prefix)
  local listed = redis.call('ZRANGE', index, 0, -1, 'WITHSCORES')
  local old = redis.call('TIME')[1] - {GRACE}
  local members = {{}}
  for i = 1, #listed, 2 do
    if tonumber(listed[i + 1]) < old and redis.call('EXISTS', prefix .. listed[i]) == 0 then
      redis.call('ZREM', index, listed[i])
    else
      members[#members + 1] = listed[i]
    end
  end
  return members
end
"""

_ENTER = f"""{_PRUNE}
local function enter(index, member, deadline)
  local lives = redis.call('EXISTS', index) == 1
  local added = redis.call('ZADD', index, redis.call('TIME')[1], member)
  if lives then
    redis.call('PEXPIREAT', index, deadline, 'GT')
  else
    redis.call('PEXPIREAT', index, deadline)
  end
  if added == 1 then
    local count = redis.call('ZCARD', index)
    if count >= 16 and bit.band(count, count - 1) == 0 then
      prune(index, string.sub(KEYS[1], 1, -65))
    end
  end
end
"""

# A value that is large is not an argument, which a script copies several times over: it is the last
# key, where it was set just before, and takes its place by its name. The argument is empty then.
_PUT = """
local function put(name, value, deadline)
  if value ~= '' then
    redis.call('SET', name, value, 'PXAT', deadline)
  else
    redis.call('RENAME', KEYS[#KEYS], name)
    redis.call('PEXPIREAT', name, deadline)
  end
end
"""

# pcall: what is no string is not the expected record either.
_IS = """
if redis.pcall('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then
  return 0
end
"""

#: KEYS: record, index. ARGV: deadline, member, value.
CREATE_OWNED = _script(
    f"""{_PUT}{_ENTER}
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
enter(KEYS[2], ARGV[2], ARGV[1])
put(KEYS[1], ARGV[3], ARGV[1])
return 1
"""
)

#: KEYS: record. ARGV: version, deadline, value.
REPLACE = _script(
    f"""{_PUT}{_IS}
put(KEYS[1], ARGV[3], ARGV[2])
return 1
"""
)

#: KEYS: record, index before, index after. ARGV: version, deadline, member, value.
#: An index that there is not is the record's own key.
REPLACE_OWNED = _script(
    f"""{_PUT}{_ENTER}{_IS}
if KEYS[3] ~= KEYS[1] then
  enter(KEYS[3], ARGV[3], ARGV[2])
end
put(KEYS[1], ARGV[4], ARGV[2])
if KEYS[2] ~= KEYS[1] and KEYS[2] ~= KEYS[3] then
  redis.pcall('ZREM', KEYS[2], ARGV[3])
end
return 1
"""
)

#: KEYS: record, index. ARGV: version, member.
DELETE = _script(
    f"""{_IS}
redis.call('DEL', KEYS[1])
if KEYS[2] then
  redis.pcall('ZREM', KEYS[2], ARGV[2])
end
return 1
"""
)

#: KEYS: old record, its index before, the stub's index, new record, its index.
#: ARGV: version, stub, its deadline, old member, the new record's deadline, its member, its value.
#: An index that there is not is the old record's own key.
MOVE = _script(
    f"""{_PUT}{_ENTER}{_IS}
if redis.call('EXISTS', KEYS[4]) == 1 then
  return 0
end
if KEYS[3] ~= KEYS[1] then
  enter(KEYS[3], ARGV[4], ARGV[3])
end
if KEYS[5] ~= KEYS[1] then
  enter(KEYS[5], ARGV[6], ARGV[5])
end
put(KEYS[4], ARGV[7], ARGV[5])
redis.call('SET', KEYS[1], ARGV[2], 'PXAT', ARGV[3])
if KEYS[2] ~= KEYS[1] and KEYS[2] ~= KEYS[3] then
  redis.pcall('ZREM', KEYS[2], ARGV[4])
end
return 1
"""
)

#: KEYS: index. ARGV: what precedes a member in the key of its record.
OWNED_BY = _script(
    f"""{_PRUNE}
return prune(KEYS[1], ARGV[1])
"""
)

#: KEYS: indexes. ARGV: what precedes a member in the key of its record. Those without one go, at
#: once: nobody is between the two here.
EMPTY = _script(
    """
for _, index in ipairs(KEYS) do
  local members = redis.pcall('ZRANGE', index, 0, -1)
  if members.err then
    redis.call('UNLINK', index)
  else
    for _, member in ipairs(members) do
      if redis.call('EXISTS', ARGV[1] .. member) == 0 then
        redis.call('ZREM', index, member)
      end
    end
  end
end
return 1
"""
)

# In a cluster an index is on another node than most of its records.

#: KEYS: index. ARGV: deadline, member. Returns how many members there are; 1 if it was one.
ENTER = _script(
    """
local lives = redis.call('EXISTS', KEYS[1]) == 1
local added = redis.call('ZADD', KEYS[1], redis.call('TIME')[1], ARGV[2])
if lives then
  redis.call('PEXPIREAT', KEYS[1], ARGV[1], 'GT')
else
  redis.call('PEXPIREAT', KEYS[1], ARGV[1])
end
return added == 1 and redis.call('ZCARD', KEYS[1]) or 1
"""
)

#: KEYS: index. Returns the score below which a member without a record is dead; members and scores.
LISTED = _script(
    f"""
return {{redis.call('TIME')[1] - {GRACE}, redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')}}
"""
)

#: KEYS: index. ARGV: members with their scores. Those entered again since are kept.
FORGET = _script(
    """
for i = 1, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return 1
"""
)
