"""What the server does in one step, in Lua; each may be done twice without harm.

A reply can be lost, and then the same is sent again. So a script that finds its work
done answers as if it had done it now.

Keys come first: that of the store's description, then what the script is about. The
first argument is the store's id: whoever has read another store writes nothing.
"""

from __future__ import annotations

from hashlib import sha1

from backends.interface.frozen import frozen


@frozen
class Script:
    """A script, the digest by which the server knows it, and whether it writes."""

    text: str
    digest: str
    writes: bool


def _script(text: str, *, guarded: bool = True, writes: bool = True) -> Script:
    whole = (_GUARD if guarded else "") + text
    digest = sha1(whole.encode(), usedforsecurity=False).hexdigest()
    return Script(whole, digest, writes)


OTHER = b"another store"
"""What a script answers if the store is another one now."""

_GUARD = """
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 'another store' end
"""

_SEEN = """
-- The start of a frame and its size; 8 bytes, its check, if it was merged away.
local function seen(log, body, place, limit)
  local start = redis.call('HGET', log, place)
  if start then
    local size = #start + redis.call('HSTRLEN', body, place)
    if #start < limit and #start < size then
      start = start .. redis.call('HGET', body, place)
    end
    return {string.sub(start, 1, limit), size}
  end
  local gone = redis.call('HGET', log, 'gone')
  if gone then return {string.sub(gone, place * 8 + 1, place * 8 + 8), 8} end
  return {false, 0}
end
"""

_NOW = """
local clock = redis.call('TIME')
local now = clock[1] .. string.format('%06d', clock[2])
"""

MAKE = _script(
    """
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('HSET', KEYS[1], 'format', ARGV[1], 'version', ARGV[2],
    'block', ARGV[3], 'id', ARGV[4])
end
return redis.call('HMGET', KEYS[1], 'format', 'version', 'block', 'id')
""",
    guarded=False,
    writes=False,
)
"""KEYS: meta. ARGV: format, version, block size, a new id. Returns what is there."""

LOOK = _script(
    _SEEN
    + """
local log, body, before, bodies = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local place, size = tonumber(ARGV[2]), tonumber(ARGV[3])
local head, room, short = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local recent = {}
for at = place - 1, place - tonumber(ARGV[7]), -1 do
  if at >= 0 then recent[#recent + 1] = seen(log, body, at, short)
  else recent[#recent + 1] = seen(before, bodies, at + size, short) end
end
local news, gone = {}, ARGV[8] == 'heads' and redis.call('HGET', log, 'gone')
if gone then
  local places = {}
  for at = place, size - 1 do places[#places + 1] = at end
  if #places > 0 then news = redis.call('HMGET', log, unpack(places)) end
  return {recent, news, gone}
end
while place < size and room > 0 do
  local found = seen(log, body, place, head)
  if not found[1] then break end
  news[#news + 1] = found
  room = room - #found[1]
  place = place + 1
end
return {recent, news, false}
""",
    writes=False,
)
"""KEYS: meta, log, body, log and body of the block before.

ARGV: id, place, block size, bytes of each frame, of all, of those before, their number,
and ``heads`` or ``frames``. Returns what is right before the place, and what is there
and after it: starts and sizes, or of the heads of a merged block the starts, and the
checks of those that were left out.
"""

READ = _script(
    _SEEN + "return seen(KEYS[1], KEYS[2], tonumber(ARGV[1]), tonumber(ARGV[2]))",
    guarded=False,
    writes=False,
)
"""KEYS: log, body. ARGV: place, limit. Returns the start of a frame and its size."""

APPEND = _script(
    _SEEN
    + """
local meta, log, body, before, bodies, news, blocks = unpack(KEYS)
local place, size, position = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local start, rest, short = ARGV[5], ARGV[6], tonumber(ARGV[7])
local own, there = string.sub(start, 33, 40), redis.call('HGET', log, place)
local check
if there then check = string.sub(there, 33, 40)
else
  local gone = redis.call('HGET', log, 'gone')
  if gone then check = string.sub(gone, place * 8 + 1, place * 8 + 8) end
end
if not check then
  local id = string.format('%d-0', position + 1)
  local told = redis.pcall('XADD', news, 'MAXLEN', 1, id, 'p', '')
  if type(told) == 'table' and told.err then
    -- That of a later position, which is no more; or this is no stream of ours.
    if not string.find(told.err, 'smaller', 1, true) then return told end
    redis.call('DEL', news)
    redis.call('XADD', news, 'MAXLEN', 1, id, 'p', '')
  end
  redis.call('HSET', log, place, start)
  if #rest > 0 then redis.call('HSET', body, place, rest) end
  if place == 0 then redis.call('SADD', blocks, (position - place) / size) end
end
local last
if place > 0 then last = seen(log, body, place - 1, short)
else last = seen(before, bodies, size - 1, short) end
return {(not check or check == own) and 1 or 0, last[1], last[2]}
"""
)
"""KEYS: meta, log, body, those of the block before, news, blocks.

ARGV: id, place, block size, position, start of the frame, its body, bytes of the one
before. Returns whether the frame there is the caller's, and what is before it.
"""

RETRACT = _script(
    """
local there = redis.call('HGET', KEYS[2], ARGV[2])
if there and string.sub(there, 33, 40) == ARGV[3] then
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('HDEL', KEYS[3], ARGV[2])
end
return 0
"""
)
"""KEYS: meta, log, body. ARGV: id, place, check."""

REPLACE = _script(
    """
local there = redis.call('HGET', KEYS[2], ARGV[2]) or ''
if there == ARGV[4] then return 1 end
if there ~= ARGV[3] or redis.call('HEXISTS', KEYS[2], 'gone') == 1 then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('HDEL', KEYS[3], ARGV[2])
if #ARGV[5] > 0 then redis.call('HSET', KEYS[3], ARGV[2], ARGV[5]) end
redis.call('SADD', KEYS[4], ARGV[6])
return 1
"""
)
"""KEYS: meta, log, body, blocks. ARGV: id, place, start there, start, body, block."""

AFTER = _script(
    """
local found
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  local place = tonumber(field) or tonumber(ARGV[2])
  if place >= tonumber(ARGV[2]) and (not found or place < found) then found = place end
end
local later
for _, block in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  local number = tonumber(block)
  if number > tonumber(ARGV[3]) and (not later or number < later) then
    later = number
  end
end
return {found or -1, later or -1}
""",
    writes=False,
)
"""KEYS: meta, log, blocks. ARGV: id, place, block.

Returns the first place from this one on where something is, and the next block.
"""

MERGE = _script(
    """
local log, body = KEYS[2], KEYS[3]
local size, last, gone, count = tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local old = redis.call('HGET', log, 'gone')
if last ~= '' then
  local there = redis.call('HGET', log, size - 1)
  local check
  if there then check = string.sub(there, 33, 40)
  elseif old then check = string.sub(old, size * 8 - 7, size * 8) end
  if check ~= last then return 0 end
end
local freed, kept, next = 0, {}, 6 + count
for at = 6, 5 + count do kept[ARGV[at]] = true end
local function drop(place)
  local start = redis.call('HSTRLEN', log, place)
  freed = freed + start + redis.call('HSTRLEN', body, place)
  redis.call('HDEL', log, place)
  redis.call('HDEL', body, place)
end
for place = 0, size - 1 do
  if not kept[tostring(place)] then drop(place) end
end
while next <= #ARGV do
  local place, start, rest = ARGV[next], ARGV[next + 1], ARGV[next + 2]
  drop(place)
  redis.call('HSET', log, place, start)
  if #rest > 0 then redis.call('HSET', body, place, rest) end
  freed = freed - #start - #rest
  next = next + 3
end
if old then
  local zero, checks = string.rep('\\0', 8), {}
  for at = 1, size * 8, 8 do
    local check = string.sub(gone, at, at + 7)
    if check == zero then check = string.sub(old, at, at + 7) end
    checks[#checks + 1] = check
  end
  gone = table.concat(checks)
end
redis.call('HSET', log, 'gone', gone)
return freed
"""
)
"""KEYS: meta, log, body.

ARGV: id, block size, check of the last frame or nothing, checks of those that go,
number of those that stay, their places, and place, start and body of each that is
another than what is there. Returns the bytes that it freed.
"""

BEAT = _script(
    _NOW
    + """
redis.call('SET', KEYS[2], now .. ' ' .. ARGV[4], 'PX', ARGV[3])
redis.call('SADD', KEYS[3], ARGV[2])
return 0
"""
)
"""KEYS: meta, worker, workers. ARGV: id, worker, time to live in ms, identity."""

MEMBERS = _script(
    _NOW
    + """
local prefix, named, found = ARGV[1], ARGV[2] == 'named', {now}
local names = named and {unpack(ARGV, 3)} or redis.call('SMEMBERS', KEYS[1])
for _, name in ipairs(names) do
  local said
  if ARGV[2] == 'names' then said = redis.call('EXISTS', prefix .. name) == 1 and ''
  else said = redis.call('GET', prefix .. name) end
  if said then
    found[#found + 1] = name
    found[#found + 1] = said
  elseif not named then
    redis.pcall('SREM', KEYS[1], name)  -- a replica may not
  end
end
return found
""",
    guarded=False,
    writes=False,
)
"""KEYS: workers.

ARGV: what keys of workers begin with; ``names`` for these alone, ``all``, or ``named``
and some names. Returns the time, then names of the living, and what they say. Forgets
who is dead.
"""

PUT = _script("redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) return 0")
"""KEYS: meta, documents. ARGV: id, name, document."""

STAGE = _script(_NOW + "redis.call('HSET', KEYS[2], ARGV[2], now) return 0")
"""KEYS: meta, staged. ARGV: id, token."""

COMMIT = _script(
    _NOW
    + """
local blobs, staged, chunk = KEYS[2], KEYS[3], KEYS[4]
local name, token, size, each, prefix, last = unpack(ARGV, 2)
local before = redis.call('HGET', blobs, name)
if before and string.find(before, ' ' .. token .. ' ', 1, true) then return 0 end
if #last > 0 then redis.call('SET', chunk, last) end
redis.call('HSET', blobs, name, table.concat({now, token, size, each}, ' '))
redis.call('HDEL', staged, token)
if before then
  local _, _, other, total, part = string.find(before, '^%d+ (%S+) (%d+) (%d+)$')
  for number = 0, math.ceil(total / part) - 1 do
    redis.call('UNLINK', prefix .. other .. ':' .. number)
  end
end
return 0
"""
)
"""KEYS: meta, blobs, staged, last chunk.

ARGV: id, name, token, size of all and of a chunk, what keys of chunks begin with, last
chunk.
"""

TRASH = _script(
    _NOW
    + """
local about = redis.call('HGET', KEYS[2], ARGV[2])
if about then
  redis.call('HSET', KEYS[3], ARGV[2] .. ' ' .. about, now)
  redis.call('HDEL', KEYS[2], ARGV[2])
end
return 0
"""
)
"""KEYS: meta, blobs, trash. ARGV: id, name."""

SIZE = _script(
    """
local total = 0
for _, key in ipairs(KEYS) do
  for _, field in ipairs(redis.call('HKEYS', key)) do
    total = total + #field + redis.call('HSTRLEN', key, field)
  end
end
return total
""",
    guarded=False,
    writes=False,
)
"""KEYS: hashes. Returns the bytes of their fields."""

TIME = _script(_NOW + "return now", guarded=False, writes=False)
"""KEYS: any. Returns microseconds since the epoch by the server's clock."""
