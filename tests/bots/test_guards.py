"""Guards: off unless named; then one more answer, a recorded pass, and nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.guards import overlap
from bots.minds.seam import Answer
from tests.bots.asked import SEED, Done, done, heard, task
from tests.bots.told import Told
from tests.scenes import spec_of
from tests.swarm import fake_swarm, happened
from utils import keys
from utils.calls import CallRecord
from utils.errors import MindFailed
from utils.journal import sha256_of
from utils.protocol import Failed, Heard, Pass, Proposed, Say
from utils.spec import GuardsSpec, ModelSpec, PersonaGuard, RepetitionGuard

AGAIN = "A town is a roof that many people share."
NEW = "Bridges need somebody who looks after them."
REPETITION = GuardsSpec(repetition=RepetitionGuard(share=0.8))


def said(*texts: str, guards: GuardsSpec, before: tuple[Heard, ...] = ()) -> Done:
    """Let a mind say these texts one after another, until one is taken."""
    mind = Told([Answer(text=text) for text in texts])
    return done(task(*before, guards=guards), mind, mind.clock)


@pytest.mark.parametrize("text", ["", AGAIN, "As an AI, I have no roof."])
def test_without_guards_everything_is_taken_as_it_is(text: str) -> None:
    result = said(text, guards=GuardsSpec(), before=(heard("bo", AGAIN, turn=1),))
    assert result.outcomes == ["answered"]
    assert result.action == (Say(text=text) if text else Pass(why="empty answer"))


@pytest.mark.parametrize(
    ("guards", "text", "name"),
    [
        (GuardsSpec(empty=True), "", "empty"),
        (GuardsSpec(empty=True), "<think>Hm.</think>", "empty"),
        (REPETITION, AGAIN, "repetition"),
        (REPETITION, f"{AGAIN.upper()}!!", "repetition"),
        (GuardsSpec(persona=PersonaGuard()), "As an AI, I cannot.", "persona"),
        (GuardsSpec(persona=PersonaGuard(phrases=("my roof",))), "It is My  roof.", "persona"),
    ],
)
def test_a_guard_asks_once_more_and_keeps_both_answers(
    guards: GuardsSpec, text: str, name: str
) -> None:
    result = said(text, NEW, guards=guards, before=(heard("bo", AGAIN, turn=1),))
    assert result.action == Say(text=NEW)
    assert result.outcomes == ["guarded", "answered"]
    first, second = result.records
    assert (first.response, first.said, second.response, second.said) == (text, None, NEW, NEW)
    assert first.error
    assert (first.call_id, first.attempt, second.attempt) == (second.call_id, 1, 2)
    assert (first.seed, first.seed != second.seed) == (SEED, True)
    assert first.messages == second.messages
    assert isinstance(result.input, Proposed)
    assert result.input.call_sha256 == sha256_of(second.model_dump_json())
    again = said(text, text, guards=guards, before=(heard("bo", AGAIN, turn=1),))
    assert again.outcomes == ["guarded", "guarded"]
    assert again.why.startswith(f"guarded, {name}: ")
    assert [record.seed for record in again.records] == [first.seed, second.seed]


def test_a_phrase_counts_as_whole_words_only() -> None:
    guards = GuardsSpec(persona=PersonaGuard(phrases=("as an ai",)))
    assert said("It was an aim as an aide.", guards=guards).outcomes == ["answered"]


@pytest.mark.parametrize(
    ("changes", "is_guarded"),
    [
        ({}, True),
        ({"of": "others"}, True),
        ({"of": "own"}, False),
        ({"last": 1}, False),
        ({"share": 1.0}, False),
        ({"share": 1.0, "n": 1}, True),
    ],
)
def test_repetition_is_of_whom_and_of_how_much_the_scenario_says(
    changes: dict[str, Any], is_guarded: bool
) -> None:
    guards = GuardsSpec(repetition=RepetitionGuard.model_validate({"share": 0.8, **changes}))
    before = (
        heard("bo", f"I say: {AGAIN}", turn=1),
        heard("bo", "Bread.", turn=2, channel="elsewhere"),
        heard("ada", "Rivers.", turn=3),
    )
    text = "A town is a roof that many people share share."
    result = said(text, NEW, guards=guards, before=before)
    assert result.outcomes[0] == ("guarded" if is_guarded else "answered")


def test_a_failure_of_the_second_asking_is_a_failure_and_the_first_answer_stays() -> None:
    mind = Told([Answer(text=AGAIN), MindFailed("refused", "no")])
    result = done(task(heard("bo", AGAIN, turn=1), guards=REPETITION), mind, mind.clock)
    assert isinstance(result.input, Failed)
    assert result.input.reason == "refused"
    assert result.outcomes == ["guarded", "refused"]
    assert result.input.call_sha256 == sha256_of(result.records[1].model_dump_json())


def test_without_time_for_a_second_asking_the_bot_passes_at_once() -> None:
    mind = Told([Answer(text=AGAIN), Answer(text=NEW)], takes_ms=980)
    given = task(heard("bo", AGAIN, turn=1), guards=REPETITION, allow_ms=1_000)
    result = done(given, mind, mind.clock)
    assert result.outcomes == ["guarded"]
    assert result.why.startswith("guarded, repetition: bo's turn 1 again")


def test_retries_and_resamples_are_numbered_through() -> None:
    busy = MindFailed("overloaded", "busy", retryable=True)
    mind = Told([busy, Answer(text=AGAIN), busy, Answer(text=NEW)])
    result = done(task(heard("bo", AGAIN, turn=1), guards=REPETITION), mind, mind.clock)
    assert result.outcomes == ["overloaded", "guarded", "overloaded", "answered"]
    assert [record.attempt for record in result.records] == [1, 2, 3, 4]
    seeds = [record.seed for record in result.records]
    assert (seeds[0] == seeds[1], seeds[2] == seeds[3], len(set(seeds))) == (True, True, 2)


def test_a_run_with_guards_goes_on_by_passes_and_counts_what_was_kept_back() -> None:
    model = ModelSpec(mind="scripted", lines=(AGAIN,))
    spec = spec_of(turns=9, model=model).model_copy(update={"guards": REPETITION})
    with fake_swarm() as swarm:
        swarm.orchestrator()
        swarm.host(3)
        run = swarm.seed(spec)
        journal = swarm.finish(run)
        entries = swarm.streams.all(keys.calls(run))
        calls = [CallRecord.model_validate_json(entry.body) for entry in entries]
    assert [one.outcome for one in happened(journal, "turn_closed")] == ["acted"] + ["passed"] * 8
    assert [call.outcome for call in calls] == ["answered"] + ["guarded"] * 16
    named = {event.call_sha256 for event in happened(journal, "passed")}
    assert named == {sha256_of(one.model_dump_json()) for one in calls if one.attempt == 2}


words = st.lists(st.sampled_from("a town is the roof of all".split()), max_size=9).map(" ".join)


@given(text=words, other=words, n=st.integers(1, 6))
def test_overlap_is_a_share_and_whole_for_a_text_with_itself(text: str, other: str, n: int) -> None:
    assert 0 <= overlap(text, other, n=n) <= 1
    assert overlap(text, text, n=n) == (1 if text else 0)
    assert overlap(text, "", n=n) == 0
    if text:
        assert overlap(text, f"{other} {text} {other}", n=n) == 1
