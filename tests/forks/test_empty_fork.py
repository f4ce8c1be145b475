"""An empty fork says what its parent said, wherever it is forked."""

from __future__ import annotations

import pytest

from tests.forked import Played, finished
from tests.scenes import spec_of
from tests.swarm import transcript

TURNS = 100


@pytest.fixture(scope="module")
def parent() -> Played:
    return finished(spec_of(turns=TURNS, policy="random"))


@pytest.mark.parametrize("turn", range(10, TURNS, 10))
def test_an_empty_fork_at_every_tenth_turn_gives_the_same_remaining_words(
    parent: Played, turn: int
) -> None:
    fork = parent.forked(f"turn:{turn}")
    assert transcript(fork.journal) == transcript(parent.journal)
