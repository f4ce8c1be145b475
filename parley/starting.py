"""Start a run: an id, the spec, its place in the registry."""

from __future__ import annotations

from collections.abc import Callable

from bots.around import SERVED, Around, located, unsigned
from bots.minds.seam import Mind
from utils import plugins
from utils.clock import Clock, fresh_id
from utils.errors import BadInput, Missing
from utils.journal import sha256_of
from utils.names import Name
from utils.protocol import Frozen, Sha256, Short
from utils.spec import ModelSpec, Spec
from utils.streams import Streams

MAX_SCENARIO_IN_ID = 40


class Registered(Frozen):
    """One entry of the registry, `parley:runs`."""

    run: Name
    scenario: Name
    spec_sha256: Sha256
    labels: dict[Name, Short]
    started_ms: int


def stamped(spec: Spec, streams: Streams) -> Spec:
    """Write the versions that are here into a scenario: of a fork, in place of its parent's."""
    from analytics.statement import versions
    from utils.server import server_details

    details = server_details(streams.info())
    here = versions() | {"server": f"{details.flavour} {details.version}".strip()}
    return spec.model_copy(update={"started_with": here})


def start(
    streams: Streams,
    spec: Spec,
    *,
    reserved: bool = False,
    prepare: Callable[[str], None] = lambda run: None,
) -> str:
    """Write the spec and register the run; whoever orchestrates takes it from there.

    Args:
        prepare: Called with the run's id when it is certain, before anybody knows it.
        reserved: Leave it to processes that are told its id: a swarm that happens to be
            up asks other models at another place.

    Returns:
        The run's id: the scenario's name and eight hexadecimal digits.

    Raises:
        BadInput: Ids ran out, which means the server is not what it seems.
    """
    body = spec.model_dump_json()
    now_ms = streams.time_ms()
    for _ in range(8):
        run = f"{spec.scenario[:MAX_SCENARIO_IN_ID]}-{fresh_id(8)}"
        entry = Registered(
            run=run,
            scenario=spec.scenario,
            spec_sha256=sha256_of(body),
            labels=spec.labels,
            started_ms=now_ms,
        )
        if streams.claim(run, body):
            prepare(run)
            streams.enlist(run, entry.model_dump_json(), now_ms=now_ms, reserved=reserved)
            return run
    raise BadInput("no run id is free")


def check_server(streams: Streams) -> None:
    """Refuse a server that is too old or may evict what a run needs. Raises `Missing`."""
    from utils.server import check_server as check

    check(streams.info())


def preflight(spec: Spec, around: Around) -> list[str]:
    """Ask every model of a scenario whether it is there.

    Returns:
        One line a model: what answers, and whether that is a language model.

    Raises:
        Missing: A server or a model is not there, or two servers have other weights under
            its name; the line says how to mend it.
    """
    lines = []
    for name, model in spec.models.items():
        if all(bot.model != name for bot in spec.bots):
            continue
        places = located(model, around)
        digests = {unsigned(at.host): _digest(at) for at in places}
        if len(set(digests.values())) > 1:
            told = ", ".join(f"{digest[:12]} at {host}" for host, digest in digests.items())
            mend = f"run at each: ollama pull {model.model}"
            raise Missing(f"model '{model.model}' is not one and the same: {told}", mend=mend)
        hosts = ", ".join(unsigned(at.host) for at in places)
        asked = {
            **dict.fromkeys(SERVED, f" {model.model} at {hosts}"),
            "recorded": f" {model.record}",
        }
        lines.append(f"{name}: {model.mind}{asked.get(model.mind, '')}")
    return lines


def _digest(model: ModelSpec) -> str:
    """Check that a model is where it is said to be, and tell its weights' digest."""
    mind: Mind = plugins.find("parley.minds", model.mind)(model)
    try:
        mind.preflight()
        return mind.about.digest
    finally:
        mind.close()


def wait_for_close(streams: Streams, run: str, *, within_ms: int, clock: Clock) -> bool:
    """Wait until a run's record is closed; whether it was, in time."""
    from utils.clock import wait_until

    return wait_until(lambda: run not in streams.live_runs(), within_ms=within_ms, clock=clock)
