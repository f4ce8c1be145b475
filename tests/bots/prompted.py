"""Runs that were, with their calls, whose prompts are to be built again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bots.memory.seam import Memory
from bots.offline.server import OfflineServer
from bots.replay import prompts_again
from tests.scenes import spec_of
from tests.swarm import Pace, Swarm, fake_swarm
from utils import keys
from utils.callfile import RecordedCall, read_call
from utils.finding import Finding
from utils.journal import Sealed
from utils.spec import ChannelSpec, MemorySpec, ModelSpec, Spec

TALKS = ModelSpec(mind="scripted", lines=("Shade.", "", "A <think>no</think> wall.", "Bo: hm."))


@dataclass(frozen=True)
class Was:
    """A run that was."""

    spec: Spec
    journal: list[Sealed]
    calls: list[RecordedCall]

    def found(self, spec: Spec | None = None, **given: Callable[..., Memory]) -> list[Finding]:
        return list(prompts_again(spec or self.spec, self.journal, self.calls, **given))

    def having(self, line: int, **changes: object) -> Was:
        """The same run, with one call changed; what the journal names is not that one then."""
        record = self.calls[line - 1].record
        assert record is not None
        body = record.model_copy(update=changes).model_dump_json()
        calls = list(self.calls)
        calls[line - 1] = read_call(calls[line - 1].id, body)
        return replace(self, calls=calls)


def was(swarm: Swarm, spec: Spec) -> Was:
    run = swarm.seed(spec)
    journal = swarm.finish(run)
    return recorded(swarm, run, spec, journal)


def recorded(swarm: Swarm, run: str, spec: Spec, journal: list[Sealed]) -> Was:
    calls = [read_call(one.id, one.body) for one in swarm.streams.all(keys.calls(run))]
    return Was(spec, journal, calls)


def played(spec: Spec, *, hosts: Sequence[int] = (3,)) -> Was:
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        for places in hosts:
            swarm.host(places)
        return was(swarm, spec)


def salon(**given: object) -> Spec:
    model = given.pop("model", TALKS)
    memory = given.pop("memory", MemorySpec(amount=5))
    assert isinstance(model, ModelSpec)
    assert isinstance(memory, MemorySpec)
    channels = [
        ChannelSpec(name="main", members=("ada", "bo", "cy"), opening="Well?", turns=14),
        ChannelSpec(name="side", members=("cy", "ada"), policy="simultaneous", turns=3),
    ]
    spec = spec_of(channels=channels, turns=None, model=model, memory=memory)
    return spec.model_copy(update=given)


def outcomes(one: Was) -> Counter[str]:
    return Counter(call.record.outcome for call in one.calls if call.record)


def asked_a_server(server: OfflineServer, spec: Spec) -> Was:
    """Play a run whose bots ask a server, each in its own thread."""
    model = ModelSpec(mind="ollama", model="parley-offline", host=server.url)
    spec = spec.model_copy(update={"models": {"m": model}})
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        run = swarm.seed(spec)
        return recorded(swarm, run, spec, Pace(swarm).finish(run))
