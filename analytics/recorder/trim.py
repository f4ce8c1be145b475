"""What may be taken from the server once it is on disk, and what has to stay.

Everything older than one commit goes at once: commits, the inputs they consumed, and
calls. That commit is behind a snapshot a leader can start from, whose hash the journal
holds, and it is so far back that as many commits stay as were asked for.

Channels are not the recorder's to shorten alike: a host that seats a bot anew reads in
them what the bot has heard. There an entry goes when no bot can remember it any more,
and what says who came and who went stays. A closed channel goes as a whole, once it is
out of every bot's reach.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from analytics.recorder.recording import Recording
from analytics.recorder.track import id_of
from utils import keys
from utils.calls import LATEST_CALLS
from utils.journal import from_line
from utils.mail import KEPT_MESSAGES
from utils.protocol import StateHashed
from utils.streams import Entry, Streams, order_of

log = logging.getLogger("recorder")

WORDS = frozenset({"heard", "turn_closed", "ended"})
"""Events of a channel that say nothing about who is in it."""


_CURSOR = re.compile(r'\\"cursor\\":\\"(\d+-\d+)\\"')


class Footing(NamedTuple):
    """A snapshot that a leader can start from.

    Attributes:
        seq: The commit it is of.
        open: The channels that were open then.
        remembered: The channels in reach of any bot's memory then.
    """

    body: str
    seq: int
    open: frozenset[str]
    remembered: frozenset[str]


class Trimmer:
    """Keeps what the server holds of a run bounded.

    Args:
        keep: Commits and calls that stay at the server, at least; of calls never fewer
            than a host may look at.
        reach: Messages that stay within reach of a bot's memory.
    """

    def __init__(self, *, keep: int, reach: int = KEPT_MESSAGES) -> None:
        self.keep, self.reach = keep, reach
        self._looked: dict[str, int] = {}

    def __call__(self, streams: Streams, recording: Recording) -> None:
        """Trim a run, if it has grown since it was last looked at."""
        count = recording.journal.agreed
        step = max(1, self.keep // 10)
        if count - self._looked.get(recording.run, 0) < step or _is_behind(recording):
            return
        self._looked[recording.run] = count
        footing = footing_of(streams, recording)
        first = min(footing.seq if footing else 0, count - self.keep + 1)
        if footing is None or first <= 1:
            return
        taken = streams.trim(
            recording.run,
            footing.body,
            journal=f"{first}-0",
            floor=self._floor_from(streams, recording, first),
            calls=self._calls_from(recording),
        )
        if taken >= 0:
            taken += self._trim_beside(streams, recording.run, first, footing)
        if taken > 0:
            log.info("run %s: trimmed before commit %d", recording.run, first)

    def _floor_from(self, streams: Streams, recording: Recording, first: int) -> str:
        """Tell the first input that a commit or one after it may have taken; never beyond the last.

        A leader that mends what the server forgot goes back on its floor: the lowest place since
        then counts, not the commit's own.
        """
        lines = recording.journal.segments.lines(first - 2)
        at_ms, count = min(order_of(_cursor_of(line)) for line in lines)
        top = streams.top(keys.floor(recording.run))
        return "0-0" if top is None else min(top.id, f"{at_ms}-{count + 1}", key=order_of)

    def _calls_from(self, recording: Recording) -> str:
        count = recording.calls.segments.count
        keep = max(self.keep, LATEST_CALLS)
        if count <= keep:
            return "0-0"
        return id_of(next(recording.calls.segments.lines(count - keep)))

    def _trim_beside(self, streams: Streams, run: str, first: int, footing: Footing) -> int:
        """Trim channels and inboxes; how many entries that took."""
        taken = 0
        for key in streams.names(keys.inbox(run, "*")):
            top = streams.top(key)
            if top is not None:
                taken += streams.trim_before(key, min(top.id, f"{first}-0", key=order_of))
        for key in streams.names(keys.channel(run, "*")):
            name = key.rpartition(":")[2]
            if name in footing.open:
                taken += self._trim_channel(streams, key, first)
            elif name not in footing.remembered:
                top = streams.top(key)
                if top is not None and order_of(top.id) < (first, 0):
                    streams.drop([key])
                    taken += 1
        return taken

    def _trim_channel(self, streams: Streams, key: str, first: int) -> int:
        if streams.count(key) <= min(self.keep, self.reach):
            return 0
        gone = spent(list(streams.all(key)), before=(first, 0), reach=self.reach)
        streams.remove(key, gone)
        return len(gone)


def footing_of(streams: Streams, recording: Recording) -> Footing | None:
    """Read the run's snapshot; none when a leader might not be able to start from it.

    Its commit and the next one are on disk, and the next one holds the hash of its state.
    """
    body = streams.read_snapshot(recording.run)
    if body is None:
        return None
    try:
        told = json.loads(body)
        seq, state = (
            int(told["seq"]),
            dict(zip(told["fields"], json.loads(told["state"]), strict=True)),
        )
        tops, rooms = state["tops"], state["rooms"]
    except (ValueError, KeyError, TypeError):
        return None  # another version's
    after = [from_line(line) for line in islice(recording.journal.segments.lines(seq - 1), 2)]
    if len(after) < 2 or after[0].sha256 != told["sha256"]:
        return None
    hashes = [one.state_sha256 for one in after[1].commit.events if isinstance(one, StateHashed)]
    if hashes != [told["state_sha256"]]:
        return None
    return Footing(
        body=body,
        seq=seq,
        open=frozenset(name.partition(":")[2] for name in tops if name.startswith("channel:")),
        remembered=frozenset(room for been in rooms.values() for room in been),
    )


def spent(entries: Sequence[Entry], *, before: tuple[int, int], reach: int) -> list[str]:
    """List the entries of a channel that no bot can remember any more. Pure.

    Args:
        entries: All of the channel's, in order.
        before: Only those before this commit.
        reach: How many messages a bot remembers at most.

    Returns:
        Their ids. Never the last entry's, nor those of entries that say who is there.
    """
    members: set[str] = set()
    audiences: list[list[tuple[str, ...]]] = []
    words_only: list[bool] = []
    for entry in entries:
        events = json.loads(entry.body)["events"]
        audiences.append([])
        words_only.append(all(event["kind"] in WORDS for event in events))
        for event in events:
            _come_and_go(members, event)
            if event["kind"] == "heard":
                to = event["audience"]
                audiences[-1].append(tuple(members) if to == "all" else tuple(to))
    heard: Counter[str] = Counter()
    gone = []
    for entry, to, has_words_only in zip(
        reversed(entries), reversed(audiences), reversed(words_only), strict=True
    ):
        is_old = order_of(entry.id) < before and entry is not entries[-1]
        is_remembered = any(heard[bot] < reach for each in to for bot in each)
        if is_old and has_words_only and not is_remembered:
            gone.append(entry.id)
        for each in to:
            heard.update(each)
    return gone[::-1]


def _come_and_go(members: set[str], event: dict[str, object]) -> None:
    match event:
        case {"kind": "channel_opened", "members": [*bots]}:
            members.clear()
            members.update(map(str, bots))
        case {"kind": "member_joined", "bot": str(bot)}:
            members.add(bot)
        case {"kind": "member_left", "bot": str(bot)}:
            members.discard(bot)


def _cursor_of(line: str) -> str:
    """Read how far a recorded commit had read the floor: it stands near the line's beginning."""
    found = _CURSOR.search(line, 0, 500)
    return found[1] if found else from_line(line).commit.cursor


def _is_behind(recording: Recording) -> bool:
    return recording.journal.is_ahead or recording.calls.is_ahead
