"""How long a talk stands still once nothing goes wrong any more.

A grant is taken back when its deadline has passed, and the next one made in the same commit.
So what can be promised of live processes is one deadline and one lease from one sign of life
to the next, and so many times that for a turn as it is granted anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.scene import BEGIN_MS, LEASE_MS
from tests.chaos.simulation import Played
from utils.journal import Sealed

SIGNS = frozenset(
    {"began", "granted", "acted", "passed", "revoked", "turn_closed", "gathered", "ended"}
)

RECOVERY_MS = 8 * LEASE_MS
"""What the last of the weather takes to pass: whoever stands still does so for three leases,
who died is back after two, a lease lapses after one, a standby looks every third of one, and
whoever saw the server die waits one before it leads."""

LONGEST_STEP_MS = 3 * LEASE_MS
"""Most that the server's clock is set back at once: leases and deadlines take so much longer."""


def gaps_ms(played: Played, journal: list[Sealed], *, since_ms: int) -> list[int]:
    """List how long it took from each sign of life to the next, true time, from a moment on.

    After the end, and while the run is paused, there is none.
    """
    gaps, last_ms, is_paused = [], 0, False
    for sealed in journal:
        kinds = {event.kind for event in sealed.commit.events}
        now_ms = played.came_ms[sealed.sha256]
        if kinds & SIGNS and last_ms and not is_paused:
            gaps.append(now_ms - max(last_ms, since_ms))
        if kinds & SIGNS or "resumed" in kinds:
            last_ms = now_ms
        is_paused = "resumed" not in kinds and (is_paused or "paused" in kinds)
        if "ended" in kinds:
            break
    return [gap for gap in gaps if gap > 0]


def calm_ms(played: Played) -> int:
    """Tell from when on everybody is well."""
    if not played.faults:
        return BEGIN_MS
    steps = sum(one.fault == "clock back" for one in played.faults)
    return played.faults[-1].at_ms + RECOVERY_MS + steps * LONGEST_STEP_MS


def silence(played: Played, journal: list[Sealed]) -> Iterator[str]:
    """Nobody is waited for longer than a deadline and a lease."""
    floor = played.scene.spec.floor
    most_ms = LEASE_MS + max(floor.allow_ms, round(floor.gather_s * 1000))
    longest_ms = max(gaps_ms(played, journal, since_ms=calm_ms(played)), default=0)
    if longest_ms > most_ms:
        yield f"silent for {longest_ms} ms, of at most {most_ms}"
