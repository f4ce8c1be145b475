-- Let calls to a model server in, one after another, whoever makes them.
--
-- KEYS[1]   sorted set   parley:slots:<server>
--   held <token>                    a call in flight; score: when its lease lapses
--   waits <number> <model> <token>  a call that waits; score: the same
--   loaded <since> <model>          the model of the call let in last, and since when it
--                                   has gone first; score: until when that is remembered
-- ARGV[1]   token     of this call, used once
-- ARGV[2]   model     its model's name
-- ARGV[3]   slots     calls in flight at a time
-- ARGV[4]   ttl_ms    how long a lease lasts
-- ARGV[5]   batch_ms  how long calls for one model go before those for others
-- ARGV[6]   kept_ms   how long a model is thought to stay in the server's memory
--
-- All times are the Redis server's, milliseconds since 1970. The call that has waited
-- longest is next; but for batch_ms after the model changed, the longest waiting for that
-- model, if there is one: or personas on two models would swap them at every turn.
--
-- Returns {1, 0, 0} when the call is in; {0, ahead, number} when so many go before it.

local key, token, model = KEYS[1], ARGV[1], ARGV[2]
local slots, ttl_ms = tonumber(ARGV[3]), tonumber(ARGV[4])
local batch_ms, kept_ms = tonumber(ARGV[5]), tonumber(ARGV[6])
local clock = redis.call('TIME')
local now_ms = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)

local function put(member, ms)
  redis.call('ZADD', key, string.format('%d', now_ms + ms), member)
end

local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
local held, last, waiting, mine, loaded = 0, 0, {}, nil, nil
for i = 1, #members, 2 do
  local member, until_ms = members[i], tonumber(members[i + 1])
  local kind = string.match(member, '^(%a+) ')
  if until_ms <= now_ms then
    redis.call('ZREM', key, member)
  elseif member == 'held ' .. token then
    return {1, 0, 0}
  elseif kind == 'held' then
    if string.match(member, '^held %S+$') then held = held + 1 end
  elseif kind == 'loaded' then
    local since, which = string.match(member, '^loaded (%d+) (%S+)$')
    if since then loaded = {member = member, since_ms = tonumber(since), model = which} end
  elseif kind == 'waits' then
    local number, which, whose = string.match(member, '^waits (%d+) (%S+) (%S+)$')
    local one = {number = tonumber(number), model = which, member = member, until_ms = until_ms}
    if number then  -- what is no such member stands in nobody's way
      if whose == token then mine = one else waiting[#waiting + 1] = one end
      last = math.max(last, one.number)
    end
  end
end

if not mine then
  mine = {number = last + 1, model = model, until_ms = now_ms + ttl_ms}
  mine.member = string.format('waits %d %s %s', mine.number, model, token)
  put(mine.member, ttl_ms)
elseif mine.until_ms - now_ms < ttl_ms / 2 then
  put(mine.member, ttl_ms)
end

local is_batch = loaded ~= nil and now_ms - loaded.since_ms < batch_ms
local function is_first(one) return is_batch and one.model == loaded.model end
local ahead = 0
for _, one in ipairs(waiting) do
  local before = one.number < mine.number
  if is_first(one) ~= is_first(mine) then before = is_first(one) end
  if before then ahead = ahead + 1 end
end
if ahead > 0 or held >= slots then return {0, ahead + held, mine.number} end

redis.call('ZREM', key, mine.member)
put('held ' .. token, ttl_ms)
local since_ms = now_ms
if loaded then
  if is_first(mine) then since_ms = loaded.since_ms end
  redis.call('ZREM', key, loaded.member)
end
put(string.format('loaded %d %s', since_ms, model), kept_ms)
return {1, 0, 0}
