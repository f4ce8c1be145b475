"""Asking again: when, how often, how long between; and that every attempt is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.minds.attempts import Attempt, answer_with_retries, pause_unless_stopped
from bots.minds.ollama import OllamaMind
from bots.minds.seam import Answer, StopSignal
from bots.minds.stop import Stop
from tests.bots.asking import model, request, well
from tests.bots.raw_server import PATIENCE_S, Chat, RawServer, Visit
from tests.bots.told import Told
from utils.clock import ManualClock, SystemClock
from utils.errors import FailureKind, MindFailed

BUSY = MindFailed("overloaded", "busy", retryable=True)
SILENT = MindFailed("timeout", "silent", retryable=True)
GONE = MindFailed("not_found", "gone")


@dataclass
class Asked:
    """What came of asking."""

    attempts: list[Attempt] = field(default_factory=list)
    pauses_s: list[float] = field(default_factory=list)
    answer: Answer | None = None
    error: MindFailed | None = None


def ask(
    mind: Told,
    *,
    allow_ms: int = 60_000,
    seed: int = 7,
    stop: Stop | None = None,
    on_pause: Callable[[], None] = lambda: None,
) -> Asked:
    asked = Asked()

    def pause(seconds: float, stop: StopSignal) -> None:
        asked.pauses_s.append(seconds)
        mind.clock.sleep_s(seconds)
        on_pause()

    until_ms = mind.clock.now_ms() + allow_ms
    try:
        asked.answer = answer_with_retries(
            mind,
            request(seed=seed, allow_ms=allow_ms),
            stop or Stop(),
            until_ms=lambda: until_ms,
            clock=mind.clock,
            on_attempt=asked.attempts.append,
            pause=pause,
        )
    except MindFailed as error:
        asked.error = error
    return asked


def test_an_answer_is_given_as_it_came_and_its_attempt_told() -> None:
    answer = Answer(text="Yes.")
    asked = ask(Told([answer], clock=ManualClock(5, wall_ms=1_000)))
    assert asked.answer is answer
    (attempt,) = asked.attempts
    assert (attempt.number, attempt.started_ms, attempt.took_ms) == (1, 1_000, 10.0)
    assert (attempt.answer, attempt.error) == (answer, None)
    assert asked.pauses_s == []


def test_what_may_help_is_tried_again_and_every_attempt_is_told() -> None:
    asked = ask(Told([BUSY, BUSY, Answer(text="Yes.")]))
    assert asked.answer == Answer(text="Yes.")
    assert [attempt.number for attempt in asked.attempts] == [1, 2, 3]
    assert [attempt.error for attempt in asked.attempts] == [BUSY, BUSY, None]
    assert len(asked.pauses_s) == 2


@pytest.mark.parametrize(
    "kind", ["not_found", "refused", "context_overflow", "protocol", "cancelled", "truncated"]
)
def test_what_cannot_help_is_not_tried_again(kind: FailureKind) -> None:
    error = MindFailed(kind, "no")
    asked = ask(Told([error]))
    assert asked.error is error
    assert len(asked.attempts) == 1


def test_a_silent_server_is_asked_once_more_and_not_twice() -> None:
    asked = ask(Told([SILENT]))
    assert asked.error is SILENT
    assert len(asked.attempts) == 2
    assert len(ask(Told([SILENT, BUSY, SILENT, BUSY])).attempts) == 3


def test_waits_grow_to_a_bound_and_are_the_same_for_the_same_seed() -> None:
    waits = ask(Told([BUSY])).pauses_s
    assert len(waits) > 5
    assert all(0.125 <= wait <= 8 for wait in waits)
    assert waits[5] > waits[0]
    assert ask(Told([BUSY])).pauses_s == waits
    assert ask(Told([BUSY]), seed=8).pauses_s != waits


@given(allow_ms=st.integers(1, 60_000), takes_ms=st.integers(1, 20_000))
def test_nothing_is_begun_beyond_the_allowance(allow_ms: int, takes_ms: int) -> None:
    mind = Told([BUSY], takes_ms=takes_ms)
    asked = ask(mind, allow_ms=allow_ms)
    assert mind.clock.now_ms() <= allow_ms
    assert asked.error is BUSY
    assert all(1 <= one.allow_ms <= allow_ms for one in mind.asked)
    assert mind.asked[0].allow_ms == allow_ms
    left_ms = [one.allow_ms for one in mind.asked]
    assert left_ms == sorted(left_ms, reverse=True)


def test_a_revoke_during_a_wait_ends_it_without_another_attempt() -> None:
    stop = Stop()
    asked = ask(Told([BUSY]), stop=stop, on_pause=lambda: stop.set("revoked"))
    assert asked.error is not None
    assert asked.error.kind == "cancelled"
    assert len(asked.attempts) == 1


def test_a_revoke_before_the_first_attempt_asks_nobody() -> None:
    stop, mind = Stop(), Told([Answer(text="Yes.")])
    stop.set("revoked")
    asked = ask(mind, stop=stop)
    assert asked.error is not None
    assert (asked.error.kind, mind.asked, asked.attempts) == ("cancelled", [], [])


def test_a_pause_ends_at_once_when_told_to_stop() -> None:
    stop, begun = Stop(), Event()

    def pause() -> None:
        begun.set()
        pause_unless_stopped(3_600, stop)

    with ThreadPoolExecutor(1) as pool:
        paused = pool.submit(pause)
        assert begun.wait(PATIENCE_S)
        stop.set("revoked")
        paused.result(PATIENCE_S)


def test_a_mind_that_breaks_has_failed_and_is_told() -> None:
    asked = ask(Told([ZeroDivisionError("one\x00by\nzero")]))
    assert asked.error is not None
    assert asked.error.kind == "protocol"
    assert str(asked.error).isprintable()
    assert [attempt.error for attempt in asked.attempts] == [asked.error]
    assert isinstance(asked.error.__cause__, ZeroDivisionError)


def test_a_busy_server_is_asked_until_it_answers() -> None:
    def busy(visit: Visit) -> None:
        visit.status(503, b'{"error":"server busy, please try again.  maximum pending requests"}')

    chats = iter((busy, busy, well))
    attempts: list[Attempt] = []

    def chat(visit: Visit) -> None:
        step: Chat = next(chats)
        step(visit)

    with RawServer(chat) as server:
        mind = OllamaMind(model(server.url))
        answer = answer_with_retries(
            mind,
            request(),
            Stop(),
            until_ms=lambda: SystemClock().now_ms() + 20_000,
            clock=SystemClock(),
            on_attempt=attempts.append,
            pause=lambda seconds, stop: None,
        )
        mind.close()
    assert answer.text == "A town is for meeting."
    kinds = [attempt.error.kind if attempt.error else "answered" for attempt in attempts]
    assert kinds == ["overloaded", "overloaded", "answered"]
    assert [sent["options"]["seed"] for sent in server.chats] == [7, 7, 7]
