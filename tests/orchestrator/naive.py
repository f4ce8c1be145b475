"""How not to do it: a leader and a bot that make two writes of what is one step.

The same streams, the same words, the same protocol types, and nothing of what keeps a
word from being said twice or lost: no compare-and-set, no commit that is whole or not
there, no fence but the epoch's number, no grant that waits for whoever comes. The
findings in `tests/findings.py` have to see that.
"""

from __future__ import annotations

from typing import Any

from tests.swarm import Mortal
from utils import keys
from utils.journal import NO_HASH, Commit, Sealed, seal
from utils.mail import ChannelEntry
from utils.protocol import (
    INPUT,
    Acted,
    AskSay,
    ChannelOpened,
    Event,
    Granted,
    Heard,
    Proposed,
    Revoked,
    Say,
    TurnClosed,
)

PATIENCE = 20
"""Steps without an answer after which a turn is given up."""


class NaiveLeader:
    """Writes what is heard first, and that the turn is over then."""

    def __init__(self, streams: Mortal, run: str, bots: tuple[str, ...], turns: int) -> None:
        self.streams, self.run, self.bots, self.turns = streams, run, bots, turns
        self.seq, self.sha256, self.cursor, self.waited = 0, NO_HASH, "0-0", 0
        self.grant: Granted | None = None
        for sealed in streams.journal(run):
            self._take(sealed)

    def step(self, *, block_ms: int = 0) -> None:
        if self.grant is None:
            self._write(self.cursor, self._opening(), self._granted(1))
            return
        arrived = self.streams.read({keys.floor(self.run): self.cursor}, block_ms=block_ms)
        for entry in arrived:
            answer = INPUT.validate_json(entry.body)
            if isinstance(answer, Proposed) and answer.epoch == self.grant.epoch:
                self._answer(entry.id, self.grant, answer)
        self.waited = 0 if arrived else self.waited + 1
        if self.waited > PATIENCE:
            lost = Revoked(**place(self.grant), reason="deadline")
            self._write(self.cursor, lost, *self._next(self.grant, "given_up"))

    def _answer(self, entry_id: str, grant: Granted, answer: Proposed) -> None:
        assert isinstance(answer.action, Say)
        heard = Heard(
            message_id=f"{self.seq + 1}.0",
            channel=grant.channel,
            turn=grant.turn,
            round=grant.round,
            speaker=grant.bot,
            audience="all",
            text=answer.action.text,
            epoch=grant.epoch,
        )
        self._write(self.cursor, heard)
        acted = Acted(**place(grant), action=answer.action)
        self._write(entry_id, acted, *self._next(grant, "acted"))

    def _next(self, grant: Granted, outcome: str) -> list[Event]:
        closed = {"channel": grant.channel, "turn": grant.turn, "outcome": outcome}
        following = [self._granted(grant.turn + 1)] if grant.turn < self.turns else []
        return [
            TurnClosed.model_validate({**closed, "answered": outcome == "acted", "asked": 1}),
            *following,
        ]

    def _opening(self) -> ChannelOpened:
        return ChannelOpened(channel="main", members=self.bots, hears="all", policy="round_robin")

    def _granted(self, turn: int) -> Granted:
        return Granted(
            channel="main",
            turn=turn,
            round=1,
            tries=0,
            asked=1,
            bot=self.bots[(turn - 1) % len(self.bots)],
            epoch=turn,
            allow_ms=1,
            deadline_ms=1,
            seed=turn,
            ask=AskSay(max_chars=80),
        )

    def _write(self, cursor: str, *events: Event) -> None:
        """Append without looking at what is there; to the channel too, if it is heard there."""
        sealed = seal(
            Commit(seq=self.seq + 1, prev=self.sha256, at_ms=self.seq, cursor=cursor, events=events)
        )
        heard = tuple(one for one in events if isinstance(one, Heard | ChannelOpened))
        entry = ChannelEntry(
            seq=sealed.seq, commit_sha256=sealed.sha256, prev="", at_ms=self.seq, events=heard
        )
        raw, entry_id = self.streams._redis, f"{sealed.seq}-0"
        raw.xadd(keys.journal(self.run), {"b": sealed.body, "h": sealed.sha256}, id=entry_id)
        if heard:
            channel = keys.channel(self.run, "main")
            raw.xadd(channel, {"b": entry.model_dump_json()}, id=entry_id)
        self._take(sealed)
        self.streams.doom.wrote()

    def _take(self, sealed: Sealed) -> None:
        self.seq, self.sha256, self.cursor = sealed.seq, sealed.sha256, sealed.commit.cursor
        for event in sealed.commit.events:
            if isinstance(event, Granted):
                self.grant = event


class NaiveBot:
    """Notes that it has a grant first, and answers it then."""

    def __init__(self, streams: Mortal, run: str, bot: str) -> None:
        self.streams, self.run, self.bot = streams, run, bot
        self._noted = f"parley:{{{run}}}:naive:{bot}"
        self._position = streams._redis.get(self._noted) or "0-0"

    def step(self, *, block_ms: int = 0) -> None:
        key = keys.journal(self.run)
        for entry in self.streams.read({key: self._position}, block_ms=block_ms):
            self._position = entry.id
            for event in Commit.model_validate_json(entry.body).events:
                if isinstance(event, Granted) and event.bot == self.bot:
                    self.streams._redis.set(self._noted, entry.id)
                    self.streams.doom.wrote()
                    self.streams.append(keys.floor(self.run), self._proposal(event))

    def _proposal(self, granted: Granted) -> str:
        return Proposed(
            author=f"host-{self.bot}",
            nonce=f"e{granted.epoch}",
            bot=self.bot,
            seat=1,
            epoch=granted.epoch,
            grant=NO_HASH,
            action=Say(text=f"{self.bot} says line {granted.turn}."),
        ).model_dump_json()


def place(granted: Granted) -> dict[str, Any]:
    names = ("channel", "turn", "bot", "epoch")
    return {name: getattr(granted, name) for name in names}
