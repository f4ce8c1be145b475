"""What grows in an hour would be seen; the hour itself is `make chaos`'s."""

from __future__ import annotations

import os

from tests.chaos.soak import Look, grown, slower, taken


def looks(rss_kb: float, files: float) -> dict[str, list[Look]]:
    """Look at a process that takes so much more in each second."""
    return {
        "host": [
            Look(at_s, 50_000 + int(rss_kb * at_s), 20 + int(files * at_s))
            for at_s in range(0, 600, 5)
        ]
    }


def test_a_process_that_takes_no_more_is_flat() -> None:
    assert grown(looks(0, 0)) == []
    assert slower([100] * 40) == []


def test_a_process_that_leaks_is_found() -> None:
    assert grown(looks(10, 0)) == ["host: rss changes by +8.3% in 595 s"]
    assert len(grown(looks(0, 0.01))) == 1


def test_turns_that_take_longer_and_longer_are_found() -> None:
    assert slower([100] * 30 + [130] * 10) == [
        "a turn takes 130 ms in the last quarter, 100 in the first"
    ]


def test_a_process_is_looked_at() -> None:
    rss_kb, files = taken(os.getpid())
    assert rss_kb > 1_000
    assert files > 2
