"""Prompts, answers and requests that do not follow are found, and shown where they part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import pytest

from bots.memory.seam import Memory, Recalled
from bots.memory.window import WindowMemory
from bots.offline.server import OfflineServer
from bots.replay import prompts_again
from tests.bots.prompted import Was, asked_a_server, played, salon
from tests.forged import resealed, seq_of, with_event
from tests.scenes import TEMPLATE, spec_of
from utils.journal import Sealed
from utils.protocol import Acted, Event, Heard, Say
from utils.spec import MemorySpec, Spec


@pytest.fixture(scope="module")
def talk() -> Was:
    return played(salon())


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
