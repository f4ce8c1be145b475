"""A dry run shows the prompts of those who may be asked first, by the world's own rules."""

from __future__ import annotations

import pytest

from parley.dry_run import MOST_PROMPTS, dry_run
from parley.library import find_scenario
from parley.resolve import Overrides, resolve_file
from tests.scenes import spec_of
from utils.awaited import Reached
from utils.errors import BadInput
from utils.spec import ChannelSpec, EndSpec, MemorySpec, ModelSpec, Spec, WorldSpec


def shown(spec: Spec, capsys: pytest.CaptureFixture[str]) -> list[str]:
    dry_run(spec)
    return capsys.readouterr().out.splitlines()


def headings(lines: list[str]) -> list[str]:
    return [line.removeprefix("=== ") for line in lines if line.startswith("=== ")]


def asking(spec: Spec) -> Spec:
    """Let bots that need no model ask one."""
    models = {"m": ModelSpec(mind="ollama", model="llama3.2:1b")}
    return spec.model_copy(update={"models": models})


def test_every_member_of_a_salon_is_shown_what_it_would_be_asked_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(asking(spec_of()), capsys)
    assert headings(lines) == [
        "ada in main, template default",
        "bo in main, template default",
        "cy in main, template default",
        "estimate",
    ]
    assert lines[1:7] == [
        "--- system",
        'You are Ada. You are talking with Bo and Cy in the channel "main".',
        "--- user",
        "(opening) What is a town for?",
        "",
        "Write Ada's next message, and nothing else.",
    ]
    assert lines[-1].startswith("24 calls, about ")


def test_a_bot_that_remembers_all_its_channels_has_heard_every_opening(
    capsys: pytest.CaptureFixture[str],
) -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?"),
        ChannelSpec(name="garden", members=("bo", "cy"), opening="Who digs?"),
    ]
    spec = spec_of(channels=channels, memory=MemorySpec(scope="all"))
    lines = shown(spec, capsys)
    first = lines.index("=== bo in kitchen, template default")
    assert lines[first + 4 : first + 6] == [
        "[kitchen] (opening) Who cooks?",
        "[garden] (opening) Who digs?",
    ]


def test_of_many_prompts_the_first_are_printed_and_the_others_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(spec_of([f"bot-{number}" for number in range(40)]), capsys)
    assert len(headings(lines)) == MOST_PROMPTS + 2
    assert f"=== and {40 - MOST_PROMPTS} more who may be asked first" in lines


def test_a_round_is_as_many_calls_as_it_asks_bots(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(asking(spec_of(policy="simultaneous", turns=10)), capsys)
    assert lines[-1].startswith("30 calls, about ")


def test_where_no_model_is_asked_no_tokens_are_estimated(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(spec_of(turns=10), capsys)[-1] == "10 answers; no model is asked"


def test_a_run_that_a_measure_may_end_takes_at_most_so_much(
    capsys: pytest.CaptureFixture[str],
) -> None:
    end = EndSpec(turns=10, measures=(Reached(measure="met", value=1),))
    spec = spec_of().model_copy(update={"end": end})
    assert shown(spec, capsys)[-1] == "at most 10 answers; no model is asked"


def test_a_scenario_without_bounds_is_open_ended(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(spec_of(end=EndSpec(minutes=3)), capsys)
    assert lines[-1] == "open-ended: the scenario bounds no turns"


def test_a_world_that_opens_its_own_channels_is_begun_to_its_first_grants(
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = resolve_file(find_scenario("convention"), Overrides(mind="ollama"))
    lines = shown(spec, capsys)
    first, second, last = headings(lines)
    assert " in met-1, template naming" in first
    assert " in met-1, template naming" in second
    assert last == "estimate"
    assert lines[-1].startswith(f"at most {2 * (spec.end.turns or 0)} calls, about ")


def test_the_ask_of_a_world_is_in_the_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    spec = resolve_file(find_scenario("convention"), Overrides())
    assert any('"F"' in line and '"J"' in line for line in shown(spec, capsys))


def test_a_world_that_is_not_there_is_bad_input() -> None:
    spec = spec_of().model_copy(update={"world": WorldSpec(name="atlantis")})
    with pytest.raises(BadInput, match="atlantis"):
        dry_run(spec)
