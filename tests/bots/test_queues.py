"""Many bots, few slots, real queues: every one of them answers, in turn, wherever it sits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import pytest

from bots.offline.models import Offered
from bots.offline.server import Limits, OfflineServer
from tests.scenes import spec_of
from tests.swarm import Swarm, happened
from utils import keys
from utils.calls import CallRecord
from utils.journal import Sealed
from utils.spec import EndSpec, FloorSpec, ModelSpec, Spec
from utils.streams import Streams

BOTS = tuple(f"bot-{number:02}" for number in range(20))
ALLOW_S = 2
LOAD_S = 0.1


def crowd(*models: ModelSpec, bots: Sequence[str] = BOTS) -> Spec:
    """Bots that are asked all at once, on these models in turn."""
    spec = spec_of(
        bots,
        policy="simultaneous",
        end=EndSpec(turns=1, silence_minutes=1),
        floor=FloorSpec(allow_s=ALLOW_S, tries=1, gather_s=20),
    )
    named = {f"m{number}": model for number, model in enumerate(models)}
    seated = tuple(
        bot.model_copy(update={"model": f"m{number % len(models)}"})
        for number, bot in enumerate(spec.bots)
    )
    return spec.model_copy(update={"models": named, "bots": seated})


@contextmanager
def a_swarm(
    url: str, *, hosts: int, seats: int, servers: Sequence[OfflineServer]
) -> Iterator[Swarm]:
    swarm = Swarm(lambda: Streams(url), lease_ms=10_000)
    swarm.settings = swarm.settings.model_copy(
        update={"ollama_hosts": tuple(server.url for server in servers), "slots": 1}
    )
    swarm.orchestrator()
    for _ in range(hosts):
        swarm.host(seats)
    try:
        yield swarm
    finally:
        swarm.close()


def played(swarm: Swarm, what: Spec | str) -> tuple[list[Sealed], list[CallRecord]]:
    """Play a scenario, or a run that is begun, to its end."""
    run = what if isinstance(what, str) else swarm.seed(what)
    breath = Event()
    for _ in range(60_000):
        swarm.step()
        breath.wait(0.001)  # for the threads that ask
        if swarm.orchestrators[0].closed >= {run}:
            break
    calls = [CallRecord.model_validate_json(one.body) for one in swarm.streams.all(keys.calls(run))]
    return swarm.journal(run), calls


def slow(name: str = "slow") -> Offered:
    return Offered(name, load_s=LOAD_S, tokens_per_s=80, slots=1)


@pytest.mark.parametrize(("hosts", "seats"), [(1, 20), (5, 4)])
def test_twenty_bots_that_are_asked_at_once_on_one_slot_all_answer(
    empty_server: str, hosts: int, seats: int
) -> None:
    spec = crowd(ModelSpec(model="slow", options={"num_predict": 40}))
    with (
        OfflineServer(models=[slow()]) as server,
        a_swarm(empty_server, hosts=hosts, seats=seats, servers=[server]) as swarm,
    ):
        journal, calls = played(swarm, spec)
    assert len(happened(journal, "acted")) == 20, [call.outcome for call in calls]
    assert not happened(journal, "revoked")
    first = happened(journal, "granted")[0]
    took_ms = journal[-1].commit.at_ms - (first.deadline_ms - first.allow_ms)
    assert took_ms > 2 * first.allow_ms, "it was no queue"
    assert happened(journal, "extended")
    assert {call.attempt for call in calls} == {1}


def test_bots_on_two_models_do_not_make_a_server_swap_at_every_turn(empty_server: str) -> None:
    spec = crowd(ModelSpec(model="slow"), ModelSpec(model="other"), bots=BOTS[:12])
    with (
        OfflineServer(models=[slow(), slow("other")], limits=Limits(most_loaded=1)) as server,
        a_swarm(empty_server, hosts=3, seats=4, servers=[server]) as swarm,
    ):
        journal, calls = played(swarm, spec)
        loads = server.loads
    assert len(happened(journal, "acted")) == 12
    assert loads == 2, "one for each model; one for each call without the grouping"
    assert sum(1 for call in calls if (call.load_ns or 0) >= LOAD_S * 1e9) == loads


def test_calls_are_shared_among_servers_and_go_to_those_that_are_in_order(
    empty_server: str,
) -> None:
    spec = crowd(ModelSpec(model="slow"), bots=BOTS[:8])
    with (
        OfflineServer(models=[slow()]) as first,
        OfflineServer(models=[slow()]) as second,
        a_swarm(empty_server, hosts=1, seats=8, servers=[first, second]) as swarm,
    ):
        _, calls = played(swarm, spec)
        shares = Counter(call.server.rpartition(" ")[2] for call in calls)
        run = swarm.seed(spec)
        swarm.until(lambda: run in swarm.hosts[0].places.companies)
        second.close()
        journal, after = played(swarm, run)
    assert min(shares[first.url], shares[second.url]) >= 2
    assert len(happened(journal, "acted")) == 8
    assert not happened(journal, "revoked")
    lost = [call for call in after if call.outcome == "unreachable"]
    assert 1 <= len(lost) <= 4, "the breaker opens after three, and one may be on its way"
    assert all(call.server.endswith(first.url) for call in after if call.outcome == "answered")
