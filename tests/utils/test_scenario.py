"""Scenario files: what they may say, and what an error about one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from parley.library import find_scenario, scenarios
from parley.origins import with_origins
from parley.resolve import Overrides, resolve_file
from utils.errors import BadInput
from utils.scenario import PLANNED, Scenario, load
from utils.spec import EndSpec, MemorySpec, Spec

TEA = "parley: 1\nbots: [ada, bo]\n"


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    return tmp_path / "tea.yaml"


def resolved(path: Path, text: str, **overrides: Any) -> Spec:
    path.write_text(text)
    return resolve_file(path, Overrides(**overrides))


def refused(path: Path, text: str, **overrides: Any) -> str:
    """What is said about a file that cannot be used, from the line number on."""
    with pytest.raises(BadInput) as caught:
        resolved(path, text, **overrides)
    said = str(caught.value)
    assert "\n" not in said
    assert caught.value.exit_code == 2
    return said.removeprefix(f"{path}:")


def test_a_file_of_two_lines_is_a_scenario_with_sane_defaults(tea: Path) -> None:
    spec = resolved(tea, TEA)
    assert (spec.scenario, spec.seed, spec.world.name) == ("tea", 0, "salon")
    assert [bot.name for bot in spec.bots] == ["ada", "bo"]
    (channel,) = spec.channels
    assert (channel.name, channel.members) == ("main", ("ada", "bo"))
    assert (channel.hears, channel.policy, channel.turns) == ("all", "round_robin", None)
    assert spec.end == EndSpec(turns=24, silence_minutes=10)
    assert (spec.models["default"].mind, spec.models["default"].model) == ("ollama", "llama3.2:1b")


@pytest.mark.parametrize("key", sorted(PLANNED))
def test_a_key_that_is_planned_is_refused_by_name(tea: Path, key: str) -> None:
    said = refused(tea, f"{TEA}{key}: 1\n")
    assert said == f"3: '{key}' is planned but not built yet: {PLANNED[key]}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("channels: {main: {policy: chain}}", "3: policy 'chain' is planned but not built yet"),
        ("channels: {main: {hears: graph}}", "3: audience 'graph' is planned but not built yet"),
        ("world: town", "3: world 'town' is planned but not built yet"),
        ("models: {m: {mind: remote}}", "3: mind 'remote' is planned but not built yet"),
        ("channels: {main: {rounds: 3}}", "3: 'rounds' is planned but not built yet"),
    ],
)
def test_what_is_planned_is_refused_by_name_wherever_it_stands(
    tea: Path, text: str, said: str
) -> None:
    assert refused(tea, TEA + text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chanels: {}", "3: unknown key 'chanels'; did you mean 'channels'?"),
        ("end: {turn: 3}", "3: unknown key 'turn'; did you mean 'turns'?"),
        ("end:\n  turns: 3\n  sillence_minutes: 3", "5: unknown key 'sillence_minutes'; did you"),
        ("quark: 1", "3: unknown key 'quark'; there is about, bots, channels, end, floor"),
        ("seed: high", "3: seed must be a whole number"),
        ("seed: 1.5", "3: seed must be a whole number"),
        (
            "end: {turns: '3'}",
            "3: turns must be a whole number from 1 to 1e+09 or nothing, not '3'",
        ),
        ("end: 24", "3: end must be a mapping, not 24"),
        ("end: {turns: 0}", "3: turns must be a whole number from 1"),
        ("floor:\n  allow_s: soon", "4: allow_s must be a number above 0"),
        ("about: [x]", "3: about must be text"),
        ("labels: {arm: 3}", "3: arm must be text"),
        ("channels: {Main: {}}", "3: the key 'Main' must be a name"),
        ("channels:\n  main:\n    members: some", "5: members must be 'all' or a list"),
        ("channels: {}", "3: there is no channel"),
        ("models: {}", "3: there is no model"),
        ("bots: [cy]", "3: 'bots' is there twice, first in line 2"),
        ("seed: [", "3: malformed YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_was_expected(
    tea: Path, text: str, said: str
) -> None:
    assert refused(tea, TEA + text).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: 'bots' is missing; it must be a mapping or a list"),
        ("bots:", "2: bots must be a mapping or a list of at most 10000 items, not nothing"),
        ("bots: []", "2: bots must name at least one bot"),
        ("bots: {}", "2: 'count' is missing"),
        ("bots: {count: 0}", "2: count must be a whole number from 1 to 10000, not 0"),
        ("bots: {cuont: 3}", "2: unknown key 'cuont'; did you mean 'count'?"),
        ("bots: [ada, 7]", "2: item 2 of bots must be a mapping, not 7"),
        ("bots: [adda]", "2: unknown persona 'adda'; did you mean 'ada'?"),
        (
            "bots:\n- ada\n- {name: x,\n   persona: boo}",
            "5: unknown persona 'boo'; did you mean 'bo'?",
        ),
        (
            "bots:\n- ada\n- {persona: bo, prompt: defualt}",
            "4: unknown prompt 'defualt'; did you mean",
        ),
        ("bots: [ada,\n ada]", "3: there are two bots named 'ada'; add name: to one"),
        ("bots: [none]", "2: a bot without persona needs a name; add name:"),
        ("bots: [{persona: ada, model: big}]", "2: unknown model 'big'; there is default"),
        ("bots: {count: 3, persona: adda}", "2: unknown persona 'adda'; did you mean 'ada'?"),
        ("bots: [{persona: ada, memory: 0 messages}]", "2: memory must be 'none' or a count of"),
        ("bots: [{persona: ada, memory: {window: 3 days}}]", "2: window must be 'none' or a count"),
        ("bots: [{persona: ada, memory: {window: 3}}]", "2: window must be text, not 3"),
        (
            "bots: [{persona: ada, memory: {scope: here}}]",
            "2: scope must be one of 'channel', 'all'",
        ),
    ],
)
def test_a_mistake_about_bots_is_told_with_its_line(tea: Path, text: str, said: str) -> None:
    assert refused(tea, f"parley: 1\n{text}\n").startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("world: saloon", "3: unknown world 'saloon'; did you mean 'salon'?"),
        ("models:\n  m: {mind: olama}", "4: unknown mind 'olama'; did you mean 'ollama'?"),
        ("models: {m: {mind: ollama}}", "3: model 'm' does not say which; add model:"),
        ("models: {m: {mind: rule, rule: ehco}}", "3: unknown rule 'ehco'; did you mean 'echo'?"),
        (
            "channels: {main: {policy: robin}}",
            "3: unknown policy 'robin'; did you mean 'round_robin'?",
        ),
        ("channels: {main: {hears: al}}", "3: unknown audience 'al'; did you mean 'all'?"),
        (
            "channels:\n  main:\n    members: [ada,\n      cy]",
            "6: unknown bot 'cy'; there is ada, bo",
        ),
        ("channels: {main: {members: [ada, ada]}}", "3: channel 'main' names a member twice"),
        ("channels: {main: {members: []}}", "3: channel 'main' has no members"),
    ],
)
def test_a_name_that_is_nowhere_is_told_with_its_line_and_the_nearest(
    tea: Path, text: str, said: str
) -> None:
    assert refused(tea, TEA + text).startswith(said)


@pytest.mark.parametrize(
    ("crowd", "names"),
    [
        ("{count: 1}", ["bot-1"]),
        ("{count: 3, name: ant}", ["ant-1", "ant-2", "ant-3"]),
        ("{count: 10}", [f"bot-{number:02}" for number in range(1, 11)]),
    ],
)
def test_a_crowd_is_that_many_bots_alike_whose_names_sort(
    tea: Path, crowd: str, names: list[str]
) -> None:
    spec = resolved(tea, f"parley: 1\nbots: {crowd}\n")
    assert [bot.name for bot in spec.bots] == names == sorted(names)
    assert {bot.persona.name for bot in spec.bots} == {"none"}
    assert spec.channels[0].members == tuple(names)


@pytest.mark.parametrize(
    ("written", "memory"),
    [
        ("none", MemorySpec(kind="none", amount=1)),
        ("20 messages", MemorySpec()),
        ("1 message", MemorySpec(amount=1)),
        ("{window: none, scope: all}", MemorySpec(kind="none", amount=1, scope="all")),
        ("{window: 800 tokens}", MemorySpec(amount=800, unit="tokens")),
        ("{window: 3 rounds, scope: all}", MemorySpec(amount=3, unit="rounds", scope="all")),
        ("{scope: all}", MemorySpec(scope="all")),
    ],
)
def test_a_memory_has_a_short_form_and_a_long_one(
    tea: Path, written: str, memory: MemorySpec
) -> None:
    spec = resolved(tea, f"parley: 1\nbots: [{{persona: ada, memory: {written}}}]\n")
    assert spec.bots[0].memory == memory


def test_a_bot_may_have_a_name_of_its_own_and_no_persona(tea: Path) -> None:
    spec = resolved(tea, "parley: 1\nbots: [{persona: ada, name: a2}, ada, {name: x}]\n")
    assert [(bot.name, bot.persona.name) for bot in spec.bots] == [
        ("a2", "ada"),
        ("ada", "ada"),
        ("x", "none"),
    ]


def test_the_command_line_goes_before_the_file(tea: Path) -> None:
    text = TEA + "seed: 3\nend: {minutes: 5}\nchannels: {main: {turns: 2, opening: Hm}}\n"
    spec = resolved(tea, text, turns=9, seed=4, mind="rule", model="m:1", say="Well?")
    assert (spec.end.turns, spec.end.minutes, spec.channels[0].turns) == (9, None, None)
    assert (spec.seed, spec.channels[0].opening) == (4, "Well?")
    assert (spec.models["default"].mind, spec.models["default"].model) == ("rule", "m:1")
    offline = resolved(tea, text, offline=True)
    assert offline.models["default"].model == "parley-offline"
    assert resolved(tea, text).end == EndSpec(minutes=5)


@pytest.mark.parametrize(
    "given",
    [
        {"turns": 0},
        {"seed": 2**63},
        {"model": "two words"},
        {"model": ""},
        {"mind": "olama"},
        {"say": "x" * 20_000},
        {"say": "\x00"},
    ],
)
def test_a_value_on_the_command_line_that_cannot_be_is_one_line_too(
    tea: Path, given: dict[str, Any]
) -> None:
    assert refused(tea, TEA, **given)


@pytest.mark.parametrize("name", ["My tea.yaml", "Tea.yaml", "tee\u0301.yaml", f"{'t' * 65}.yaml"])
def test_a_file_whose_name_cannot_name_a_scenario_is_refused_in_one_line(
    tmp_path: Path, name: str
) -> None:
    assert "is not a name" in refused(tmp_path / name, TEA)


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_every_scenario_that_comes_along_resolves(name: str) -> None:
    path = find_scenario(name)
    spec = resolve_file(path)
    assert spec.scenario == name
    assert isinstance(load(path)[0], Scenario)
    assert spec.about


def test_a_scenario_that_is_nowhere_is_told_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"no scenario 'salonn'; did you mean 'salon'\?"):
        find_scenario("salonn")
    with pytest.raises(BadInput, match=r"no scenario 'quark'; there is convention, debate"):
        find_scenario("quark")
    with pytest.raises(BadInput, match=r"\./tea\.yaml: there is no such file"):
        find_scenario("./tea.yaml")


def origins(path: Path, text: str) -> dict[str, str]:
    """What is shown of a scenario, by label: where each last one comes from."""
    shown = with_origins(resolved(path, text), path)
    lines = [line.rpartition(" # ") for line in shown.splitlines() if " # " in line]
    return {label.strip(): where for label, _, where in lines}


def test_a_shown_scenario_tells_where_each_value_comes_from(tea: Path) -> None:
    shown = origins(tea, TEA + "seed: 3\nend:\n  turns: 5\n")
    assert shown['name: "bo"'] == "tea.yaml:2"
    assert shown["seed: 3"] == "tea.yaml:3"
    assert shown["turns: 5"] == "tea.yaml:5"
    assert shown["silence_minutes: 10.0"] == "default"
    assert shown['prompt: "default"'] == "default"


def test_a_short_form_is_where_its_values_come_from(tea: Path) -> None:
    shown = origins(tea, "parley: 1\nbots:\n- persona: ada\n  memory: 3 rounds\n")
    assert shown["amount: 3"] == shown['unit: "rounds"'] == "tea.yaml:4"
    assert shown['scope: "channel"'] == "default"


def test_a_crowd_is_where_its_bots_come_from(tea: Path) -> None:
    shown = origins(tea, "parley: 1\nbots:\n  count: 2\n  persona: ada\n")
    assert shown['persona: "ada"'] == "tea.yaml:4"
    assert shown['name: "bot-2"'] in ("tea.yaml:2", "tea.yaml:3")
