"""A process that waits for its server says once why, and asks less and less often."""

from __future__ import annotations

import logging
from itertools import pairwise

import pytest

from utils.clock import ManualClock
from utils.errors import ServerEvicts, ServerGone
from utils.waiting import Wait


def test_what_is_waited_for_is_said_once_and_again_when_it_is_something_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wait = Wait(ManualClock(), logging.getLogger("somebody"))
    for gone in (ServerGone("off"), ServerGone("refused"), ServerEvicts("it evicts; mend it")):
        wait.out(gone)
    wait.over()
    wait.out(ServerEvicts("it evicts; mend it"))
    said = ["off", "it evicts; mend it", "it evicts; mend it"]
    assert caplog.messages == [f"{why}; waiting for it" for why in said]


def test_pauses_double_up_to_a_second_and_begin_anew_when_it_is_over() -> None:
    clock = ManualClock()
    wait = Wait(clock, logging.getLogger("somebody"))
    moments = [clock.now_ms()]
    for _ in range(7):
        wait.rest()
        moments.append(clock.now_ms())
    wait.over()
    wait.rest()
    moments.append(clock.now_ms())
    pauses = [later - before for before, later in pairwise(moments)]
    assert pauses == [50, 100, 200, 400, 800, 1_000, 1_000, 50]
