"""Whatever comes in, in whatever order, what follows is what a plain oracle says.

First the engine alone. Then a leader over each server there is and the real commit script:
cut off before and after its commits, killed, and led by two at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import fakeredis
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.orchestrator.oracle import Oracle, Short, short
from tests.orchestrator.subjects import (
    ALLOW_MS,
    BOTS,
    GATHER_MS,
    HOSTS,
    T0,
    TRIES,
    TURNS,
    Alone,
    Breaking,
    BreakingFake,
    Led,
)
from tests.servers import SERVERS, binary_of, binary_or_skip
from utils.errors import Conflict, ServerGone
from utils.journal import chain
from utils.server import EmbeddedServer

EXAMPLES, STEPS = 200, 40
ON_SERVERS = 50

bots, hosts = st.sampled_from(BOTS), st.sampled_from(HOSTS)


def an_oracle() -> Oracle:
    """Make the oracle of that scenario."""
    return Oracle(BOTS, turns=TURNS, tries=TRIES, allow_ms=ALLOW_MS, gather_ms=T0 + GATHER_MS)


def sorted_losses(events: list[Short]) -> list[Short]:
    """Put the bots of a host that is gone in order: in which they lose their seats is free."""
    lost = [event for event in events if event[0] == "unseated" and event[-1] == "lost"]
    return [*sorted(lost, key=repr), *(event for event in events if event not in lost)]


class Asked(RuleBasedStateMachine):
    """Hosts, people and time do as they please; the oracle says what must come of it."""

    runs: ClassVar[int] = 0
    subject: ClassVar[type[Alone | Led]] = Alone

    def __init__(self) -> None:
        super().__init__()
        type(self).runs += 1
        self.it: Any = self.subject()
        self.oracle, self.now_ms, self.said = an_oracle(), T0, 0
        self.seen = len(self.it.since(0))

    def tell(self, body: dict[str, Any], *, nonce: str = "") -> None:
        self.said += 1
        body = {"nonce": nonce or f"n{self.said}", **body}
        self.now_ms += 1
        self.let_due()
        expected = self.oracle.told(body, self.now_ms)
        self.it.tell(body, self.now_ms)
        self.compare(expected)

    def compare(self, expected: list[Short]) -> None:
        commits = self.it.since(self.seen)
        came = [short(event) for one in commits for event in one.commit.events]
        assert sorted_losses(came) == sorted_losses(expected)
        for sealed in commits:
            self.oracle.sealed(sealed.sha256)
        self.seen += len(commits)

    def let_due(self) -> None:
        """Let happen what is due by now."""
        due_ms = self.oracle.due_ms()
        if due_ms is not None and due_ms <= self.now_ms:
            expected = self.oracle.late(self.now_ms)
            self.it.pass_time(self.now_ms)
            self.compare(expected)

    def closing(self) -> dict[str, Any]:
        """Write what names the live grant, or one that is closed."""
        epoch, bot, _ = self.oracle.live or (self.oracle.epochs, BOTS[0], 0)
        seat, host = self.oracle.seats.get(bot, (1, HOSTS[0]))
        sha256 = self.oracle.live_sha256 or "0" * 64
        return {"author": host, "bot": bot, "seat": seat, "epoch": epoch, "grant": sha256}

    @rule(bot=bots, host=hosts)
    def join(self, bot: str, host: str) -> None:
        self.tell({"kind": "joined", "author": host, "bot": bot})

    @rule(bot=bots, host=hosts)
    def leave(self, bot: str, host: str) -> None:
        seat, _ = self.oracle.seats.get(bot, (7, ""))
        self.tell({"kind": "left", "author": host, "bot": bot, "seat": seat})

    @rule(host=hosts)
    def lose(self, host: str) -> None:
        self.now_ms += 1
        self.let_due()
        expected = self.oracle.lost(host, self.now_ms)
        self.it.lose(host, self.now_ms)
        self.compare(expected)

    @rule(text=st.sampled_from(["Yes.", "Bo?", " "]))
    def answer(self, text: str) -> None:
        self.tell({"kind": "proposed", **self.closing(), "action": {"kind": "say", "text": text}})

    @rule(
        wrong=st.sampled_from(
            [
                {"epoch": 99},
                {"grant": "f" * 64},
                {"seat": 99},
                {"author": "stranger"},
                {"bot": "cy"},
            ]
        )
    )
    def answer_wrongly(self, wrong: dict[str, Any]) -> None:
        said = {"kind": "say", "text": "Me!"}
        self.tell({"kind": "proposed", **self.closing(), **wrong, "action": said})

    @rule()
    def answer_twice(self) -> None:
        body = {"kind": "proposed", **self.closing(), "action": {"kind": "say", "text": "Twice."}}
        self.tell(body, nonce=f"twice{self.said}")
        self.tell(body, nonce=f"twice{self.said - 1}")

    @rule()
    def fail(self) -> None:
        self.tell({"kind": "failed", **self.closing(), "reason": "timeout"})

    @rule(ms=st.sampled_from([1, 4_000, ALLOW_MS, 30_000]))
    def pass_time(self, ms: int) -> None:
        self.now_ms += ms
        self.let_due()

    @rule(verb=st.sampled_from(["mute", "unmute"]), bot=bots)
    def hush(self, verb: str, bot: str) -> None:
        self.tell({"kind": verb, "author": "person", "bot": bot})

    @rule(verb=st.sampled_from(["pause", "resume", "resume"]))
    def halt(self, verb: str) -> None:
        self.tell({"kind": verb, "author": "person"})

    @rule()
    def inject(self) -> None:
        self.tell({"kind": "inject", "author": "person", "channel": "main", "text": "Rain!"})

    def teardown(self) -> None:
        assert self.it.heard() == self.oracle.said
        assert len(list(chain(self.it.since(0)))) == self.seen


class AskedOnServers(Asked):
    """The same, with a leader that is cut off, dies, or is not the only one."""

    subject: ClassVar[type[Alone | Led]] = Led

    @rule(when=st.sampled_from(["before", "after"]))
    def cut(self, when: str) -> None:
        self.it.streams.breaks = when

    @rule()
    def die(self) -> None:
        self.it.die()

    @precondition(lambda self: self.it.old is not self.it.leader)
    @rule()
    def wake_the_old_one(self) -> None:
        self.it.wake_the_old_one()


def ask(machine: type[Asked], examples: int, steps: int = STEPS, **given: Any) -> int:
    """Ask so many times; how many runs that took, the ones Hypothesis drops included."""
    before = machine.runs
    asked = settings(max_examples=examples, stateful_step_count=steps, deadline=None, **given)
    run_state_machine_as_test(machine, settings=asked)
    return machine.runs - before


def test_the_engine_does_what_the_oracle_says() -> None:
    assert ask(Asked, EXAMPLES) >= EXAMPLES


def streams_to(server: str, folder: Path) -> Iterator[Breaking]:
    """Connect to a server of this kind."""
    if server == "fakeredis":
        yield BreakingFake(fakeredis.FakeServer())
        return
    binary = binary_of(server)
    with (
        EmbeddedServer.open(folder, fsync="everysec", binary=binary) as embedded,
        closing(Breaking(embedded.url)) as streams,
    ):
        yield streams


def ask_on(server: str, examples: int, steps: int = STEPS, **given: Any) -> int:
    """Ask a leader over a server of this kind."""
    with TemporaryDirectory(prefix="oracle-") as folder:
        for streams in streams_to(server, Path(folder)):
            Led.streams = streams
            return ask(AskedOnServers, examples, steps, **given)
    raise AssertionError("no server")


@pytest.mark.parametrize("server", SERVERS)
def test_a_leader_over_a_server_does_what_the_oracle_says(server: str) -> None:
    if server != "fakeredis":
        binary_or_skip(server)
    assert ask_on(server, ON_SERVERS) >= ON_SERVERS


# --- negative controls ------------------------------------------------------------------

ONCE: dict[str, Any] = {"phases": [Phase.generate], "report_multiple_bugs": False}
"""To find it is enough: it need not be made small."""


class Forgetful(Alone):
    """An engine that remembers no nonce: what is said twice is done twice."""

    def tell(self, body: dict[str, Any], now_ms: int) -> None:
        self.table.state = self.table.state._replace(nonces={})
        super().tell(body, now_ms)


class AskedOfTheForgetful(Asked):
    subject: ClassVar[type[Alone | Led]] = Forgetful


def test_an_engine_that_takes_what_is_said_twice_is_found() -> None:
    with pytest.raises(AssertionError):
        ask(AskedOfTheForgetful, EXAMPLES, **ONCE)


class Hasty(Led):
    """A leader that does not look what became of a commit whose reply it missed."""

    def do(self, what: str, now_ms: int) -> None:
        try:
            self._do(what, now_ms)
        except ServerGone:
            return


class AskedOfTheHasty(AskedOnServers):
    subject: ClassVar[type[Alone | Led]] = Hasty


def test_a_leader_that_does_not_look_back_is_found() -> None:
    Led.streams = BreakingFake(fakeredis.FakeServer())
    with pytest.raises((AssertionError, Conflict)):
        ask(AskedOfTheHasty, EXAMPLES, **ONCE)
