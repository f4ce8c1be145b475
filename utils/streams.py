"""Redis, as Parley uses it. The only module that imports redis, beside the server's own.

A `Streams` is one connection, for one thread: a connection that blocks is never
shared. Nothing here retries: redis-py's own silent retries are off, because one
`xadd` with its reply cut became four entries, and every caller knows better than this
module what to do again.

This file is over 300 lines because no other may speak to Redis.

While the server cannot be reached every call raises `ServerGone`. The next call
connects anew; whoever reads a stream looks back then (`Tail`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Protocol, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from utils import keys
from utils.errors import (
    BadEntry,
    Conflict,
    Forgotten,
    Missing,
    ServerEvicts,
    ServerGone,
    StreamError,
    TargetRefused,
)
from utils.journal import Sealed, unseal
from utils.server_kind import check_policy

_TRIM = files("utils").joinpath("trim.lua").read_text("utf-8")

MAX_BLOCK_MS = 2_000
"""Longest blocking read: shutdown, leases and liveness need the pause."""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"
_KEEP_SNAPSHOT = (  # not below the journal's beginning, or nobody could start from it
    "if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return 0 end "
    "redis.call('SET', KEYS[1], ARGV[1]) return 1"
)
_RENEW = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a stream."""

    key: str
    id: str
    fields: dict[str, str]

    @property
    def body(self) -> str:
        """The entry's `b` field, empty when there is none."""
        return self.fields.get("b", "")


class Beginnings(Protocol):
    """Where the beginnings of streams are that the server was relieved of."""

    def covers(self, key: str) -> bool:
        """Tell whether a stream is of those whose beginnings are kept."""
        ...

    def before(self, first: Entry, *, after: str, count: int) -> list[Entry]:
        """Read at most so many entries after an id and before the server's first one.

        Raises:
            Missing: They are not there.
            BadEntry: What is there does not join what the server holds.
        """
        ...


class Streams:
    """One connection to the server, for one thread.

    Args:
        url: As redis-py takes it: `redis://`, `rediss://` or `unix://`.
        name: Shown by CLIENT LIST.

    Attributes:
        connects: How often it connected. redis-py connects anew without a word when it
            finds the connection closed before a command; whoever reads on from where it
            stood compares this number.
        beginnings: Where reading goes on before a stream's first entry; none to read what
            the server holds and no more.

    Raises:
        ServerGone: From every method, when the server cannot be reached.
        StreamError: From every method, when the server refuses a command.
    """

    def __init__(self, url: str, *, name: str = "parley", client: Any = None) -> None:
        self.url, self.name = url, name
        self.connects = 0
        self.beginnings: Beginnings | None = None
        self._client = client
        self._commit = files("utils").joinpath("commit.lua").read_text("utf-8")
        self._commit_sha1 = _sha1(self._commit)

    def another(self, name: str = "") -> Streams:
        """Open a second connection to the same server, for another thread."""
        other = Streams(self.url, name=name or self.name)
        other.beginnings = self.beginnings
        return other

    def close(self) -> None:
        """Close the connection. Safe to call twice."""
        if self._client is not None:
            self._client.close()

    @property
    def _redis(self) -> Any:
        """The client, connected when it is first asked for."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    @property
    def _line(self) -> Any:
        """The client's one connection itself."""
        if self._redis.connection is None:  # as a fake server's client has it
            self._redis.connection = self._redis.connection_pool.make_connection()
        return self._redis.connection

    def _connect(self) -> Any:
        """Make the client, and have it count how often it connects."""

        def connected(connection: Any) -> None:
            self.connects += 1
            connection.on_connect()

        return redis.Redis.from_url(
            self.url,
            decode_responses=True,
            encoding_errors="surrogateescape",
            socket_connect_timeout=2,
            socket_timeout=MAX_BLOCK_MS / 1000 + 5,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            client_name=self.name,
            redis_connect_func=connected,
            single_connection_client=True,
            protocol=2,
        )

    def _ask(self, *command: str | int) -> Any:
        """Send one command on the line itself, and read its reply as it comes.

        For what happens at every turn. redis-py's client around the same connection
        takes as long again, for hooks and shapes of replies that nobody here asks for.
        """
        self._line.send_packed_command((_packed(command),))
        return self._line.read_response()

    def _ask_all(self, *commands: tuple[str | int, ...]) -> list[Any]:
        """Send several commands at once, and read their replies.

        Raises:
            StreamError: The server refused one of them. A MULTI did nothing then, unless
                what was refused is what a key holds: the others are done.
        """
        with _SPEAKING:
            self._line.send_packed_command((b"".join(map(_packed, commands)),))
            replies = [self._reply() for _ in commands]
            for reply in replies:
                for one in reply if isinstance(reply, list) else [reply]:
                    if isinstance(one, redis.RedisError):
                        raise one
        return replies

    def _reply(self) -> Any:
        """Read one of several replies; a refusal is one of them, the rest still to come."""
        try:
            return self._line.read_response()
        except redis.ResponseError as error:
            return error

    # --- the server ---------------------------------------------------------------

    def time_ms(self) -> int:
        """Ask the server's clock, milliseconds since 1970."""
        with _SPEAKING:
            seconds, micros = self._redis.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def info(self, *sections: str) -> dict[str, object]:
        """Read INFO, all of it or some sections, as redis-py parses it."""
        with _SPEAKING:
            return dict(self._redis.info(*sections))

    def look(self) -> None:
        """Make sure that the server still keeps what it is given.

        Whoever lives long calls it after each connect, and now and then: the policy of a
        server can be changed while it runs.

        Raises:
            ServerEvicts: It may drop keys; the message says how to mend it.
        """
        try:
            check_policy(self.info("memory"))
        except Missing as evicts:
            raise ServerEvicts(str(evicts)) from evicts

    # --- reading and writing --------------------------------------------------------

    def append(self, key: str, body: str) -> str:
        """Add one entry and return its id."""
        with _SPEAKING:
            return str(self._ask("XADD", key, "*", "b", body))

    def append_all(self, entries: Sequence[tuple[str, str]]) -> list[str]:
        """Add entries to several streams in one MULTI: none are seen before all are there."""
        adds = [("XADD", key, "*", "b", body) for key, body in entries]
        return [str(entry_id) for entry_id in self._ask_all(("MULTI",), *adds, ("EXEC",))[-1]]

    def copy(self, key: str, entries: Sequence[tuple[str, str]]) -> None:
        """Add entries under the ids they have elsewhere, each later than the last one here."""
        if entries:
            self._ask_all(*(("XADD", key, entry_id, "b", body) for entry_id, body in entries))

    def read(
        self, after: Mapping[str, str], *, block_ms: int = 0, count: int = 1000
    ) -> list[Entry]:
        """Read what came after the given ids, in each stream.

        Args:
            after: Stream key to the last id already read; "0-0" for all of it.
            block_ms: How long to wait when there is nothing, at most `MAX_BLOCK_MS`;
                0 does not wait.
            count: Most entries a stream.
        """
        with _SPEAKING:
            read = _entries(self._ask(*_xread(after, block_ms=block_ms, count=count)))
        return read if self.beginnings is None else self._unbroken(read, after, count)

    def _unbroken(self, read: list[Entry], after: Mapping[str, str], count: int) -> list[Entry]:
        """Read journals from where they were asked for, if the server begins after that."""
        firsts: dict[str, Entry] = {}
        for entry in read:
            firsts.setdefault(entry.key, entry)
        late = [
            key
            for key, first in firsts.items()
            if key == keys.journal(keys.run_of(key))
            and order_of(first.id)[0] > order_of(after[key])[0] + 1
        ]
        early = [one for key in late for one in self.range(key, after=after[key], count=count)]
        return early + [entry for entry in read if entry.key not in late]

    def read_then(
        self, after: Mapping[str, str], then: Mapping[str, str], *, block_ms: int, count: int = 1000
    ) -> tuple[list[Entry], list[Entry]]:
        """Read some streams, waiting for them, and at once after that some others.

        One round trip: the server begins the second read when the first is done.

        Args:
            after: As for `read`.
            then: As `after`, for the second read, which does not wait.
            block_ms, count: As for `read`.
        """
        first, second = self._ask_all(
            _xread(after, block_ms=block_ms, count=count), _xread(then, block_ms=0, count=count)
        )
        return _entries(first), _entries(second)

    def range(
        self, key: str, *, after: str = "0-0", upto: str = "+", count: int = 1000
    ) -> list[Entry]:
        """Read a stream on from an id, up to and including another, without waiting."""
        page = ("XRANGE", key, f"({after}", upto, "COUNT", count)
        if self.beginnings is None or not self.beginnings.covers(key):
            with _SPEAKING:
                return [_entry(key, item) for item in self._ask(*page)]
        begin = ("XRANGE", key, "-", "+", "COUNT", 1)
        begins, items = self._ask_all(("MULTI",), begin, page, ("EXEC",))[-1]
        read = [_entry(key, item) for item in items]
        if not begins or order_of(begins[0][0]) <= order_of(after) or not self._is_trimmed(key):
            return read
        early = self.beginnings.before(_entry(key, begins[0]), after=after, count=count)
        if upto != "+":
            early = [entry for entry in early if order_of(entry.id) <= order_of(upto)]
        return [*early, *read][:count]

    def _is_trimmed(self, key: str) -> bool:
        return self.tally(key)[0] > self.count(key)

    def all(self, key: str, *, upto: str = "+", page: int = 1000) -> Iterator[Entry]:
        """Read a whole stream, page by page, up to and including an id."""
        last = "0-0"
        while True:
            entries = self.range(key, after=last, upto=upto, count=page)
            yield from entries
            if len(entries) < page:
                return
            last = entries[-1].id

    def top(self, key: str) -> Entry | None:
        """Read a stream's last entry, if there is one."""
        with _SPEAKING:
            items = self._redis.xrevrange(key, count=1)
        return _entry(key, items[0]) if items else None

    def latest(self, key: str, *, count: int, upto: str = "+") -> list[Entry]:
        """Read a stream's last entries, those up to an id, the newest first."""
        with _SPEAKING:
            items = self._redis.xrevrange(key, max=upto, count=count)
        return [_entry(key, item) for item in items]

    def entry(self, key: str, entry_id: str) -> Entry | None:
        """Read one entry, if it is there."""
        with _SPEAKING:
            items = self._redis.xrange(key, min=entry_id, max=entry_id)
        return _entry(key, items[0]) if items else None

    def look_back(self, entry: Entry) -> None:
        """Check that an entry read before is still there, unchanged. Raises `Forgotten`."""
        held = self.entry(entry.key, entry.id)
        if held is None and self.beginnings and self.beginnings.covers(entry.key):
            first, second = order_of(entry.id)
            before = f"{first}-{second - 1}" if second else f"{first - 1}-{2**64 - 1}"
            held = next(iter(self.range(entry.key, after=before, count=1)), None)
        if held != entry:
            raise Forgotten(f"{entry.key}: the server no longer holds entry {entry.id}")

    def count(self, key: str) -> int:
        """Count a stream's entries."""
        with _SPEAKING:
            return int(self._redis.xlen(key))

    def tally(self, key: str) -> tuple[int, str]:
        """Count all entries a stream ever had, trimmed or not, and name the last one's id.

        Returns:
            The count and the id, of one moment; 0 and "0-0" for no stream.
        """
        with _SPEAKING:
            try:
                told = self._redis.xinfo_stream(key)
            except redis.ResponseError as error:
                if "no such key" not in str(error).lower():
                    raise
                return 0, "0-0"
        last = told["last-entry"]
        return int(told["entries-added"]), last[0] if last else "0-0"

    def drop(self, unwanted: Sequence[str]) -> None:
        """Delete keys that can be made again, such as the inboxes of a closed run."""
        if unwanted:
            with _SPEAKING:
                self._redis.delete(*unwanted)

    # --- the journal ----------------------------------------------------------------

    def commit(self, run: str, sealed: Sealed, targets: Mapping[str, str]) -> None:
        """Append a commit and its projections, all or nothing, on top of its `prev`.

        Calling it again with the same commit does no harm.

        Args:
            run: The run's id.
            sealed: The commit.
            targets: Channel and inbox keys to the bytes of their entries.

        Raises:
            Conflict: The journal's last commit is neither `prev` nor this one.
            TargetRefused: A target is not a stream or already past this commit.
        """
        names = (keys.journal(run), *targets)
        before = sealed.commit.prev
        args = (str(sealed.seq), before, sealed.sha256, sealed.body, *targets.values())
        with _SPEAKING:
            try:
                reply = self._ask("EVALSHA", self._commit_sha1, len(names), *names, *args)
            except redis.exceptions.NoScriptError:
                reply = self._ask("EVAL", self._commit, len(names), *names, *args)
        if reply[0] == "other":
            raise Conflict(int(reply[1]), reply[2])
        if reply[0] == "refused":
            raise TargetRefused(f"{reply[1]}: {reply[2]}")

    def journal(self, run: str, *, after: int = 0, page: int = 1000) -> Iterator[Sealed]:
        """Read a run's commits, each checked against its own hash. Raises `BadEntry`."""
        last = f"{after}-0"
        while True:
            entries = self.range(keys.journal(run), after=last, count=page)
            for entry in entries:
                yield unseal_entry(entry)
            if len(entries) < page:
                return
            last = entries[-1].id

    def read_snapshot(self, run: str) -> str | None:
        """Read the state to start folding from, if one was written."""
        with _SPEAKING:
            return cast("str | None", self._redis.get(keys.snapshot(run)))

    def write_snapshot(self, run: str, body: str, *, seq: int) -> bool:
        """Write the state to start folding from, in place of the last one.

        Args:
            seq: The commit it is of.

        Returns:
            Whether the journal still holds that commit: else nothing was written.
        """
        names = (keys.snapshot(run), keys.journal(run))
        with _SPEAKING:
            return bool(self._ask("EVAL", _KEEP_SNAPSHOT, 2, *names, body, f"{seq}-0"))

    # --- trimming -----------------------------------------------------------------------

    def trim(self, run: str, snapshot: str, *, journal: str, floor: str, calls: str) -> int:
        """Take what is old from a run's streams, all of them or none.

        Args:
            snapshot: The text of the snapshot that was looked at.
            journal, floor, calls: The first id that stays in each.

        Returns:
            How many entries were taken, or -1 when there is another snapshot by now.
        """
        names = (keys.snapshot(run), keys.journal(run), keys.floor(run), keys.calls(run))
        with _SPEAKING:
            return int(self._ask("EVAL", _TRIM, 4, *names, snapshot, journal, floor, calls))

    def trim_before(self, key: str, entry_id: str) -> int:
        """Take from a stream what comes before an id; how many entries that were."""
        with _SPEAKING:
            return int(self._ask("XTRIM", key, "MINID", "=", entry_id))

    def remove(self, key: str, entry_ids: Sequence[str]) -> None:
        """Take single entries from a stream."""
        with _SPEAKING:
            for first in range(0, len(entry_ids), 1_000):
                self._ask("XDEL", key, *entry_ids[first : first + 1_000])

    def names(self, pattern: str) -> list[str]:
        """List the keys that a pattern fits. Goes through all there are: seldom done."""
        with _SPEAKING:
            return sorted(set(self._redis.scan_iter(pattern, count=1_000)))

    # --- the slots of model servers ---------------------------------------------------

    def evaluate(self, script: str, key: str, *args: str | int) -> Any:
        """Run a script on one key, and give what it returns."""
        with _SPEAKING:
            try:
                return self._ask("EVALSHA", _sha1(script), 1, key, *args)
            except redis.exceptions.NoScriptError:
                return self._ask("EVAL", script, 1, key, *args)

    def unlist(self, key: str, members: Sequence[str]) -> None:
        """Take members out of a sorted set."""
        with _SPEAKING:
            self._ask("ZREM", key, *members)

    def scored(self, sets: Sequence[str]) -> tuple[int, list[dict[str, int]]]:
        """Read sorted sets, each member with its score, and the server's clock with them."""
        reads = [("ZRANGE", key, 0, -1, "WITHSCORES") for key in sets]
        (seconds, micros), *found = self._ask_all(("TIME",), *reads)
        pairs = [zip(flat[::2], flat[1::2], strict=True) for flat in found]
        now_ms = int(seconds) * 1000 + int(micros) // 1000
        return now_ms, [
            {member: _bounded_ms(float(score)) for member, score in one} for one in pairs
        ]

    # --- leases, presence, registry ---------------------------------------------------

    def take_lease(self, key: str, owner: str, *, ttl_ms: int) -> bool:
        """Take a lease if nobody holds it; whether it was taken."""
        with _SPEAKING:
            return bool(self._redis.set(key, owner, nx=True, px=ttl_ms))

    def renew_lease(self, key: str, owner: str, *, ttl_ms: int) -> bool:
        """Prolong a lease; whether it was still the owner's."""
        return self.renew_leases([key], owner, ttl_ms=ttl_ms)[0]

    def renew_leases(self, lease_keys: Sequence[str], owner: str, *, ttl_ms: int) -> list[bool]:
        """Prolong many leases at once; for each, whether it was still the owner's."""
        if not lease_keys:
            return []
        renewals = [("EVAL", _RENEW, 1, key, owner, ttl_ms) for key in lease_keys]
        return [bool(kept) for kept in self._ask_all(*renewals)]

    def release_lease(self, key: str, owner: str) -> None:
        """Let a lease go, if it is still the owner's."""
        with _SPEAKING:
            self._ask("EVAL", _RELEASE, 1, key, owner)

    def lease_owners(self, lease_keys: Sequence[str]) -> list[str | None]:
        """Say who holds each lease, none for a free one."""
        if not lease_keys:
            return []
        with _SPEAKING:
            return cast("list[str | None]", self._redis.mget(list(lease_keys)))

    def announce(self, host: str, *, until_ms: int) -> None:
        """Say that a host is there, until a server time, and drop the long gone."""
        long_gone_ms = until_ms - 86_400_000
        self._ask_all(
            ("ZADD", keys.HOSTS, until_ms, host),
            ("ZREMRANGEBYSCORE", keys.HOSTS, 0, long_gone_ms),
        )

    def withdraw(self, host: str) -> None:
        """Say that a host is gone."""
        with _SPEAKING:
            self._redis.zrem(keys.HOSTS, host)

    def presences(self) -> dict[str, int]:
        """Read every host's presence: when it lapses, server ms."""
        with _SPEAKING:
            pairs = self._redis.zrange(keys.HOSTS, 0, -1, withscores=True)
        return {pair[0]: _bounded_ms(pair[1]) for pair in pairs}

    def register(
        self, run: str, *, spec: str, entry: str, now_ms: int, reserved: bool = False
    ) -> bool:
        """Write a new run's spec and its place in the registry; false if the id is taken."""
        if not self.claim(run, spec):
            return False
        self.enlist(run, entry, now_ms=now_ms, reserved=reserved)
        return True

    def claim(self, run: str, spec: str) -> bool:
        """Write a new run's spec, and no more: nobody leads it yet; false if the id is taken."""
        with _SPEAKING:
            return bool(self._redis.set(keys.spec(run), spec, nx=True))

    def enlist(self, run: str, entry: str, *, now_ms: int, reserved: bool = False) -> None:
        """Give a claimed run its place in the registry.

        Args:
            reserved: Leave the run to orchestrators and hosts that are told its id.
        """
        listed = ("ZADD", keys.LIVE, now_ms, run)
        kept = [("ZADD", keys.RESERVED, now_ms, run)] if reserved else []
        added = ("XADD", keys.RUNS, "*", "b", entry)
        self._ask_all(("MULTI",), *kept, listed, added, ("EXEC",))

    def spec(self, run: str) -> str | None:
        """Read a run's resolved scenario; none when there is no such run."""
        with _SPEAKING:
            return cast("str | None", self._redis.get(keys.spec(run)))

    def live_runs(self) -> list[str]:
        """List the runs that want a leader, the earliest started first."""
        with _SPEAKING:
            return [str(run) for run in self._redis.zrange(keys.LIVE, 0, -1)]

    def open_runs(self, only: str | None = None) -> list[str]:
        """List the live runs that a process may lead or serve: one, or all not reserved."""
        live = self.live_runs()
        if only is not None:
            return [run for run in live if run == only]
        with _SPEAKING:
            reserved = set(self._redis.zrange(keys.RESERVED, 0, -1))
        return [run for run in live if run not in reserved]

    def retire(self, run: str) -> None:
        """Take a run off the live list."""
        with _SPEAKING:
            self._redis.zrem(keys.LIVE, run)
            self._redis.zrem(keys.RESERVED, run)


def _bounded_ms(score: float) -> int:
    """Read a time from a score, which may be infinite."""
    return int(max(0, min(score, 2**53)))


class Tail:
    """Reads streams on from where it stands, and looks back after a reconnect.

    A server that lost its tail would otherwise go on from an earlier place with other
    entries under the same ids, and this reader would never know.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._after: dict[str, str] = {}
        self._seen: dict[str, dict[str, str]] = {}
        self._connects = streams.connects
        self._suspect = False

    def follow(self, key: str, *, after: str = "0-0") -> None:
        """Read this stream too, from after an id on."""
        self._after[key] = after
        self._seen.pop(key, None)

    def forget(self, key: str) -> None:
        """Read this stream no more."""
        self._after.pop(key, None)
        self._seen.pop(key, None)

    def position(self, key: str) -> str:
        """Tell the id of the last entry read from a stream."""
        return self._after[key]

    def read(self, *, block_ms: int = 0, count: int = 1000) -> list[Entry]:
        """Read what came, in all streams followed. Raises as `read_then`."""
        return self.read_then({}, block_ms=block_ms, count=count)[0]

    def read_then(
        self, then: Mapping[str, str], *, block_ms: int = 0, count: int = 1000
    ) -> tuple[list[Entry], list[Entry]]:
        """Read what came, in all streams followed, and then what other streams hold.

        Args:
            then: Streams that this tail does not follow, to the last id already read.

        Raises:
            Forgotten: After a reconnect the last entry read is not there any more, or
                is another one. Everything derived from this stream is to be rebuilt.
            ServerGone: The server cannot be reached. Call again, after a pause.
        """
        try:
            if self._suspect:
                self.look_back()
            if then:
                read = self._streams.read_then(self._after, then, block_ms=block_ms, count=count)
            else:
                read = self._streams.read(self._after, block_ms=block_ms, count=count), []
            if self._streams.connects != self._connects:
                self.look_back()  # it was another connection that read this
        except ServerGone:
            self._suspect = True
            raise
        for entry in read[0]:
            self._after.pop(entry.key)  # to the end of the line: the others come first next time
            self._after[entry.key] = entry.id
            self._seen[entry.key] = entry.fields
        return read

    def look_back(self) -> None:
        """Check that the last entry read of each stream is still there, unchanged."""
        for key, fields in self._seen.items():
            self._streams.look_back(Entry(key=key, id=self._after[key], fields=fields))
        self._connects = self._streams.connects
        self._suspect = False


def order_of(entry_id: str) -> tuple[int, int]:
    """Read an entry's id, to compare it with others.

    Example:
        >>> order_of("9-0") < order_of("10-0") < order_of("10-1")
        True
    """
    first, _, second = entry_id.partition("-")
    return int(first), int(second or 0)


def unseal_entry(entry: Entry) -> Sealed:
    """Read a journal entry as a commit. Raises `BadEntry`."""
    seq, second = order_of(entry.id)
    if second:
        raise BadEntry(
            f"{entry.key} {entry.id}", f"commit {seq} is {seq}-0 where nobody altered it"
        )
    return unseal(seq, entry.body, entry.fields.get("h", ""))


@lru_cache(maxsize=16)
def _sha1(script: str) -> str:
    """Name a script as Redis does."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _xread(after: Mapping[str, str], *, block_ms: int, count: int) -> tuple[str | int, ...]:
    """Spell the command that reads what came after some ids, and may wait for it."""
    block = ("BLOCK", min(block_ms, MAX_BLOCK_MS)) if block_ms > 0 else ()
    return ("XREAD", "COUNT", count, *block, "STREAMS", *after, *after.values())


def _entries(reply: Any) -> list[Entry]:
    """Read what XREAD answered."""
    return [_entry(key, item) for key, items in reply or () for item in items]


def _entry(key: str, item: Any) -> Entry:
    """Read an entry, its fields as redis-py's client gives them or as the server does."""
    fields = item[1] or {}
    if not isinstance(fields, dict):
        fields = dict(zip(fields[::2], fields[1::2], strict=True))
    return Entry(key=key, id=item[0], fields=fields)


def _packed(command: Sequence[str | int]) -> bytes:
    r"""Write a command as it goes over the line, whole, to be sent at one stroke.

    redis-py's own packer takes several times as long, and cuts what is over 6,000 bytes,
    as the record of a call is, into pieces that are sent one by one.

    Example:
        >>> _packed(("GET", "tea"))
        b'*2\r\n$3\r\nGET\r\n$3\r\ntea\r\n'
    """
    words = [str(word).encode("utf-8", "surrogateescape") for word in command]
    return b"*%d\r\n" % len(words) + b"".join([b"$%d\r\n%b\r\n" % (len(w), w) for w in words])


_CANNOT_WRITE = re.compile(
    r"^command not allowed when used memory|\b(OOM|MISCONF|NOREPLICAS|BUSY|CLUSTERDOWN|TRYAGAIN)\b"
)
"""Memory or disk full, or replicas gone: a refusal that time may mend. redis-py takes the
word OOM off its own error."""


class _Speaking:
    """Translates redis-py's errors into ours, each with its own words.

    A class without state: a generator in its place takes four times as long, at every turn.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, redis.ConnectionError | redis.TimeoutError | redis.BusyLoadingError):
            raise ServerGone(f"the Redis server does not answer: {error}") from error
        if isinstance(error, redis.ReadOnlyError):
            raise ServerGone(f"the Redis server is read-only: {error}") from error
        if isinstance(error, redis.ResponseError) and _CANNOT_WRITE.search(str(error)):
            raise ServerGone(f"the Redis server cannot write: {error}") from error
        if isinstance(error, redis.RedisError):
            raise StreamError(f"Redis refused: {error}") from error


_SPEAKING = _Speaking()
