"""Every prompt is built again from the journal: what was asked follows, or it is shown."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import pytest

from bots.memory.seam import Memory, Recalled
from bots.memory.window import WindowMemory
from bots.offline.faults import Fault, FaultPlan, Kind
from bots.offline.server import OfflineServer
from bots.replay import prompts_again
from tests.forged import resealed, seq_of, with_event
from tests.scenes import POLICIES, TEMPLATE, spec_of
from tests.swarm import Pace, Swarm, fake_swarm, happened
from tests.worlds.grid_played import grid_spec
from tests.worlds.naming_played import game
from utils import keys
from utils.callfile import RecordedCall, read_call
from utils.finding import Finding
from utils.journal import Sealed
from utils.protocol import Acted, Event, Heard, Say
from utils.spec import (
    ChannelSpec,
    FloorSpec,
    GuardsSpec,
    MemorySpec,
    ModelSpec,
    RepetitionGuard,
    Spec,
)

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


@pytest.fixture(scope="module")
def talk() -> Was:
    return played(salon())


def outcomes(one: Was) -> Counter[str]:
    return Counter(call.record.outcome for call in one.calls if call.record)


# --- what follows -------------------------------------------------------------------------


def test_a_salon_in_two_rooms_follows(talk: Was) -> None:
    assert talk.found() == []
    assert len(talk.calls) == 14 + 2 * 3


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "memory",
    [
        MemorySpec(amount=40, unit="tokens"),
        MemorySpec(amount=2, unit="rounds", scope="all"),
        MemorySpec(kind="none"),
    ],
    ids=lambda memory: f"{memory.kind}-{memory.unit}",
)
def test_every_policy_and_memory_follows(policy: str, memory: MemorySpec) -> None:
    model = ModelSpec(mind="rule", rule="echo")
    assert played(spec_of(policy=policy, turns=8, memory=memory, model=model)).found() == []


def test_a_naming_game_and_a_grid_follow() -> None:
    naming = played(game(8, encounters=60), hosts=(5, 3))
    assert naming.found() == []
    assert len(naming.calls) == 120
    spec = grid_spec(decay=0.2, ticks=30, allow_s=60)
    grid = played(spec, hosts=(3, 2))
    assert grid.found() == []
    assert len(grid.calls) > 30


def asked_a_server(server: OfflineServer, spec: Spec) -> Was:
    """Play a run whose bots ask a server, each in its own thread."""
    model = ModelSpec(mind="ollama", model="parley-offline", host=server.url)
    spec = spec.model_copy(update={"models": {"m": model}})
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(len(spec.bots))
        run = swarm.seed(spec)
        return recorded(swarm, run, spec, Pace(swarm).finish(run))


@pytest.mark.parametrize("fault", ["error_500", "cut", "empty", "think_tags", "other_name", "huge"])
def test_an_offline_model_follows_with_what_guards_kept_back_and_what_failed(fault: Kind) -> None:
    guards = GuardsSpec(empty=True, repetition=RepetitionGuard(share=0.5))
    with OfflineServer(faults=FaultPlan(faults=(Fault(fault=fault, every=3),))) as server:
        one = asked_a_server(server, salon(guards=guards, floor=FloorSpec(allow_s=60)))
    assert one.found() == []
    assert all(call.record and call.record.request_sha256 for call in one.calls)
    seen = outcomes(one)
    if fault in ("error_500", "cut"):
        assert seen.keys() >= {"server" if fault == "error_500" else "truncated"}
    elif fault == "empty":
        assert seen["guarded"] > 0


def test_an_action_that_was_asked_for_again_follows() -> None:
    with OfflineServer(faults=FaultPlan(faults=(Fault(fault="thinking_only", every=3),))) as server:
        one = asked_a_server(server, game(4, encounters=12))
    assert one.found() == []
    assert outcomes(one)["malformed"] > 0


def test_who_comes_and_goes_and_is_told_aside_follows() -> None:
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(2)
        swarm.host(2)
        channels = [
            ChannelSpec(name="main", members=("ada", "bo", "cy", "dot"), opening="Well?"),
            ChannelSpec(name="side", members=("ada", "bo"), policy="random"),
        ]
        spec = spec_of(("ada", "bo", "cy", "dot"), channels=channels, turns=60)
        run = swarm.seed(spec)
        for number, said in enumerate(TOLD):
            at = 6 * (number + 1)
            closed = partial(happened_in, swarm, run, at)
            swarm.until(closed)
            body = {"author": "console", "nonce": f"n{number}", **said}
            swarm.streams.append(keys.floor(run), json.dumps(body))
            if number == 4:
                swarm.hosts.pop().leave()
                swarm.host(4)
        one = recorded(swarm, run, spec, swarm.finish(run))
    assert one.found() == []
    assert {"member_left", "member_joined", "unseated"} <= {
        event.kind for sealed in one.journal for event in sealed.commit.events
    }


def happened_in(swarm: Swarm, run: str, turns: int) -> bool:
    return len(happened(swarm.journal(run), "turn_closed")) >= turns


TOLD = (
    {"kind": "kick", "channel": "main", "bot": "dot"},
    {"kind": "inject", "channel": "main", "text": "Rain!"},
    {"kind": "whisper", "channel": "main", "bot": "bo", "text": "Hush."},
    {"kind": "add", "channel": "side", "bot": "dot"},
    {"kind": "mute", "bot": "ada"},
    {"kind": "add", "channel": "main", "bot": "dot"},
    {"kind": "unmute", "bot": "ada"},
    {"kind": "kick", "channel": "side", "bot": "bo"},
)


def test_who_was_there_when_a_bot_was_asked_counts_not_who_is_there_when_it_answers() -> None:
    with fake_swarm(lease_ms=60_000) as swarm:
        leader = swarm.orchestrator()
        host = swarm.host(3)
        channels = [ChannelSpec(name="main", members=("ada", "bo"), turns=4)]
        spec = spec_of(channels=channels, turns=None)
        run = swarm.seed(spec)
        while True:
            leader.step(block_ms=0)
            if happened_in(swarm, run, 1):
                break
            host.step(block_ms=0)
        body = {"kind": "add", "author": "console", "nonce": "n", "channel": "main", "bot": "cy"}
        swarm.streams.append(keys.floor(run), json.dumps(body))
        leader.step(block_ms=0)
        journal = swarm.journal(run)
        (joined,) = happened(journal, "member_joined")
        assert happened(journal, "granted")[-1].turn == 2
        assert (joined.bot, len(happened(journal, "turn_closed"))) == ("cy", 1)
        one = recorded(swarm, run, spec, swarm.finish(run))
    assert one.found() == []


def test_a_call_that_comes_late_follows_all_the_same(talk: Was) -> None:
    late = replace(talk, calls=[*talk.calls[1:], talk.calls[0]])
    assert late.found() == []
    assert replace(talk, calls=[*talk.calls, *talk.calls]).found() == []


def test_what_cannot_be_read_is_passed_over(talk: Was) -> None:
    assert replace(talk, calls=[read_call("1-1", "garbage"), *talk.calls]).found() == []


# --- what does not --------------------------------------------------------------------------


def bots_of(spec: Spec, name: str, change: Callable[..., object]) -> Spec:
    bots = tuple(change(bot) if bot.name == name else bot for bot in spec.bots)
    return spec.model_copy(update={"bots": bots})


def first_turn_of(one: Was, bot: str) -> int:
    return next(
        line for line, call in enumerate(one.calls, 1) if call.record and call.record.bot == bot
    )


def test_one_space_added_to_a_persona_is_found_at_its_first_turn_and_nothing_before_it(
    talk: Was,
) -> None:
    spec = bots_of(
        salon(),
        "cy",
        lambda bot: bot.model_copy(
            update={"persona": bot.persona.model_copy(update={"role": "a  baker"})}
        ),
    )
    findings = talk.found(spec)
    assert {one.bot for one in findings} == {"cy"}
    first = findings[0]
    assert first.line == first_turn_of(talk, "cy")
    assert (first.channel, first.turn) in {("main", 3), ("side", 1)}
    assert first.what.startswith("prompt: message 1, character ")
    assert "a  baker" in first.what


def test_one_space_added_to_a_template_is_found_at_the_first_turn(talk: Was) -> None:
    template = TEMPLATE.model_copy(update={"ask": TEMPLATE.ask.replace(" next", "  next")})
    spec = bots_of(salon(), "bo", lambda bot: bot.model_copy(update={"prompt": template}))
    first, *rest = talk.found(spec)
    assert (first.bot, first.channel, first.turn) == ("bo", "main", 2)
    assert first.line == first_turn_of(talk, "bo")
    assert {one.bot for one in rest} == {"bo"}


class Spaced(WindowMemory):
    """A window which from the fourth message on writes one space more."""

    def recall(self, latest: Iterable[Heard], channel: str) -> Recalled:
        recalled = super().recall(latest, channel)
        if len(recalled.messages) < 4:
            return recalled
        *older, last = recalled.messages
        return replace(
            recalled, messages=(*older, last.model_copy(update={"text": last.text + " x"}))
        )


def test_a_memory_rule_with_one_space_more_is_found_at_the_first_turn_it_touches(
    talk: Was,
) -> None:
    first, *_ = talk.found(memory_of=Spaced)
    untouched = [
        call.record
        for call in talk.calls[: (first.line or 0) - 1]
        if call.record and sum(one.seen for one in call.record.exposures) >= 4
    ]
    assert untouched == []
    assert first.what.startswith("prompt: message ")


def test_a_window_of_one_less_is_found_where_it_first_leaves_something_out(talk: Was) -> None:
    def smaller(spec: MemorySpec) -> Memory:
        return WindowMemory(spec.model_copy(update={"amount": 4}))

    findings = talk.found(memory_of=smaller)
    full = [
        line
        for line, call in enumerate(talk.calls, 1)
        if call.record and sum(one.seen for one in call.record.exposures) == 5
    ]
    assert [one.line for one in findings] == full


def test_one_word_of_a_journal_that_was_sealed_again_is_found_where_it_was_prompted(
    talk: Was,
) -> None:
    def is_it(event: Event) -> bool:
        return isinstance(event, Heard) and (event.channel, event.turn) == ("main", 1)

    seq = seq_of(talk.journal, is_it)
    events = with_event(talk.journal[seq - 1], is_it, text="Shame.")
    journal = resealed(talk.journal, seq, events=tuple(events))
    first = replace(talk, journal=journal).found()[0]
    assert (first.channel, first.turn, first.bot) == ("main", 2, "bo")
    assert "then 'Ada: Shade." in first.what or "Shade." in first.what


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"seed": 5}, "seed: recorded 5, rebuilt "),
        ({"options": {"top_k": 1}}, "options: top_k: recorded 1, rebuilt None"),
        ({"exposures": ()}, "ledger: recorded 0, rebuilt 1"),
        ({"messages_sha256": "0" * 64}, "messages_sha256: recorded '000"),
        ({"said": "Shame."}, "said: recorded 'Shame.', rebuilt 'Shade.'"),
        ({"response": "Shame.", "said": "Shame."}, ""),
        ({"turn": 9}, "turn: recorded 9, rebuilt 1"),
        ({"prompt_sha256": "0" * 64}, "prompt_sha256: "),
        ({"epoch": 999}, "the journal has no such grant"),
        ({"token_scale": 99.0}, "prompt: message 2, character 1: "),
        ({"outcome": "guarded"}, "outcome: recorded 'guarded', rebuilt 'answered'"),
    ],
)
def test_whatever_was_changed_in_a_call_is_named(
    talk: Was, changes: dict[str, object], what: str
) -> None:
    findings = talk.having(1, **changes).found()
    at_the_call = [one.what for one in findings if one.line == 1]
    assert [one.startswith(what) for one in at_the_call] == [True] * bool(what)
    missing = [one for one in findings if "which is not in the record" in one.what]
    assert len(missing) == 1, "the journal names the call as it was"


def test_an_answer_that_was_read_otherwise_than_the_journal_says_is_found(talk: Was) -> None:
    def is_it(event: Event) -> bool:
        return isinstance(event, Acted)

    seq = seq_of(talk.journal, is_it)
    events = with_event(talk.journal[seq - 1], is_it, action=Say(text="Shame."))
    journal = resealed(talk.journal, seq, events=tuple(events))
    (one,) = [one for one in replace(talk, journal=journal).found() if one.what.startswith("acted")]
    assert (one.commit, one.turn) == (seq, 1)
    assert "its call said Say(kind='say', text='Shade.')" in one.what


def test_what_went_over_the_wire_is_made_again() -> None:
    with OfflineServer() as server:
        one = asked_a_server(server, spec_of(turns=3))
    assert one.found() == []
    record = one.calls[1].record
    assert record is not None
    first = one.having(2, request_sha256="0" * 64).found()[0]
    assert (first.line, first.what) == (2, "request: the bytes that were sent were others")
    first = one.having(2, parameters={**record.parameters, "shift": True}).found()[0]
    assert first.what == "parameters: shift: recorded True, rebuilt False"
    colder = one.spec.models["m"].model_copy(update={"options": {"temperature": 0.1}})
    findings = one.found(one.spec.model_copy(update={"models": {"m": colder}}))
    assert findings[0].what == "options: temperature: recorded 0.8, rebuilt 0.1"
    assert len(findings) == 3


def test_commits_are_read_no_further_than_calls_need(talk: Was) -> None:
    read = 0

    def counted() -> Iterator[Sealed]:
        nonlocal read
        for read, sealed in enumerate(talk.journal, 1):  # noqa: B007
            yield sealed

    spec = bots_of(
        salon(),
        "ada",
        lambda bot: bot.model_copy(
            update={"persona": bot.persona.model_copy(update={"role": "a  baker"})}
        ),
    )
    next(iter(prompts_again(spec, counted(), talk.calls)))
    assert read < 10
