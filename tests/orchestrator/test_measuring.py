"""What a scenario has measured while its run goes on, and what it does about it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator import engine
from orchestrator.snapshot import freeze, thaw
from tests.scenes import Table, spec_of
from utils.awaited import Reached, Telling, When
from utils.spec import EndSpec, Spec

WHOLE = ("messages", "words", "participation_gini", "participation_entropy")
WINDOWS = ("distinct_1_last_3", "distinct_2_last_4", "self_repetition_last_4", "words_mean_last_2")


def measured(spec: Spec, **changes: Any) -> Spec:
    return Spec.model_validate({**dict(spec), **changes})


def values(table: Table, name: str) -> list[float]:
    return [event.value for event in table.events("measured") if event.name == name]


def say(table: Table, *texts: str) -> None:
    for text in texts:
        table.propose(text=text)


# --- from the dataset, written out once more and plainly -------------------------------------


def gini(counts: list[int]) -> float:
    """Half the mean difference of all pairs, over the mean."""
    pairs = [abs(one - other) for one in counts for other in counts]
    return sum(pairs) / len(pairs) / 2 / (sum(counts) / len(counts))


def runs(text: str, n: int) -> list[tuple[str, ...]]:
    words = text.split()
    return [tuple(words[at : at + n]) for at in range(len(words) - n + 1)]


def different(texts: list[str], n: int) -> float | None:
    all_runs = [run for text in texts for run in runs(text, n)]
    return len(set(all_runs)) / len(all_runs) if all_runs else None


def repeated(lines: list[tuple[str, str]]) -> float | None:
    asked = found = 0
    for at, (bot, text) in enumerate(lines):
        own = [said for who, said in lines[:at] if who == bot]
        before = {run for said in own for run in runs(said, 3)}
        if own:
            asked += len(runs(text, 3))
            found += sum(run in before for run in runs(text, 3))
    return found / asked if asked else None


TEXTS = st.lists(st.sampled_from("to be or not".split()), min_size=1, max_size=6).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=14), policy=st.sampled_from(["random", "addressed"])
)
def test_what_is_measured_live_is_what_the_record_gives(texts: list[str], policy: str) -> None:
    spec = measured(spec_of(policy=policy, turns=None), measures=WHOLE + WINDOWS)
    table = Table(spec).begin()
    say(table, *texts)
    lines = [(one.speaker, one.text) for one in table.events("heard") if one.speaker]
    for at in range(1, len(lines) + 1):
        so_far = lines[:at]
        counts = [sum(who == bot for who, _ in so_far) for bot in ("ada", "bo", "cy")]
        assert values(table, "participation_gini")[at - 1] == pytest.approx(gini(counts))
    assert values(table, "messages") == list(range(1, len(lines) + 1))
    said = [text for _, text in lines]
    expected = [different(said[at - 3 : at], 1) for at in range(3, len(said) + 1)]
    assert values(table, "distinct_1_last_3") == expected
    pairs = [different(said[at - 4 : at], 2) for at in range(4, len(said) + 1)]
    assert values(table, "distinct_2_last_4") == [one for one in pairs if one is not None]
    again = [repeated(lines[at - 4 : at]) for at in range(4, len(said) + 1)]
    assert values(table, "self_repetition_last_4") == [one for one in again if one is not None]


def test_nothing_is_measured_that_is_not_asked_for() -> None:
    table = Table(spec_of()).begin()
    say(table, "To be.", "Or not.")
    assert table.events("measured") == []
    assert table.state.counted.recent == ()


def test_the_state_holds_no_more_than_the_widest_window() -> None:
    table = Table(measured(spec_of(turns=None), measures=("distinct_2_last_4", "words"))).begin()
    say(table, *(f"word {number}" for number in range(40)))
    assert len(table.state.counted.recent) == 4


def test_words_from_outside_do_not_count() -> None:
    table = Table(measured(spec_of(), measures=("messages",))).begin()
    table.say({"kind": "inject", "author": "me", "nonce": "1", "channel": "main", "text": "Rain."})
    say(table, "Yes.")
    assert values(table, "messages") == [1]


def test_a_snapshot_holds_what_was_counted() -> None:
    spec = measured(spec_of(), measures=("distinct_1_last_2", "participation_gini"))
    table = Table(spec).begin()
    say(table, "To be.", "Or not.", "To be.")
    body = freeze(table.state, spec_sha256="0" * 64)
    assert thaw(table.rules, body, spec_sha256="0" * 64) == table.state


@pytest.mark.parametrize(
    ("how", "value", "turns"), [("is", 6, 3), ("at_least", 5, 3), ("at_most", 2, 1)]
)
def test_a_run_ends_when_a_measure_of_its_talk_is_reached(
    how: Any, value: float, turns: int
) -> None:
    end = EndSpec(turns=9, measures=(Reached(measure="words", value=value, how=how),))
    table = Table(spec_of(end=end)).begin()
    while table.state.phase == "running":
        say(table, "two words")
    (ended,) = table.events("ended")
    assert (ended.reason, table.state.turns) == ("measure", turns)
    assert ended.detail.startswith("words is ")


def stale(**changes: Any) -> When:
    telling = Telling(verb="inject", channel="main", text="Rain!")
    given = {"measure": "distinct_1_last_2", "value": 0.5, "how": "at_most", "do": telling}
    return When.model_validate({**given, **changes})


def test_what_comes_to_a_value_has_the_run_told_and_heard_before_the_next_turn() -> None:
    table = Table(measured(spec_of(), when=(stale(),))).begin()
    say(table, "rain", "sun")
    assert table.events("triggered") == []
    say(table, "sun")
    kinds = [event.kind for event in table.journal[-1].commit.events]
    follows = ["measured", "triggered", "intervened", "heard", "granted"]
    assert kinds[kinds.index("measured") :] == follows
    (told,) = table.events("intervened")
    assert (told.author, told.verb, told.text) == ("scenario", "inject", "Rain!")


def test_it_is_told_when_the_value_comes_and_not_while_it_stays() -> None:
    table = Table(measured(spec_of(turns=None), when=(stale(times=5),))).begin()
    say(table, "sun", "sun", "sun", "sun", "moon", "moon", "moon")
    assert len(table.events("triggered")) == 2


def test_it_is_told_no_more_often_than_the_scenario_says() -> None:
    table = Table(measured(spec_of(turns=None), when=(stale(times=2),))).begin()
    say(table, *("sun sun moon moon rain rain fog fog".split()))
    assert len(table.events("triggered")) == 2


def test_what_cannot_be_done_is_an_incident_and_the_run_goes_on() -> None:
    mute = Telling(verb="unmute", bot="bo")
    table = Table(measured(spec_of(), when=(stale(do=mute),))).begin()
    say(table, "sun", "sun")
    (incident,) = table.events("incident")
    assert (incident.name, incident.detail) == (
        "trigger_refused",
        "unmute: no_effect bo is not muted",
    )
    assert table.state.phase == "running"


def test_a_scenario_may_stop_its_run() -> None:
    stop = Telling(verb="stop", text="it says the same again")
    table = Table(measured(spec_of(), when=(stale(do=stop),))).begin()
    say(table, "sun", "sun")
    (ended,) = table.events("ended")
    assert (ended.reason, ended.detail) == ("stopped", "it says the same again")


def test_every_commit_is_decided_again_to_the_byte() -> None:
    table = Table(measured(spec_of(turns=6), measures=WHOLE, when=(stale(times=5),))).begin()
    say(table, *("sun sun moon moon rain rain".split()))
    state = engine.initial(table.rules)
    for sealed in table.journal:
        commit = sealed.commit
        causes = engine.Causes(commit.inputs, commit.noticed)
        made = engine.compose(table.rules, state, causes, at_ms=commit.at_ms, cursor=commit.cursor)
        assert made is not None
        assert made.body == sealed.body
        state = engine.evolve(table.rules, state, sealed)
    assert table.events("triggered")


@pytest.mark.parametrize(
    "given",
    [
        {"verb": "inject", "text": "Rain."},
        {"verb": "mute"},
        {"verb": "mark", "bot": "bo", "text": "x"},
        {"verb": "pause", "text": "x"},
    ],
)
def test_a_command_has_what_it_takes_and_no_more(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="takes"):
        Telling.model_validate(given)
