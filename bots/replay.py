"""Grade B, prompts: does every call ask what the journal and the memory lead to? Pure.

    for finding in prompts_again(spec, dataset.commits(), dataset.calls()): print(finding)

The journal is folded into what each bot has heard; every call of the record is prepared
again from that, as a host would, with the recorded answer standing in for the model. So
prompt, ledger, options, seed and request must come out as they stand there, and what was
said of the answer too; and what the journal says a bot did must be what its call said.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from bots.hearings import Hearings
from bots.memory.seam import Memory
from bots.minds.seam import Request
from bots.prompt import Framings
from bots.rewritten import Rewritten, mind_of, parting, rewritten, shown
from bots.task import Sitting, Task, prepare
from bots.tokens import UNMEASURED, Scale
from utils import plugins
from utils.callfile import RecordedCall
from utils.calls import CallRecord
from utils.finding import Finding
from utils.journal import Sealed
from utils.lineage import Era, eras_under
from utils.mail import StandingGrant
from utils.protocol import Acted, Action, Began, Forked, Granted, Pass, Passed
from utils.spec import BotSpec, MemorySpec, Spec

MEMORIES = "parley.memories"

KEPT = 10_000
"""Grants, and answers whose fate is open, that are kept: no call comes later than that."""

K = TypeVar("K")
V = TypeVar("V")
MemoryOf = Callable[[MemorySpec], Memory]


def prompts_again(
    spec: Spec,
    commits: Iterable[Sealed],
    calls: Iterable[RecordedCall],
    *,
    memory_of: MemoryOf | None = None,
) -> Iterator[Finding]:
    """Build the prompt of every call again.

    A call that cannot be read is passed over: grade A counts those. What estimates of
    tokens were multiplied by is taken from the record: it comes of the server's counts.

    Args:
        spec: The run's scenario.
        commits: Its journal, from commit 1, with all texts.
        calls: Its calls, in the order in which they were recorded.
        memory_of: Makes a bot's memory; by default what is installed under its name.

    Yields:
        The calls that do not follow, in their order, each with the first thing that
        differs; and what a bot did otherwise than its call said.

    Raises:
        BadInput: A memory of the scenario is not installed.
    """
    replay = _Replay(spec, commits, memory_of or _installed)
    for line, call in enumerate(calls, 1):
        if call.record is not None:
            yield from replay.check(line, call.sha256, call.record)
    yield from replay.rest()


def _installed(spec: MemorySpec) -> Memory:
    memory: Memory = plugins.find(MEMORIES, spec.kind)(spec)
    return memory


class _Era:
    """A stretch of a run in which one scenario holds: all of it, if the run is no fork."""

    def __init__(self, era: Era, memory_of: MemoryOf) -> None:
        self.first_seq, self.spec = era.first_seq, era.spec
        self.run, self.displays = "", era.spec.displays()
        self.desks = {
            bot.name: _Desk(era.spec, bot, memory_of(bot.memory)) for bot in era.spec.bots
        }


class _Desk:
    """One bot, as its host has it at hand."""

    def __init__(self, spec: Spec, bot: BotSpec, memory: Memory) -> None:
        self.bot, self.model, self.memory = bot, spec.models[bot.model], memory
        self.framings = Framings(bot)
        self.mind = mind_of(self.model)


class _Replay:
    """A run as far as it has been read. Commits are read as far as calls need them."""

    def __init__(self, spec: Spec, commits: Iterable[Sealed], memory_of: MemoryOf) -> None:
        self.eras = [_Era(one, memory_of) for one in eras_under(spec.scenario, spec)]
        self.epochs = 0
        self.hearings = Hearings(bot.name for bot in spec.bots)
        self.grants: _Recent[int, StandingGrant] = _Recent()
        self.repairs: _Recent[str, tuple[int, Request]] = _Recent()
        self.said: _Recent[str, Action] = _Recent()
        self.done: _Recent[str, tuple[int, Acted | Passed]] = _Recent()
        self._commits = iter(commits)

    def check(self, line: int, sha256: str, record: CallRecord) -> Iterator[Finding]:
        """Compare one call with what it must be."""
        yield from self._read(upto=record.epoch)
        grant = self.grants.get(record.epoch)
        if grant is None or grant.event.bot not in self.hearings.of:
            yield _found(line, record, None, "the journal has no such grant")
            return
        now = self._again(record, grant)
        what = parting(record, now.record, self._desk(grant).model)
        if what is not None:
            yield _found(line, record, grant, what)
        if now.action is not None:
            self.said.keep(sha256, now.action)
            yield from self._settle(sha256)

    def rest(self) -> Iterator[Finding]:
        """Read the journal to its end; find calls it names that are not in the record."""
        yield from self._read(upto=None)
        for sha256, (seq, did) in self.done.items():
            what = f"{did.kind} by call {sha256[:12]}, which is not in the record"
            yield Finding(what, seq, did.channel, did.turn, did.bot)

    def _read(self, *, upto: int | None) -> Iterator[Finding]:
        """Read commits until an epoch was granted; all of them if it is none."""
        while upto is None or self.epochs < upto:
            sealed = next(self._commits, None)
            if sealed is None:
                return
            self.hearings.take(sealed)
            for event in sealed.commit.events:
                if isinstance(event, Began | Forked):
                    self._era(sealed.seq).run = event.run
                elif isinstance(event, Granted):
                    self.epochs = event.epoch
                    grant = StandingGrant.model_construct(
                        event=event, seq=sealed.seq, commit_sha256=sealed.sha256
                    )
                    self.grants.keep(event.epoch, grant)
                elif isinstance(event, Acted | Passed) and event.call_sha256:
                    self.done.keep(event.call_sha256, (sealed.seq, event))
                    yield from self._settle(event.call_sha256)

    def _era(self, seq: int) -> _Era:
        return next(era for era in reversed(self.eras) if era.first_seq <= seq)

    def _desk(self, grant: StandingGrant) -> _Desk:
        return self._era(grant.seq).desks[grant.event.bot]

    def _settle(self, sha256: str) -> Iterator[Finding]:
        """Compare what a bot did with what its call said, once both are known."""
        if sha256 in self.said and sha256 in self.done:
            said, (seq, did) = self.said.pop(sha256), self.done.pop(sha256)
            known = did.action if isinstance(did, Acted) else Pass(why=did.why)
            if known != said:
                what = f"{did.kind}: its call said {shown(said)}, not {shown(known)}"
                yield Finding(what, seq, did.channel, did.turn, did.bot)

    def _again(self, record: CallRecord, grant: StandingGrant) -> Rewritten:
        """Write a call's record again: the first attempts', or those after a fault."""
        task = self._prepared(record, grant)
        faulty, repair = self.repairs.get(record.call_id, (record.attempt, task.request))
        request = repair if record.attempt > faulty else task.request
        now = rewritten(task, request, record, self._desk(grant).mind)
        if now.next_request is not None and request is task.request:
            self.repairs.keep(record.call_id, (record.attempt, now.next_request))
        return now

    def _prepared(self, record: CallRecord, grant: StandingGrant) -> Task:
        era, desk = self._era(grant.seq), self._desk(grant)
        sitting = Sitting(
            run=era.run,
            host=record.host,
            seat=record.seat,
            bot=desk.bot,
            model=desk.model,
            displays=era.displays,
            guards=era.spec.guards,
        )
        factor = record.token_scale
        return prepare(
            sitting,
            grant,
            self.hearings.of[desk.bot.name],
            desk.memory,
            desk.framings,
            scale=Scale(factor, is_measured=factor != UNMEASURED.factor),
        )


class _Recent(OrderedDict[K, V]):
    """The last `KEPT` things that were kept."""

    def keep(self, key: K, value: V) -> None:
        self[key] = value
        if len(self) > KEPT:
            self.popitem(last=False)


def _found(line: int, record: CallRecord, grant: StandingGrant | None, what: str) -> Finding:
    return Finding(
        what,
        commit=grant.seq if grant else None,
        channel=record.channel,
        turn=record.turn,
        bot=record.bot,
        call=f"{record.call_id} attempt {record.attempt}",
        line=line,
    )
