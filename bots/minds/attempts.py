"""Ask a mind again where that may help: one of the two places that retry.

Only inside the allowance, only what is `retryable`, a silent server once more and not
twice. The waits grow, and their jitter is drawn by place, so that two runs wait alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

from tenacity import RetryCallState, Retrying

from bots.minds.seam import About, Answer, Mind, Request, StopSignal
from utils.clock import Clock
from utils.errors import MindFailed
from utils.seeds import seed_for

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 8.0

LEAST_WAITS = 40
"""The first wait is at most this part of the allowance: a short one is not slept away."""

LEAST_MS = 50
"""An attempt is not begun with less time than this left."""

SHOWN_CHARACTERS = 300

Pause = Callable[[float, StopSignal], None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a mind, and what came of it: an answer or an error.

    Attributes:
        number: From 1.
        request: What was asked.
        about: What was known of who answers.
        started_ms: Wall clock, milliseconds since 1970.
        took_ms: By the monotonic clock, milliseconds.
    """

    number: int
    request: Request
    started_ms: int
    took_ms: float
    about: About
    answer: Answer | None = None
    error: MindFailed | None = None


def answer_with_retries(
    mind: Mind,
    request: Request,
    stop: StopSignal,
    *,
    until_ms: Callable[[], int],
    clock: Clock,
    on_attempt: Callable[[Attempt], None],
    after: int = 0,
    pause: Pause | None = None,
) -> Answer:
    """Ask a mind until it answers, or there is no use or no time in asking again.

    Args:
        mind: Who is asked.
        request: What; each attempt is given all the time that is left then.
        stop: Ends the attempt, and a wait between two, at once.
        until_ms: Tells until when all attempts and waits may take, by the clock; it may
            grow meanwhile.
        clock: Whose time passes.
        on_attempt: Called after every attempt, in this thread, before the next.
        after: How many attempts were made before, with another request.
        pause: Waits so many seconds, or until told to stop; by default for real.

    Returns:
        The first answer.

    Raises:
        MindFailed: The last attempt's error; or `cancelled`, when the answer was no
            longer wanted before an attempt began.
    """
    trying = _Trying(mind, request, stop, clock, on_attempt, until_ms, number=after)
    allow_ms = max(1, until_ms() - clock.now_ms())
    trying.first_wait_s = min(FIRST_WAIT_S, allow_ms / 1000 / LEAST_WAITS)
    try:
        return trying.once()  # nearly always all there is: no machinery before it is needed
    except MindFailed as failure:
        trying.first = failure
    retrying = Retrying(
        retry=trying.may_help,
        wait=trying.wait_s,
        stop=trying.is_too_late,
        sleep=lambda seconds: (pause or pause_unless_stopped)(seconds, stop),
        reraise=True,
    )
    return retrying(trying.again)


def pause_unless_stopped(seconds: float, stop: StopSignal) -> None:
    """Wait, but no longer than until told to stop."""
    told = Event()
    stop.when_set(told.set)
    told.wait(seconds)


@dataclass(slots=True)
class _Trying:
    """The attempts at one answer so far."""

    mind: Mind
    request: Request
    stop: StopSignal
    clock: Clock
    on_attempt: Callable[[Attempt], None]
    until_ms: Callable[[], int]
    number: int
    first_wait_s: float = FIRST_WAIT_S
    failures: int = 0
    timeouts: int = 0
    first: MindFailed | None = None

    def again(self) -> Answer:
        """Fail as the first attempt did, to have it judged; from then on, try."""
        failure, self.first = self.first, None
        if failure is not None:
            raise failure
        return self.once()

    def once(self) -> Answer:
        if self.stop.is_set():
            raise MindFailed("cancelled", "the answer is no longer wanted")
        self.number += 1
        started_ms, wall_ms = self.clock.now_ms(), self.clock.wall_ms()

        def note(answer: Answer | None = None, error: MindFailed | None = None) -> None:
            took_ms = float(self.clock.now_ms() - started_ms)
            about = self.mind.about if answer is None else answer.about
            self.on_attempt(Attempt(self.number, request, wall_ms, took_ms, about, answer, error))

        left_ms = max(1, self.until_ms() - started_ms)
        request = replace(self.request, allow_ms=left_ms)
        try:
            answer = self.mind.answer(request, self.stop)
        except MindFailed as failure:
            self.failures += 1
            self.timeouts += failure.kind == "timeout"
            note(error=failure)
            raise
        except Exception as fault:  # a plugin may raise anything: this is its boundary
            broken = MindFailed("protocol", f"the mind broke: {repr(fault)[:SHOWN_CHARACTERS]}")
            note(error=broken)
            raise broken from fault
        note(answer)
        return answer

    def may_help(self, state: RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome else None
        return isinstance(error, MindFailed) and error.retryable and self.timeouts < 2

    def wait_s(self, state: RetryCallState) -> float:
        """Double the wait each time, up to a bound, and take a drawn part of it off."""
        doubled_s = self.first_wait_s * 2.0 ** min(self.failures - 1, 30)
        longest_s = min(LONGEST_WAIT_S, doubled_s)
        drawn = seed_for(self.request.seed, "backoff", self.number) / 2**64
        return longest_s * (0.5 + drawn / 2)

    def is_too_late(self, state: RetryCallState) -> bool:
        ready_ms = self.clock.now_ms() + state.upcoming_sleep * 1000
        return self.stop.is_set() or ready_ms + LEAST_MS > self.until_ms()
