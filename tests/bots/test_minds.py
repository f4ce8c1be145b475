"""Minds that ask no server, what stops a mind, and the door that all minds come in by."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.minds.ollama import OllamaMind
from bots.minds.rule import RuleMind
from bots.minds.rules import echo, silent
from bots.minds.scripted import ScriptedMind
from bots.minds.seam import Mind, MindFactory
from bots.minds.stop import Stop
from tests.bots.asking import request
from utils import plugins
from utils.calls import ChatMessage
from utils.errors import BadInput, MindFailed
from utils.protocol import Act, AskAct, AskSay, Pass, Say
from utils.spec import ModelSpec

NAME_IT = AskAct(name="name", text="Name it.", answer_schema={}, legal=("F", "J"))
NOTHING_LEGAL = AskAct(name="name", text="Name it.", answer_schema={})


# --- scripted ---------------------------------------------------------------------------


def test_lines_are_said_by_turn_and_then_from_the_start() -> None:
    mind = ScriptedMind(ModelSpec(mind="scripted", lines=("One.", "Two.", "Three.")))
    said = [mind.answer(request(turn=turn), Stop()).text for turn in (1, 2, 3, 4)]
    assert said == ["One.", "Two.", "Three.", "One."]


@given(tries=st.integers(0, 9), seed=st.integers(0, 2**31 - 1), allow_ms=st.integers(1, 10**6))
def test_without_lines_it_says_its_place_and_nothing_else(
    tries: int, seed: int, allow_ms: int
) -> None:
    mind = ScriptedMind(ModelSpec(mind="scripted"))
    asked = request(turn=4, tries=tries, seed=seed, allow_ms=allow_ms)
    assert mind.answer(asked, Stop()).text == "ada says line 4 in main."


def test_asked_for_an_action_it_does_the_first_legal_one_or_passes() -> None:
    mind = ScriptedMind(ModelSpec(mind="scripted", lines=("One.",)))
    answer = mind.answer(request(ask=NAME_IT), Stop())
    assert (answer.action, answer.text) == (Act(name="name", args="F"), "")
    assert isinstance(mind.answer(request(ask=NOTHING_LEGAL), Stop()).action, Pass)


# --- rules --------------------------------------------------------------------------------


def test_echo_says_again_what_another_said_last_and_not_what_is_asked() -> None:
    heard = (
        ChatMessage(role="user", content="(opening) What is a town for?\nBo: Bread."),
        ChatMessage(role="assistant", content="Cy: I never said that."),
        ChatMessage(role="user", content="[main] Cy: Roads: all of them.\n  Ada: no\n\nSpeak now."),
    )
    assert echo(request(messages=heard)) == Say(text="Roads: all of them.")
    assert echo(request(messages=heard[:2])) == Say(text="Bread.")
    opening = ChatMessage(role="user", content="(opening) What is a town for?")
    assert echo(request(messages=(opening,))) == Say(text="What is a town for?")


def test_echo_keeps_within_what_may_be_said_and_passes_when_nothing_was() -> None:
    assert echo(request(ask=AskSay(max_chars=7))) == Say(text="What is")
    assert isinstance(echo(request(messages=())), Pass)
    assert echo(request(ask=NAME_IT)) == Act(name="name", args="F")


def test_silent_passes_whatever_is_asked() -> None:
    assert isinstance(silent(request()), Pass)
    assert isinstance(silent(request(ask=NAME_IT)), Pass)


def test_a_rule_mind_does_what_its_rule_says() -> None:
    mind = RuleMind(ModelSpec(mind="rule", rule="echo"))
    assert mind.answer(request(), Stop()).action == Say(text="What is a town for?")


def test_an_unknown_rule_is_bad_input_that_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="unknown rule 'ecco'; did you mean 'echo'"):
        RuleMind(ModelSpec(mind="rule", rule="ecco"))


# --- what all minds share -----------------------------------------------------------------

FACTORIES: tuple[tuple[str, MindFactory, ModelSpec], ...] = (
    ("ollama", OllamaMind, ModelSpec(model="tiny")),
    ("scripted", ScriptedMind, ModelSpec(mind="scripted")),
    ("rule", RuleMind, ModelSpec(mind="rule")),
)


@pytest.mark.parametrize(("name", "factory", "spec"), FACTORIES)
def test_a_mind_comes_in_by_the_door_and_fits_the_seam(
    name: str, factory: MindFactory, spec: ModelSpec
) -> None:
    assert plugins.find("parley.minds", name) is factory
    mind: Mind = factory(spec)
    assert mind.waits is (name == "ollama")
    assert mind.source == {"ollama": "model"}.get(name, name)
    assert mind.sends(request()).get("seed") == (7 if name == "ollama" else None)
    mind.close()


def test_minds_that_ask_no_server_have_nothing_to_miss() -> None:
    ScriptedMind(ModelSpec()).preflight()
    RuleMind(ModelSpec()).preflight()


# --- stop -----------------------------------------------------------------------------------


def test_a_stop_is_set_once_and_keeps_its_first_reason() -> None:
    stop, calls = Stop(), list[str]()
    stop.when_set(lambda: calls.append("before"))
    assert (stop.is_set(), stop.reason, calls) == (False, "", [])
    stop.set("revoked")
    stop.set("run over")
    assert (stop.is_set(), stop.reason, calls) == (True, "revoked", ["before"])
    stop.when_set(lambda: calls.append("after"))
    assert calls == ["before", "after"]


def test_what_is_to_be_called_is_called_once_whoever_comes_first() -> None:
    for _ in range(50):
        assert called_by_two_while_set_twice() == [1, 2]


def called_by_two_while_set_twice() -> list[int]:
    stop, together, calls = Stop(), Barrier(4, timeout=20), list[int]()

    def add(number: int) -> None:
        together.wait()
        stop.when_set(lambda: calls.append(number))

    def set_it(number: int) -> None:
        together.wait()
        stop.set("revoked")

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(act, number) for number in (1, 2) for act in (add, set_it)]
    assert [one.result() for one in done] == [None] * 4
    return sorted(calls)


# --- the door -------------------------------------------------------------------------------


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], None]:
    """Install a distribution with entry points of the group `parley.rules`, and its module."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(owner: str, points: str, source: str) -> None:
        info = tmp_path / f"{owner}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {owner}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[parley.rules]\n{points}\n")
        (tmp_path / f"{owner}.py").write_text(source)

    return put


Install = Callable[[str, str, str], None]


def test_a_strangers_rule_comes_in_by_the_same_door(install: Install) -> None:
    source = "from utils.protocol import Say\n\ndef hum(request):\n    return Say(text='Hm.')\n"
    install("hummers", "hum = hummers:hum", source)
    assert {"echo", "hum", "silent"} <= set(plugins.names("parley.rules"))
    mind = RuleMind(ModelSpec(mind="rule", rule="hum"))
    assert mind.answer(request(), Stop()).action == Say(text="Hm.")


def test_a_rule_that_gives_no_action_has_failed(install: Install) -> None:
    install("mumblers", "mumble = mumblers:mumble", "def mumble(request):\n    return 'Hm.'\n")
    with pytest.raises(MindFailed, match="the rule 'mumble' gave str, not an action"):
        RuleMind(ModelSpec(mind="rule", rule="mumble")).answer(request(), Stop())


@pytest.mark.parametrize(
    ("points", "source", "why"),
    [
        ("bad = broken:act", "raise OSError('no\\nluck')", "OSError: no luck"),
        ("bad = broken:act", "", "AttributeError: module 'broken' has no attribute 'act'"),
        ("bad = brokenn:act", "", "ModuleNotFoundError: No module named 'brokenn'"),
        ("bad = broken:act", "def act(:", "SyntaxError"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named_in_one_line(
    install: Install, points: str, source: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "broken", raising=False)
    install("broken", points, source)
    with pytest.raises(BadInput) as caught:
        plugins.find("parley.rules", "bad", where="tea.yaml:3")
    line = str(caught.value)
    assert line.startswith("tea.yaml:3: the rule 'bad' (broken")
    assert "from broken) cannot be loaded: " in line
    assert why in line
    assert "\n" not in line


def test_a_rule_that_is_no_function_is_bad_input(install: Install) -> None:
    install("stones", "stone = stones:stone", "stone = 1\n")
    with pytest.raises(BadInput, match="the rule 'stone' is not a function"):
        RuleMind(ModelSpec(mind="rule", rule="stone"))


def test_two_plugins_of_one_name_are_told_and_neither_is_taken(install: Install) -> None:
    install("parrots", "echo = parrots:echo", "def echo(request):\n    return None\n")
    with pytest.raises(BadInput) as caught:
        plugins.find("parley.rules", "echo")
    assert str(caught.value) == (
        "two plugins are the rule 'echo': bots.minds.rules:echo from parley and "
        "parrots:echo from parrots; uninstall one of them"
    )
