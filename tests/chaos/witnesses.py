"""What contradicts what in the keys that a server holds of a run nobody trimmed.

Whoever has no copy of a run can still hold its records against one another: the journal
is chained, and names what was read, what was asked, and what was written beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from orchestrator import engine
from orchestrator.plugins import rules_for
from orchestrator.routes import entries, target_key
from parley.starting import Registered
from tests.swarm import happened
from utils import keys
from utils.journal import Sealed, chain, consume
from utils.spec import Spec
from utils.streams import Streams, order_of

OF_A_RUN = r"(spec|floor|journal|snapshot|calls|leader|(channel|inbox|seat):[\w-]+)"
KNOWN = re.compile(r"parley:(runs|live|reserved|hosts|slots:.+|\{%s\}:" + OF_A_RUN + ")")


def contradictions(streams: Streams, run: str) -> Iterator[str]:
    """List what does not fit.

    Raises:
        BadEntry: The journal is not what it says.
    """
    yield from _strays(streams, run)
    journal = list(chain(streams.journal(run)))
    spec = streams.spec(run)
    began = happened(journal, "began")
    if spec is None or not began:
        yield "there is no spec, or no journal"
        return
    if _sha256_of(spec) != began[0].spec_sha256 or run not in _registered(streams, spec):
        yield "the spec is not the one that the journal and the registry name"
        return
    closed = happened(journal, "closed")
    if not closed and run not in streams.live_runs():
        yield "nobody is to lead the run, and its journal is not closed"
    yield from _beside(streams, run, Spec.read(run, spec), journal, is_closed=bool(closed))
    yield from _asked(streams, run, journal)
    yield from _read(streams, run, journal)


def _strays(streams: Streams, run: str) -> Iterator[str]:
    """Nothing is there that nobody writes."""
    known = re.compile(KNOWN.pattern % re.escape(run))
    for name in streams._redis.scan_iter():
        if not known.fullmatch(name):
            yield "there is a key that nobody writes"
    if {name for name in streams.info() if re.fullmatch(r"db\d+", name)} - {"db0"}:
        yield "there is something in another database"


def _registered(streams: Streams, spec: str) -> list[str]:
    """List the runs that the registry knows by this spec."""
    try:
        told = [Registered.model_validate_json(one.body) for one in streams.all(keys.RUNS)]
    except ValueError:
        return []
    return [one.run for one in told if one.spec_sha256 == _sha256_of(spec)]


def _beside(
    streams: Streams, run: str, spec: Spec, journal: list[Sealed], *, is_closed: bool
) -> Iterator[str]:
    """Channels and inboxes are what follows from the commits, and no more."""
    rules = rules_for(spec)
    state = engine.initial(rules)
    follows: dict[str, list[tuple[str, str]]] = {}
    for sealed in journal:
        after = engine.evolve(rules, state, sealed)
        for target, body in entries(state, after, sealed).items():
            follows.setdefault(target_key(run, target), []).append((f"{sealed.seq}-0", body))
        state = after
    inboxes = streams.names(keys.inbox(run, "*"))
    for key in {*follows, *inboxes, *streams.names(keys.channel(run, "*"))}:
        if is_closed and ":inbox:" in key and key not in inboxes:
            continue  # they are dropped then
        held = [(entry.id, entry.body) for entry in streams.all(key)]
        if held != follows.get(key, []):
            top = order_of(held[-1][0])[0] if held else 0
            where = "past the journal" if top > journal[-1].seq else "not what follows from it"
            yield f"a {'channel' if ':channel:' in key else 'inbox'} is {where}"


def _asked(streams: Streams, run: str, journal: list[Sealed]) -> Iterator[str]:
    """The calls that the journal names are there, and as many as it says."""
    calls = [_sha256_of(entry.body) for entry in streams.all(keys.calls(run))]
    named = {one.call_sha256 for one in happened(journal, "acted", "passed", "revoked")}
    if named - {None} - set(calls):
        yield "a call is not the one that the journal names"
    if any(one.calls != len(calls) for one in happened(journal, "closed")):
        yield "there are not as many calls as the journal says"


def _read(streams: Streams, run: str, journal: list[Sealed]) -> Iterator[str]:
    """What the journal read is on the floor, as it read it."""
    read = [one for sealed in journal for one in sealed.commit.inputs]
    cursor = order_of(journal[-1].commit.cursor)
    floor = [one for one in streams.all(keys.floor(run)) if order_of(one.id) <= cursor]
    if [consume(one.id, one.fields) for one in floor] != read:
        yield "the floor is not what the journal read"


def _sha256_of(text: str) -> str:
    """Hash a text as it lies at the server, be it UTF-8 or not."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()
