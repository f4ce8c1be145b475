"""`parley watch`, over a server in this process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from analytics.observer.plain import PLAIN_FORMAT
from parley.cli import COMMANDS
from parley.commands import runs, status, watch
from parley.commands.status import tell_status
from parley.commands.watch import wait_for_run
from parley.starting import start
from tests.analytics.meetings import Meeting, meeting_spec
from tests.parley.stage import Stage
from tests.scenes import Table, spec_of
from tests.swarm import Swarm, fake_streams, fake_swarm
from utils.clock import ManualClock
from utils.errors import BadInput
from utils.spec import ChannelSpec, EndSpec, ModelSpec
from utils.streams import Streams

TALK = ModelSpec(mind="scripted", lines=("A town is a promise.", "Who keeps it?"))


def watched(stage: Stage, capsys: pytest.CaptureFixture[str], **given: object) -> str:
    wishes = {"channel": None, "from_now": False, "form": "plain", **given}
    watch.watch(stage.streams, stage.run, **wishes)  # type: ignore[arg-type]
    return capsys.readouterr().out


# --- watch ----------------------------------------------------------------------------------


def test_a_whole_run_of_a_swarm_is_watched_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with fake_swarm() as swarm:
        run = played(swarm)
        watch.watch(swarm.connect(), run, channel=None, from_now=False, form="plain")
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith(f"-- run {run}: tea, seed 7")
    assert "[main 1] Ada: A town is a promise." in shown
    assert sum(line.startswith("[main ") and " -- " not in line for line in shown) == 7
    assert shown[-1] == "-- the record is closed: 6 turns, 6 model calls"


def played(swarm: Swarm) -> str:
    swarm.orchestrator()
    swarm.host(places=3)
    run = swarm.seed(spec_of(turns=6, model=TALK))
    swarm.finish(run)
    return run


def test_watching_from_now_shows_only_what_comes(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage()
    stage.begin()
    stage.table.talk(3)
    stage.put().close()
    assert watched(stage, capsys, from_now=True) == ""


def test_one_channel_is_watched(capsys: pytest.CaptureFixture[str]) -> None:
    kitchen = ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?")
    salon = ChannelSpec(name="salon", members=("bo", "cy"), opening="What is a town for?")
    stage = Stage(spec_of(channels=(kitchen, salon)))
    shown = watched(stage.begin().close(), capsys, channel="kitchen")
    assert "Who cooks?" in shown
    assert "What is a town for?" not in shown


def test_watching_as_json_writes_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage()
    shown = watched(stage.begin().close(), capsys, form="json")
    kinds = [json.loads(line)["kind"] for line in shown.splitlines()]
    assert kinds == [event.kind for event in stage.table.events()]


@pytest.mark.parametrize(
    ("run", "line"),
    [
        ("nothing-like-it", "unknown run 'nothing-like-it'; parley runs lists what there is"),
        ("Tea Party", "run 'Tea Party' is not a name; use at most 64 of"),
        ("..", "run '..' is not a name"),
    ],
)
def test_an_unknown_run_is_bad_input_with_the_mending_step(run: str, line: str) -> None:
    with pytest.raises(BadInput) as caught:
        watch.watch(fake_streams(), run, channel=None, from_now=False, form="plain")
    assert line in str(caught.value)


def test_a_mistyped_run_names_the_nearest() -> None:
    stage = Stage()
    with pytest.raises(BadInput, match=rf"did you mean '{stage.run}'\?"):
        tell_status(stage.streams, stage.run + "0", as_json=False)


@pytest.mark.parametrize(
    ("channel", "mend"), [("mian", r"did you mean 'main'\?"), ("xyzzy", "there is main")]
)
def test_an_unknown_channel_is_bad_input_with_the_mending_step(channel: str, mend: str) -> None:
    stage = Stage()
    with pytest.raises(BadInput, match=rf"--channel: run .* has no channel '{channel}'; {mend}"):
        watch.watch(stage.streams, stage.run, channel=channel, from_now=False, form="plain")


class Visitor(ManualClock):
    """A clock during whose third nap somebody starts a run."""

    def __init__(self, streams: Streams) -> None:
        super().__init__()
        self.streams, self.naps, self.run = streams, 0, ""

    def sleep_s(self, seconds: float) -> None:
        self.naps += 1
        if self.naps == 3:
            self.run = start(self.streams, spec_of(end=EndSpec(turns=1)))


def test_without_a_run_one_is_waited_for_and_said_once() -> None:
    streams = fake_streams()
    clock = Visitor(streams)
    said: list[str] = []
    assert wait_for_run(streams, say=said.append, clock=clock) == clock.run
    assert said == ["waiting for a run; start one with: parley seed"]


def test_without_a_name_the_run_started_last_that_is_not_closed_is_watched() -> None:
    streams = fake_streams()
    ids = [start(streams, spec_of()) for _ in range(3)]
    streams.retire(ids[2])
    assert wait_for_run(streams, say=pytest.fail) == ids[1]


def test_ctrl_c_leaves_with_130_and_one_line_that_says_how_to_go_on(real_server: str) -> None:
    streams = Streams(real_server)
    run = start(streams, spec_of())
    table = Table(spec_of()).begin()
    for sealed in table.journal:
        streams.commit(run, sealed, {})
    streams.close()
    with subprocess.Popen(
        [sys.executable, "-m", "parley", "watch", run],
        env={**os.environ, "REDIS_URL": real_server},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert first.startswith("-- run tea-1: tea")
    assert process.returncode == 130
    assert err == f"run {run} goes on; watch it again with: parley watch {run} --from now\n"


# --- the commands themselves ------------------------------------------------------------------


def test_the_help_of_watch_documents_the_plain_format() -> None:
    help_text = CliRunner().invoke(watch.command, ["--help"]).output
    for line in PLAIN_FORMAT.splitlines():
        assert line.strip() in help_text


@pytest.mark.parametrize("module", [runs, status, watch])
def test_a_commands_short_help_is_that_of_the_root(module: object) -> None:
    name = str(getattr(module, "__name__", "")).rpartition(".")[2]
    command = module.command  # type: ignore[attr-defined]
    assert command.short_help == COMMANDS[name]


def test_the_commands_run_against_a_server(real_server: str) -> None:
    streams = Streams(real_server)
    run = start(streams, spec_of())
    streams.close()
    env = {"REDIS_URL": real_server}
    listed = CliRunner().invoke(runs.command, ["--limit", "1"], env=env)
    told = CliRunner().invoke(status.command, [run, "--json"], env=env)
    assert listed.output.splitlines()[1].startswith(run)
    assert json.loads(told.output)["phase"] == "new"


def test_every_event_of_a_world_is_watched_by_those_who_ask_for_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage = Stage(meeting_spec())
    table = stage.table = Meeting(stage.spec)
    stage.begin()
    table.meet(1)
    stage.put().close()
    assert "met-1 closes" not in watched(stage, capsys)
    assert "[met-1] -- channel met-1 closes" in watched(stage, capsys, every=True)


def test_a_channel_of_a_world_that_has_opened_none_yet_is_bad_input() -> None:
    stage = Stage(meeting_spec())
    with pytest.raises(BadInput, match="has no channel 'met-1'; there is none yet"):
        watch.watch(stage.streams, stage.run, channel="met-1", from_now=False, form="plain")
