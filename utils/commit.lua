-- Append one commit to a run's journal and what follows from it to its channels and
-- inboxes: everything, or nothing. A script is not undone halfway, so every target is
-- checked before the first write.
--
-- KEYS[1]        stream  parley:{run}:journal            entry <seq>-0: b = bytes, h = hash
-- KEYS[2..n]     streams parley:{run}:channel:<name>,
--                        parley:{run}:inbox:<host>       entry <seq>-0: b = bytes
-- ARGV[1]        seq     number of the new commit
-- ARGV[2]        prev    hash of commit seq - 1 (ignored for the first)
-- ARGV[3]        h       hash of the new commit
-- ARGV[4]        b       bytes of the new commit
-- ARGV[5..n+3]   b       bytes for KEYS[2..n]
--
-- Returns {"done"}, or {"mine"} when this very commit is the last one already (the
-- reply was lost), {"other", seq, hash} when the journal stands elsewhere, or
-- {"refused", key, why}.

local function last(key)
  local entries = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)
  if #entries == 0 then return 0, nil end
  return tonumber(string.match(entries[1][1], '^(%d+)-')), entries[1][2]
end

local function is_stream_or_nothing(key)
  local kind = redis.call('TYPE', key)
  if type(kind) == 'table' then kind = kind['ok'] end
  return kind == 'stream' or kind == 'none'
end

for i = 1, #KEYS do
  if not is_stream_or_nothing(KEYS[i]) then return {'refused', KEYS[i], 'not a stream'} end
end

local seq = tonumber(ARGV[1])
local top, fields = last(KEYS[1])
local hash = ''
if fields then
  for i = 1, #fields, 2 do
    if fields[i] == 'h' then hash = fields[i + 1] end
  end
end
if top == seq and hash == ARGV[3] then return {'mine'} end
if top ~= seq - 1 or (seq > 1 and hash ~= ARGV[2]) then return {'other', tostring(top), hash} end

for i = 2, #KEYS do
  if last(KEYS[i]) >= seq then return {'refused', KEYS[i], 'already past this commit'} end
end

local id = ARGV[1] .. '-0'
redis.call('XADD', KEYS[1], id, 'b', ARGV[4], 'h', ARGV[3])
for i = 2, #KEYS do
  redis.call('XADD', KEYS[i], id, 'b', ARGV[i + 3])
end
return {'done'}
