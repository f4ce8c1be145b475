"""A Redis server as far as Parley uses one, in virtual time, that can be killed.

It keeps what it wrote in a log, as an append-only file is one: a script's and a
transaction's writes are there together or not at all. Killed, it comes back as the
replay of its log, or of all but the end of it.

`tests/chaos/test_server.py` holds it against the real one, command by command. This file is
over 300 lines because each of them is in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from hashlib import sha1
from typing import Any

import redis

from tests.chaos.entries import Id, Stream, Text, read, written

Write = tuple[Any, ...]
WRONG = "WRONGTYPE Operation against a key holding the wrong kind of value"


Script = Callable[["Server", list[str], list[str]], Any]


class Server:
    """The server.

    Args:
        now_ms: Tells its clock.
        scripts: The text of every script there is, to what it does.

    Attributes:
        log: What it wrote; each a group that is there whole or not at all.
        safe: How many groups of it are on the disk for good.
        lives: How often it was started.
        is_down: Whether it can be reached at all.
        on_entry: Called with the key of every stream that grows.
    """

    def __init__(self, now_ms: Callable[[], int], scripts: Mapping[str, Script]) -> None:
        self.now_ms, self.scripts = now_ms, scripts
        self.log: list[list[Write]] = []
        self.lives, self.is_down, self.safe = 1, False, 0
        self.on_entry: Callable[[str], None] = lambda key: None
        self._kept: dict[str, Stream | Text | dict[str, float]] = {}
        self._known: dict[str, str] = {}
        self._group: list[Write] | None = None

    # --- life -------------------------------------------------------------------------

    def restart(self, *, lost: int = 0) -> list[list[Write]]:
        """Come back as the log says, without so many of its last groups; those that were lost."""
        kept = max(len(self.log) - lost, self.safe)
        forgotten = self.log[kept:]
        del self.log[kept:]
        self._kept, self._known = {}, {}
        for group in self.log:
            for write in group:
                self._apply(write)
        self.lives += 1
        return forgotten

    # --- commands ---------------------------------------------------------------------

    def execute(self, command: list[str]) -> Any:
        """Do one command, and answer as the wire does: lists and texts, or an error raised."""
        does = getattr(self, f"_do_{command[0].lower()}", None)
        if does is None:
            raise redis.ResponseError(f"unknown command '{command[0]}'")
        return does(command[1:])

    def transact(self, commands: list[list[str]]) -> list[Any]:
        """Do several commands as one; a refusal is one of the replies."""
        self._group = []
        replies: list[Any] = []
        for command in commands:
            try:
                replies.append(self.execute(command))
            except redis.ResponseError as error:
                replies.append(error)
        group, self._group = self._group, None
        if group:
            self.log.append(group)
        return replies

    def _write(self, *write: Any) -> None:
        self._apply(write)
        if self._group is None:
            self.log.append([write])
        else:
            self._group.append(write)

    def _apply(self, write: Write) -> None:
        match write:
            case ("add", key, entry_id, fields):
                stream = self._kept.setdefault(key, Stream())
                assert isinstance(stream, Stream)
                stream.add(entry_id, fields)
                self.on_entry(key)
            case ("remove", key, gone):
                stream = self._kept[key]
                assert isinstance(stream, Stream)
                stream.remove(gone)
            case ("set", key, text):
                self._kept[key] = text
            case ("drop", key):
                self._kept.pop(key, None)
            case ("score", key, member, score):
                scores = self._kept.setdefault(key, {})
                assert isinstance(scores, dict)
                scores[member] = score
            case ("unscore", key, member):
                scores = self._kept[key]
                assert isinstance(scores, dict)
                del scores[member]
                if not scores:
                    del self._kept[key]

    # --- streams ----------------------------------------------------------------------

    def kind(self, key: str) -> str:
        found = self._kept.get(key)
        kinds = {Stream: "stream", Text: "string", dict: "zset", type(None): "none"}
        return kinds[type(found)]

    def stream(self, key: str) -> Stream | None:
        found = self._kept.get(key)
        if found is not None and not isinstance(found, Stream):
            raise redis.ResponseError(WRONG)
        return found

    def _do_xadd(self, words: list[str]) -> str:
        key, given, *fields = words
        stream = self.stream(key)
        last = stream.last if stream else (0, 0)
        if given == "*":
            now_ms = self.now_ms()
            entry_id = (now_ms, 0) if now_ms > last[0] else (last[0], last[1] + 1)
        else:
            entry_id = read(given)
            if entry_id <= last:
                raise redis.ResponseError("The ID specified in XADD is equal or smaller")
        self._write("add", key, entry_id, fields)
        return written(entry_id)

    def _do_xread(self, words: list[str]) -> list[Any] | None:
        count = int(words[words.index("COUNT") + 1])
        names = words[words.index("STREAMS") + 1 :]
        half = len(names) // 2
        read_now = []
        for key, after in zip(names[:half], names[half:], strict=True):
            stream = self.stream(key)
            entries = stream.after(read(after), count) if stream else []
            if entries:
                read_now.append([key, entries])
        return read_now or None

    def _do_xrange(self, words: list[str]) -> list[Any]:
        stream = self.stream(words[0])
        least = read(words[1].removeprefix("("), 0)
        most = read(words[2], 2**63)
        count = int(words[4]) if len(words) > 3 else 2**62
        if stream is None:
            return []
        if not words[1].startswith("("):
            least = (least[0], least[1] - 1)
        return [one for one in stream.after(least, count) if read(one[0]) <= most]

    def _do_xrevrange(self, words: list[str]) -> list[Any]:
        stream = self.stream(words[0])
        most, least, _, count = words[1:]
        assert least == "-"
        upto = read(most, 2**63) if most != "+" else (2**63, 0)
        last = bisect_right(stream.ids, upto) if stream else 0
        places = range(last - 1, max(-1, last - 1 - int(count)), -1)
        return [stream.entry(place) for place in places] if stream else []

    def _do_xinfo(self, words: list[str]) -> dict[str, Any]:
        stream = self.stream(words[1])
        if stream is None:
            raise redis.ResponseError("no such key")
        last = stream.entry(len(stream.ids) - 1) if stream.ids else None
        return {"entries-added": stream.added, "last-entry": last}

    def _do_xlen(self, words: list[str]) -> int:
        stream = self.stream(words[0])
        return len(stream.ids) if stream else 0

    def _do_xtrim(self, words: list[str]) -> int:
        key, how, exactly, first = words
        assert (how, exactly) == ("MINID", "=")
        stream = self.stream(key)
        gone = [one for one in stream.ids if one < read(first)] if stream else []
        return self._remove(key, gone)

    def _do_xdel(self, words: list[str]) -> int:
        key, *given = words
        stream = self.stream(key)
        wanted = {read(one) for one in given}
        return self._remove(key, [one for one in stream.ids if one in wanted] if stream else [])

    def _remove(self, key: str, gone: list[Id]) -> int:
        if gone:
            self._write("remove", key, frozenset(gone))
        return len(gone)

    # --- strings ----------------------------------------------------------------------

    def _text(self, key: str) -> str | None:
        found = self._kept.get(key)
        if found is None:
            return None
        if not isinstance(found, Text):
            raise redis.ResponseError(WRONG)
        if found.lapses_ms and found.lapses_ms <= self.now_ms():
            del self._kept[key]
            return None
        return found.value

    def _do_get(self, words: list[str]) -> str | None:
        return self._text(words[0])

    def _do_mget(self, words: list[str]) -> list[str | None]:
        return [self._text(key) if isinstance(self._kept.get(key), Text) else None for key in words]

    def _do_set(self, words: list[str]) -> str | None:
        key, value, *options = words
        if "NX" in options:
            there = self._kept.get(key)
            if there is not None and (not isinstance(there, Text) or self._text(key) is not None):
                return None
        lapses_ms = self.now_ms() + int(options[options.index("PX") + 1]) if "PX" in options else 0
        self._write("set", key, Text(value, lapses_ms))
        return "OK"

    def _do_keys(self, words: list[str]) -> list[str]:
        return [key for key in self._kept if fnmatchcase(key, words[0])]

    def _do_del(self, words: list[str]) -> int:
        there = [key for key in words if key in self._kept]
        for key in there:
            self._write("drop", key)
        return len(there)

    # --- sorted sets ------------------------------------------------------------------

    def _scores(self, key: str) -> dict[str, float]:
        found = self._kept.get(key, {})
        if not isinstance(found, dict):
            raise redis.ResponseError(WRONG)
        return found

    def _do_zadd(self, words: list[str]) -> int:
        key, score, member = words
        is_new = member not in self._scores(key)
        self._write("score", key, member, float(score))
        return int(is_new)

    def _do_zrem(self, words: list[str]) -> int:
        key, member = words
        if member not in self._scores(key):
            return 0
        self._write("unscore", key, member)
        return 1

    def _do_zremrangebyscore(self, words: list[str]) -> int:
        key, least, most = words
        gone = [
            member
            for member, score in self._scores(key).items()
            if float(least) <= score <= float(most)
        ]
        for member in gone:
            self._write("unscore", key, member)
        return len(gone)

    def _do_zrange(self, words: list[str]) -> list[Any]:
        pairs = sorted(self._scores(words[0]).items(), key=lambda pair: (pair[1], pair[0]))
        return [list(pair) for pair in pairs]

    # --- the rest ---------------------------------------------------------------------

    def _do_time(self, words: list[str]) -> list[int]:
        now_ms = self.now_ms()
        return [now_ms // 1000, now_ms % 1000 * 1000]

    def _do_info(self, words: list[str]) -> dict[str, object]:
        return {
            "redis_version": "7.0.0",
            "run_id": f"life-{self.lives}",
            "maxmemory_policy": "noeviction",
        }

    def _do_evalsha(self, words: list[str]) -> Any:
        if words[0] not in self._known:
            raise redis.exceptions.NoScriptError("No matching script")
        return self._do_eval([self._known[words[0]], *words[1:]])

    def _do_eval(self, words: list[str]) -> Any:
        body, count = words[0], int(words[1])
        self._known[sha1_of(body)] = body
        outer, self._group = self._group, [] if self._group is None else self._group
        try:
            return self.scripts[body](self, words[2 : count + 2], words[count + 2 :])
        finally:
            if outer is None:
                group, self._group = self._group, None
                if group:
                    self.log.append(group)


@cache
def sha1_of(script: str) -> str:
    return sha1(script.encode()).hexdigest()
