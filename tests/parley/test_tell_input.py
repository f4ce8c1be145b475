"""What `parley tell` refuses before anything is sent, and its command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from parley.cli import root
from parley.commands.tell import VERBS, How, tell_run
from parley.starting import start
from parley.telling import command_of, send
from tests.parley.stage import Stage
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils import keys
from utils.clock import ManualClock
from utils.errors import BadInput, Missing
from utils.protocol import INPUT
from utils.spec import ChannelSpec
from utils.streams import Streams


def quiet(streams: Streams, run: str | None, kind: str, **said: Any) -> None:
    """Tell a run that nobody leads."""
    tell_run(streams, run, {"kind": kind, **said}, How(wait_s=0.1), clock=ManualClock())


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"kind": "mute", "bot": "adda"}, "BOT: unknown bot 'adda'; did you mean 'ada'?"),
        ({"kind": "mute", "bot": "Ada"}, "BOT: unknown bot 'Ada'; did you mean 'ada'?"),
        ({"kind": "mute", "bot": "xyz"}, "BOT: unknown bot 'xyz'; there is ada, bo, cy"),
        ({"kind": "mark", "text": " "}, "TEXT: the text is empty"),
        (
            {"kind": "mark", "text": "x" * 16_385},
            "TEXT: 16385 characters, and 16384 are the most",
        ),
        ({"kind": "mark", "text": "\x00"}, "TEXT: it cannot be taken in; use UTF-8, and no NUL"),
        ({"kind": "mark", "text": "\udc80"}, "TEXT: it cannot be taken in; use UTF-8, and no NUL"),
        (
            {"kind": "stop", "why": "x" * 501},
            "--why: it cannot be taken in; use at most 500 characters of UTF-8, and no NUL",
        ),
        (
            {"kind": "do", "verb": "rain", "args": float("nan")},
            "JSON: it cannot be taken in; use finite numbers, and nest no deeper than 64",
        ),
        (
            {"kind": "do", "verb": "Rain!", "args": None},
            "VERB: it cannot be taken in; use at most 64 of a-z, 0-9, '_' and '-', the first a "
            "letter or digit",
        ),
        (
            {"kind": "inject", "channel": "mian", "text": "x"},
            "--channel: unknown open channel 'mian'; did you mean 'main'?",
        ),
        ({"kind": "do", "verb": "rain", "args": "x" * 140_000}, "no run would take it in: over"),
    ],
)
def test_what_no_run_would_take_in_is_not_sent(said: dict[str, Any], line: str) -> None:
    stage = Stage().begin().lead()
    before = stage.streams.count(keys.floor(stage.run))
    with pytest.raises(BadInput) as caught:
        tell_run(stage.streams, stage.run, said, How(wait_s=0), clock=ManualClock())
    assert str(caught.value).startswith(line)
    assert stage.streams.count(keys.floor(stage.run)) == before


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (How(author="Ada L."), "--as: it cannot be taken in; use at most 64 of a-z"),
        (How(nonce="a b"), "--nonce: it cannot be taken in; use 1 to 64 of letters, digits"),
    ],
)
def test_an_author_or_a_nonce_that_is_none_is_bad_input(how: How, line: str) -> None:
    stage = Stage().begin()
    with pytest.raises(BadInput) as caught:
        tell_run(stage.streams, stage.run, {"kind": "pause"}, how, clock=ManualClock())
    assert str(caught.value).startswith(line)


def test_where_several_channels_are_open_one_has_to_be_named() -> None:
    rooms = [ChannelSpec(name=name, members=("ada", "bo")) for name in ("kitchen", "garden")]
    for stage in (Stage(spec_of(channels=rooms)), Stage(spec_of(channels=rooms)).begin()):
        with pytest.raises(BadInput) as caught:
            quiet(stage.streams, stage.run, "inject", channel=None, text="x")
        line = f"--channel: run {stage.run} has 2 open channels; name one: garden, kitchen"
        assert str(caught.value) == line


def test_without_a_run_the_one_started_last_is_told_and_without_any_it_says_so() -> None:
    streams = fake_streams()
    with pytest.raises(BadInput, match="no run goes on; start one with: parley seed"):
        quiet(streams, None, "pause")
    ids = [start(streams, spec_of()) for _ in range(2)]
    with pytest.raises(Missing, match=ids[1]):
        quiet(streams, None, "pause")


def test_every_command_there_is_is_a_verb() -> None:
    known = set(INPUT.json_schema()["discriminator"]["mapping"])
    of_hosts = {"joined", "left", "proposed", "failed", "waiting"}
    assert {name for name, *_ in VERBS} == known - of_hosts


# --- the command line -----------------------------------------------------------------------


def test_every_verb_has_help_with_an_example_that_can_be_typed() -> None:
    for name, *_ in VERBS:
        shown = CliRunner().invoke(root, ["tell", name, "--help"]).output
        assert f"  parley tell salon-3f2a {name}" in shown
        assert "--nonce" in shown


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["pase"], "'pase' is no verb; did you mean 'pause'?"),
        (["tea-1", "pase"], "'pase' is no verb; did you mean 'pause'?"),
        (["tea-1"], "'tea-1' is no verb; there is pause, resume, step"),
        (["tea-1", "step", "--turns", "0"], "Invalid value for '--turns': 0 is not in the range"),
    ],
)
def test_a_verb_that_is_none_is_bad_usage(arguments: list[str], line: str) -> None:
    done = CliRunner().invoke(root, ["tell", *arguments])
    assert done.exit_code == 2
    assert line in done.output


def test_the_command_runs_against_a_server(real_server: str) -> None:
    streams = Streams(real_server)
    run = start(streams, spec_of())
    env = {"REDIS_URL": real_server}
    told = ["tell", run, "do", "rain", '{"mm": 3}', "--as", "sky", "--nonce", "r1", "--wait", "0"]
    done = CliRunner().invoke(root, told, env=env)
    assert isinstance(done.exception, Missing)
    (entry,) = streams.all(keys.floor(run))
    assert json.loads(entry.body) == {
        "author": "sky",
        "nonce": "r1",
        "kind": "do",
        "verb": "rain",
        "args": {"mm": 3},
    }
    bad = CliRunner().invoke(root, ["tell", run, "do", "rain", "{mm"], env=env)
    assert str(bad.exception).startswith("JSON: no JSON: Expecting property name")
    streams.retire(run)
    streams.close()


def test_what_is_sent_is_what_a_leader_reads() -> None:
    streams = fake_streams()
    command = command_of(kind="pause", author="console", nonce="n1")
    send(streams, "tea", command)
    (entry,) = streams.all(keys.floor("tea"))
    assert INPUT.validate_json(entry.body) == command
