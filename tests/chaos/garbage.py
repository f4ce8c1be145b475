"""What a vandal writes: on a run's floor, beside it, and in the keys of other runs."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

from tests.chaos.promises import Fence
from tests.chaos.scene import RUN
from tests.chaos.scheduler import Process
from tests.chaos.simulation import Play
from utils import keys
from utils.journal import sha256_of, unseal


class Vandal:
    """Writes garbage all through a run.

    Attributes:
        pieces: How many are still to be written.
        on_floor: The ids of those on the floor of the run that is watched.
        forged: How often an answer to a live grant was on the floor with that field wrong.
    """

    def __init__(self, writes: Callable[[Vandal, Play], None], pieces: int, seed: int) -> None:
        self.writes, self.pieces, self.chance = writes, pieces, Random(seed)
        self.on_floor: set[str] = set()
        self.forged: dict[str, int] = defaultdict(int)
        self._fence, self._read = Fence(), 0
        self._said: dict[str, list[str]] = defaultdict(list)
        self._hashes = ["0" * 64, "f" * 64]

    def __call__(self, on: Play, process: Process) -> None:
        while self.pieces:
            for _ in range(min(self.pieces, self.chance.randrange(1, 12))):
                self.pieces -= 1
                self.writes(self, on)
            on.scheduler.wait(self.chance.randrange(30))
        on.scheduler.wait(10**9)

    # --- forgeries ----------------------------------------------------------------------

    def answer(self, on: Play) -> dict[str, Any]:
        """Write the answer to a live grant; to one that never was if none is live."""
        self._read_on(on)
        epoch, granted = self.chance.choice([*self._fence.live.items()] or [(0, None)])
        bot = granted.bot if granted else "ada"
        author, seat = self._fence.seats.get(bot, ("nobody", 0))
        return {
            "kind": "proposed",
            "author": author,
            "nonce": f"x{self.chance.random()}",
            "bot": bot,
            "seat": seat,
            "epoch": epoch,
            "grant": self._fence.hashes.get(epoch, "0" * 64),
            "action": {"kind": "say", "text": "I was never asked."},
        }

    def forge(self, on: Play) -> tuple[str, dict[str, Any]]:
        """Write an answer with one field wrong: which, if its grant is live, and the answer."""
        answer = self.answer(on)
        field = self.chance.choice(["author", "nonce", "bot", "seat", "epoch", "grant"])
        others = {
            "author": ["nobody", *(name for name in self._said if name != answer["author"])],
            "nonce": self._said[answer["author"]],
            "bot": [bot.name for bot in on.scene.spec.bots if bot.name != answer["bot"]],
            "seat": [0, answer["seat"] + 1, 2**40, max(0, answer["seat"] - 1)],
            "epoch": [0, answer["epoch"] + 1, max(0, answer["epoch"] - 1), 10**15],
            "grant": [one for one in self._hashes if one != answer["grant"]],
        }
        wrong = [one for one in others[field] if one != answer[field]]
        if not wrong:  # nothing was said yet that could be said again
            field, wrong = "seat", [2**40]
        return field if self._fence.live else "", {**answer, field: self.chance.choice(wrong)}

    def _read_on(self, on: Play) -> None:
        """Read what was committed since, as anybody may who can write on the floor."""
        log = on.network.server.log
        for group in log[self._read :]:
            for does, key, *rest in group:
                if (does, key) == ("add", keys.journal(RUN)):
                    sealed = unseal(rest[0][0], rest[1][1], rest[1][3])
                    self._fence.take(sealed)
                    self._hashes.append(sealed.sha256)
                    for one in sealed.commit.inputs:
                        self._said[one.author].append(one.nonce)
        self._read = len(log)


def text(vandal: Vandal, on: Play, live: list[str]) -> str:
    """Draw a text that is no input, or one that claims what is not so, or is said again."""
    answer, (field, forged) = vandal.answer(on), vandal.forge(on)
    written = drawn(vandal.chance, answer, forged, live)
    vandal.forged[field] += written == json.dumps(forged)
    return written


def drawn(chance: Random, answer: dict[str, Any], forged: dict[str, Any], live: list[str]) -> str:
    """Draw such a text.

    Args:
        answer: One that would be taken; it is spoiled.
        forged: The same with a field wrong.
        live: What was said before.
    """
    field = chance.choice(list(answer))
    last = live[-1] if live else "{"
    spoken = chance.choice(["a\x00b", "a\ud800b", "\udfff", "x\udc00\ud800"])
    return chance.choice(
        [
            "".join(chr(chance.randrange(256)) for _ in range(chance.randrange(40))),
            json.dumps(answer).replace("never", "\0"),
            "\udcff\udc80" * chance.randrange(1, 9),
            "[" * chance.choice([10, 5_000]),
            json.dumps(chance.choice([None, 1, [], "x", {"kind": "riddle"}, {"kind": None}])),
            last[: chance.randrange(len(last) + 1)],
            json.dumps({**answer, field: chance.choice([None, [], {}, -1])}),
            json.dumps({name: value for name, value in answer.items() if name != field}),
            json.dumps({**answer, "action": {"kind": "say", "text": spoken}}),
            json.dumps({**answer, "author": spoken}),
            "x" * chance.choice([1, 1, 1, 70_000, 1_000_000]),
            chance.choice(live or ["{}"]),
            *[json.dumps(forged)] * 3,
        ]
    )


# --- places -----------------------------------------------------------------------------


def floor(vandal: Vandal, on: Play) -> None:
    """Put garbage on the floor of the run that is watched."""
    chance, server, key = vandal.chance, on.network.server, keys.floor(RUN)
    stream = server.stream(key)
    live = [fields[1] for fields in stream.fields if len(fields) == 2] if stream else []
    fields = ["b", text(vandal, on, live)]
    if chance.random() < 0.1:
        fields = chance.choice([["c", "x"], ["b", "{}", "h", "x"], ["", ""], ["b\udcff", "{}"]])
    vandal.on_floor.add(server.execute(["XADD", key, "*", *fields]))


def beside(vandal: Vandal, on: Play) -> None:
    """Put garbage where processes look for runs and for each other."""
    chance, execute = vandal.chance, on.network.server.execute
    score = chance.choice(["inf", "-inf", "1e300", "-1"])
    execute(["XADD", keys.RUNS, "*", chance.choice("bc"), text(vandal, on, [])])
    execute(["ZADD", keys.HOSTS, score, text(vandal, on, [])])
    execute(["ZADD", keys.RESERVED, score, text(vandal, on, [])])
    for key in (keys.LIVE, keys.RESERVED):
        name = chance.choice(["", "../x", "{a}", "\udcff", "a\0b", "no such run"])
        execute(["ZADD", key, "1", name])


def spoiled(vandal: Vandal, on: Play) -> None:
    """Put garbage in some key of another run, while it is led, served, recorded and watched."""
    chance, execute = vandal.chance, on.network.server.execute
    run = f"spoiled-{chance.randrange(10**9)}"
    execute(["SET", keys.spec(run), on.scene.spec.model_dump_json()])
    execute(["ZADD", keys.LIVE, "2", run])
    execute(["XADD", keys.RUNS, "*", "b", run])
    on.scheduler.wait(chance.randrange(300))
    names = (keys.journal, keys.floor, keys.snapshot, keys.calls, keys.leader, keys.spec)
    hosts = [process.name for process in on.living() if process.name.startswith("host")]
    key = chance.choice(
        [
            *(name(run) for name in (*names, keys.journal, keys.calls)),
            *(keys.channel(run, channel.name) for channel in on.scene.spec.channels),
            *(keys.seat(run, bot.name) for bot in on.scene.spec.bots),
            *(keys.inbox(run, host) for host in hosts),
        ]
    )
    kind = chance.randrange(4)
    if kind < 2 and on.network.server.kind(key) in ("stream", "none"):
        execute(["XADD", key, *(entry(vandal, on, key) if kind else far(vandal, on))])
        return
    execute(["DEL", key])
    execute(["SET", key, text(vandal, on, [])] if kind % 2 else ["ZADD", key, "1", "x"])


def far(vandal: Vandal, on: Play) -> list[str]:
    """Write an entry that leaves no room for what should come."""
    return [f"{2**45}-0", "b", text(vandal, on, []), "h", "x"]


def entry(vandal: Vandal, on: Play, key: str) -> list[str]:
    """Write an entry in the place of the next one: at its best a commit on top of no other."""
    stream = on.network.server.stream(key)
    last = stream.fields[-1] if stream and stream.fields else ["b", "{}"]
    number = stream.last[0] + 1 if stream else 1
    body = last[1].replace(f'"seq":{number - 1},', f'"seq":{number},')
    body = vandal.chance.choice([body, text(vandal, on, [last[1]])])
    sha256 = sha256_of(body.encode("utf-8", "replace").decode())
    return [f"{number}-0", "b", body, *(["h", sha256] if vandal.chance.random() < 0.8 else [])]
