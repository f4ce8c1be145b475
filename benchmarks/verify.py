"""How long grade B takes: every commit decided again, every prompt built again. By hand:

python benchmarks/verify.py [TURNS ...]

Runs of three bots with a window of 20 messages, made without a server: the engine at a
table, and calls as a host of an Ollama model writes them, with the hashes of their requests.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator

from bots.hearings import Hearings
from bots.memory.window import WindowMemory
from bots.minds.attempts import Attempt
from bots.minds.body import parameters_of, rebuilt
from bots.minds.ollama import OllamaMind
from bots.minds.seam import NOTHING_KNOWN, Answer
from bots.prompt import Framings
from bots.record import record_of
from bots.replay import prompts_again
from bots.speech import said
from bots.task import Sitting, Task, prepare
from orchestrator.replay import decisions_again
from tests.scenes import Table, spec_of
from utils.callfile import RecordedCall, call_from_line, call_line, read_call
from utils.calls import CallRecord
from utils.clock import monotonic_ms
from utils.exchange import Exchange
from utils.journal import Sealed, from_line, sha256_of, to_line
from utils.mail import StandingGrant
from utils.spec import ModelSpec, Spec

MODEL = ModelSpec(model="llama3.2:1b", options={"num_predict": 160})
TEXT = "What a town is for changes with who is asked, and when; shade, trade, or company. " * 3
MIND = OllamaMind(MODEL)


class Played:
    """A run at a table, with a call for each of its turns; kept as lines, as a dataset is."""

    def __init__(self, spec: Spec, turns: int) -> None:
        self.spec, self.table = spec, Table(spec).begin()
        self.hearings = Hearings(bot.name for bot in spec.bots)
        self.framings = {bot.name: Framings(bot) for bot in spec.bots}
        self.memories = {bot.name: WindowMemory(bot.memory) for bot in spec.bots}
        self.displays = spec.displays()
        self.commits: list[str] = []
        self.calls: list[str] = []
        for _ in range(turns):
            self._keep()
            self._turn()
        self._keep()

    def _keep(self) -> None:
        for sealed in self.table.journal:
            self.hearings.take(sealed)
            self.commits.append(to_line(sealed))
        self.table.journal.clear()

    def _turn(self) -> None:
        self.table.now_ms += 1
        grant = self.table.grant
        bot = next(one for one in self.spec.bots if one.name == grant.event.bot)
        seat = self.table.state.seats[bot.name]
        sitting = Sitting("tea-1", seat.host, seat.number, bot, MODEL, self.displays)
        standing = StandingGrant(
            event=grant.event, seq=grant.seq, commit_sha256=grant.commit_sha256
        )
        hearing, memory = self.hearings.of[bot.name], self.memories[bot.name]
        task = prepare(sitting, standing, hearing, memory, self.framings[bot.name])
        call = read_call(f"{len(self.calls) + 1}-0", _record(task))
        self.calls.append(call_line(call))
        self.table.propose(text=TEXT.strip(), call_sha256=call.sha256)


def _record(task: Task) -> str:
    """Write the call of a task down as a host does, with the hash of its request."""
    name = task.sitting.displays[task.sitting.bot.name]
    spoken = said(TEXT, display=name, others=task.others, max_chars=4_000)
    parameters = parameters_of(MODEL)

    def record(exchange: Exchange) -> CallRecord:
        answer = Answer(text=TEXT, sent=MIND.sends(task.request), exchange=exchange)
        attempt = Attempt(1, task.request, 1, 1.0, NOTHING_KNOWN, answer)
        return record_of(task, MIND, attempt, spoken)

    unsent = record(Exchange(parameters=tuple(parameters.items())))
    sha256 = sha256_of(rebuilt(unsent).decode())
    return unsent.model_copy(update={"request_sha256": sha256}).model_dump_json()


def commits(run: Played) -> Iterator[Sealed]:
    return map(from_line, run.commits)


def calls(run: Played) -> Iterator[RecordedCall]:
    return map(call_from_line, run.calls)


def measure(turns: int) -> None:
    """Print how long it takes, and how much more memory."""
    run = Played(spec_of(turns=turns, model=MODEL), turns)
    before_mb = peak_mb()
    began = clocks_s()
    assert list(decisions_again(run.spec, commits(run))) == []
    decided = clocks_s()
    assert list(prompts_again(run.spec, commits(run), calls(run))) == []
    built = clocks_s()
    print(
        f"{turns:>7,} turns: decisions {took(began, decided)}, prompts {took(decided, built)}, "
        f"memory +{peak_mb() - before_mb:.0f} MB",
        flush=True,
    )


def clocks_s() -> tuple[float, float]:
    """Read the wall's clock and the processor's: others may be at work on this machine."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return monotonic_ms() / 1000, used.ru_utime + used.ru_stime


def took(since: tuple[float, float], until: tuple[float, float]) -> str:
    return f"{until[0] - since[0]:.1f} s ({until[1] - since[1]:.1f} s of processor)"


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    for given in sys.argv[1:] or ["1000", "10000"]:
        measure(int(given))
