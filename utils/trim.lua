-- Take from a run's streams what is on disk, behind the snapshot that was looked at.
--
-- KEYS[1]  string  parley:{run}:snapshot
-- KEYS[2]  stream  parley:{run}:journal
-- KEYS[3]  stream  parley:{run}:floor
-- KEYS[4]  stream  parley:{run}:calls
-- ARGV[1]  the snapshot's text: while another is there, nothing is taken
-- ARGV[2..4]  the first id that stays, in the streams of KEYS[2..4]
--
-- Returns how many entries were taken, or -1 when there is another snapshot.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return -1 end
local taken = 0
for i = 2, 4 do
  taken = taken + redis.call('XTRIM', KEYS[i], 'MINID', '=', ARGV[i])
end
return taken
