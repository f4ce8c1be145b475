"""Make the journals of this folder anew: `python -m tests.journals.made`.

Only after a change that is meant to change them: they are here to stay as they are. Names
after the command: those alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

from orchestrator.leader import Leader
from tests.chaos.garbage import drawn
from tests.court import mend_and_die, rolled_back
from tests.scenes import Table, spec_of
from utils.journal import Sealed, to_line
from utils.spec import ChannelSpec, FloorSpec, Spec

FOLDER = Path(__file__).parent
SEATS = 80
"""More than the 64 nonces that were remembered of an author once."""


def many_seats() -> tuple[Spec, list[Sealed]]:
    """A host asks for all its seats, and says so again after a cut: it is seated once."""
    bots = [f"b{number}" for number in range(SEATS)]
    table = Table(spec_of(bots, turns=1)).begin_empty()
    joins = [{"kind": "joined", "author": "one", "nonce": bot, "bot": bot} for bot in bots]
    for _ in range(2):
        table.say(*joins)
    return table.rules.spec, table.journal


def clock_back(leads: type[Leader] = Leader) -> tuple[Spec, list[Sealed]]:
    """A server loses its tail, and its clock is a minute behind: the leader mends."""
    court = rolled_back(seconds=60, leads=leads)
    court.leader.recover(court.now_ms)
    court.consume()
    court.talk(1)
    return court.leader.rules.spec, court.journal


def unsaid(leads: type[Leader] = Leader) -> tuple[Spec, list[Sealed]]:
    """The same, and the leader dies when it has mended and not said so: another leads on."""
    court = rolled_back(seconds=60, leads=leads)
    mend_and_die(court)
    court.consume()
    court.talk(1)
    return court.leader.rules.spec, court.journal


def paused_round() -> tuple[Spec, list[Sealed]]:
    """A grant of a round is revoked in a pause: it is made again after the pause."""
    bots = ("ada", "bo", "cy")
    main = ChannelSpec(name="main", members=bots, policy="simultaneous", turns=2)
    spec = spec_of(bots, channels=[main], turns=None, floor=FloorSpec(allow_s=10, tries=2))
    table = Table(spec).begin()
    table.say({"kind": "pause", "author": "person", "nonce": "p1"})
    for grant in table.state.live()[:2]:
        table.fail(grant)
    table.propose(table.state.live()[0])
    table.say({"kind": "resume", "author": "person", "nonce": "p2"})
    while table.state.live():
        table.propose(table.state.live()[0])
    return spec, table.journal


def garbage() -> tuple[Spec, list[Sealed]]:
    """Garbage on the floor: each piece is rejected, always in the same words."""
    table = Table(spec_of(turns=4)).begin()
    chance, answer = Random(7), table.proposal()
    for _ in range(60):
        text = drawn(chance, answer, {**answer, "seat": 2**40}, ["0" * 64])
        table.say(text[:3_000].encode(errors="replace").decode())
    table.talk(4)
    return table.rules.spec, table.journal


def vanished() -> tuple[Spec, list[Sealed]]:
    """A host answers a grant that the server forgot with its commit, which nobody holds."""
    court = rolled_back(seconds=0)
    known = court.answer()
    court.leader = Leader.open(court.streams, court.run)
    for nonce in ("a", "b"):
        court.arrive({**known, "nonce": nonce})
        court.consume()
    return court.leader.rules.spec, court.journal


JOURNALS: dict[str, Callable[[], tuple[Spec, list[Sealed]]]] = {
    "many-seats": many_seats,
    "clock-back": clock_back,
    "unsaid": unsaid,
    "paused-round": paused_round,
    "garbage": garbage,
    "vanished": vanished,
}


def main() -> None:
    for name in sys.argv[1:] or JOURNALS:
        make = JOURNALS[name]
        spec, journal = make()
        (FOLDER / f"{name}.spec.json").write_text(spec.model_dump_json() + "\n", "utf-8")
        lines = "".join(to_line(sealed) for sealed in journal)
        (FOLDER / f"{name}.jsonl").write_text(lines, "utf-8")


if __name__ == "__main__":
    main()
