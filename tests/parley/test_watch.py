"""`parley runs`, `parley status` and `parley watch`, over a server in this process."""

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
from parley.commands.runs import list_runs
from parley.commands.status import tell_status
from parley.commands.watch import wait_for_run
from parley.starting import start
from tests.scenes import Table, spec_of
from tests.swarm import Swarm, fake_streams, fake_swarm
from utils import keys
from utils.clock import ManualClock
from utils.errors import BadInput
from utils.protocol import CallsCounted, HostLost, Observed, Started
from utils.spec import ChannelSpec, EndSpec, ModelSpec, Spec
from utils.streams import Streams

TALK = ModelSpec(mind="scripted", lines=("A town is a promise.", "Who keeps it?"))


class Stage:
    """A run on a server in this process, written by a table."""

    def __init__(self, spec: Spec | None = None) -> None:
        self.streams = fake_streams()
        self.spec = spec or spec_of(turns=6)
        self.run = start(self.streams, self.spec)
        self.table = Table(self.spec, now_ms=self.streams.time_ms())
        self._put = 0

    def put(self) -> Stage:
        for sealed in self.table.journal[self._put :]:
            self.streams.commit(self.run, sealed, {})
        self._put = len(self.table.journal)
        return self

    def lead(self) -> Stage:
        self.streams.take_lease(keys.leader(self.run), "orchestrator-1", ttl_ms=60_000)
        return self

    def begin(self) -> Stage:
        for bot in self.spec.bots:
            until_ms = self.streams.time_ms() + 600_000
            self.streams.announce(f"host-{bot.name}", until_ms=until_ms)
        self.table.begin()
        return self.put()

    def row(self) -> str:
        return list_runs(self.streams, limit=1, as_json=False)[1]

    def status(self) -> list[str]:
        return tell_status(self.streams, self.run, as_json=False)

    def close(self) -> Stage:
        self.table.say({"kind": "stop", "author": "person-1", "nonce": "s", "why": "enough"})
        self.table.notice(CallsCounted(calls=0, last_id="0-0"))
        return self.put()

    def watched(self, capsys: pytest.CaptureFixture[str], **given: object) -> str:
        wishes = {"channel": None, "from_now": False, "form": "plain", **given}
        watch.watch(self.streams, self.run, **wishes)  # type: ignore[arg-type]
        return capsys.readouterr().out


# --- runs -----------------------------------------------------------------------------------


def test_without_runs_the_list_says_how_to_start_one() -> None:
    assert list_runs(fake_streams(), limit=5, as_json=False) == [
        "no runs yet; start one with: parley demo"
    ]


def test_the_phase_of_a_run_follows_it_from_start_to_close() -> None:
    stage = Stage()
    assert "waiting for an orchestrator  0 of 6" in stage.row()
    stage.lead()
    stage.table.notice(Started(run=stage.run, spec_sha256="0" * 64))
    stage.put()
    assert " gathering  0 of 6" in stage.row()
    for bot in ("ada", "bo", "cy"):
        stage.table.join(bot)
    stage.put()
    assert " running  0 of 6" in stage.row()
    stage.table.talk(4)
    stage.put()
    assert " running  4 of 6" in stage.row()
    stage.streams.release_lease(keys.leader(stage.run), "orchestrator-1")
    assert "waiting for an orchestrator  4 of 6" in stage.row()
    stage.table.talk(2)
    stage.put()
    assert " ended  6 of 6" in stage.row()
    stage.table.notice(CallsCounted(calls=6, last_id="6-0"))
    stage.put()
    assert " closed  6 of 6" in stage.row()


def test_the_turns_of_several_channels_are_added_up_however_long_ago_they_were() -> None:
    kitchen = ChannelSpec(name="kitchen", members=("ada", "bo"), turns=3)
    salon = ChannelSpec(name="salon", members=("cy", "dot"), turns=400)
    stage = Stage(spec_of(("ada", "bo", "cy", "dot"), channels=(kitchen, salon), turns=None))
    stage.begin().lead()
    while stage.table.state.turns < 300:
        stage.table.propose(stage.table.state.live()[0])
    stage.put()
    assert " running  300 of 403" in stage.row()


def test_the_newest_run_comes_first_and_more_are_counted() -> None:
    streams = fake_streams()
    ids = [start(streams, spec_of()) for _ in range(5)]
    rows = list_runs(streams, limit=2, as_json=False)
    assert [row.split()[0] for row in rows] == ["RUN", ids[4], ids[3], "and"]
    assert rows[-1] == "and 3 more: parley runs --limit 5"


def test_runs_as_json_hold_one_object_a_line() -> None:
    stage = Stage()
    stage.begin().lead()
    (line,) = list_runs(stage.streams, limit=20, as_json=True)
    record = json.loads(line)
    assert record["run"] == stage.run
    assert (record["phase"], record["leader"]) == ("running", "orchestrator-1")
    assert (record["turns"], record["turns_asked"], record["labels"]) == (0, 6, {})


def test_a_label_of_a_stranger_cannot_act_on_the_terminal() -> None:
    streams = fake_streams()
    start(streams, spec_of().model_copy(update={"labels": {"arm": "\x1b[2J\nb"}}))
    rows = list_runs(streams, limit=20, as_json=False)
    assert rows[1].endswith("arm=<U+001B>[2J b")


def test_one_damaged_run_does_not_hide_the_others() -> None:
    stage = Stage()
    streams = stage.streams
    broken = start(streams, spec_of())
    streams.append(keys.journal(broken), "garbage")
    gone = start(streams, spec_of())
    streams.drop([keys.spec(gone)])
    streams.append(keys.RUNS, "garbage")
    rows = list_runs(streams, limit=20, as_json=False)
    assert [row.split()[2] for row in rows[1:]] == ["unreadable", "unreadable", "waiting"]


# --- status ---------------------------------------------------------------------------------


def test_status_tells_who_holds_the_floor_who_is_seated_and_what_is_missing() -> None:
    stage = Stage()
    stage.begin().lead()
    stage.table.talk(2)
    stage.table.notice(HostLost(host="host-ada"), Observed(name="odd"))
    stage.table.say("garbage")
    stage.streams.withdraw("host-bo")
    said = stage.put().status()
    assert said[0].startswith(f"run {stage.run} · tea · running for 0 s")
    assert said[1].startswith("  turns     turn 2 of 6, ")
    assert said[2:-1] == [
        "  floor     main: Cy holds turn 3, 1 min 59 s left",
        "  seats     Bo at host-bo, not heard from",
        "            Cy at host-cy",
        "            no host serves Ada: parley bots",
        "  leader    orchestrator-1",
        "  last word [main 2] Bo: bo speaks. (0 s ago)",
    ]
    assert said[-1] == "  trouble   1 incident, 1 input rejected"


def test_status_without_a_leader_names_the_line_that_mends_it() -> None:
    stage = Stage()
    assert f"run {stage.run} · tea · not begun" in stage.status()
    assert "  leader    nobody leads this run: parley orchestrator" in stage.status()


def test_status_of_a_closed_run_tells_why_it_ended_and_asks_for_nothing() -> None:
    stage = Stage()
    said = stage.begin().close().status()
    assert "closed; ended 0 s ago: stopped (enough)" in said[0]
    assert not any("parley" in line for line in said)


def test_status_as_json_is_one_object_with_the_whole_standing() -> None:
    stage = Stage()
    stage.begin().lead()
    (line,) = tell_status(stage.streams, None, as_json=True)
    record = json.loads(line)
    assert record["seats"] == {"ada": "host-ada", "bo": "host-bo", "cy": "host-cy"}
    (holder,) = record["floor"]["main"]
    assert (holder["bot"], holder["turn"]) == ("ada", 1)
    assert 0 < holder["left_ms"] <= 120_000


def test_status_writes_nothing_to_the_server() -> None:
    stage = Stage()
    stage.begin().lead()
    before = stage.streams._redis.keys("*"), stage.streams.tally(keys.journal(stage.run))
    stage.status()
    list_runs(stage.streams, limit=20, as_json=True)
    after = stage.streams._redis.keys("*"), stage.streams.tally(keys.journal(stage.run))
    assert after == before


def test_status_of_no_run_at_all_says_how_to_start_one() -> None:
    with pytest.raises(BadInput, match="there are no runs yet; start one with: parley demo"):
        tell_status(fake_streams(), None, as_json=False)


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
    assert stage.watched(capsys, from_now=True) == ""


def test_one_channel_is_watched(capsys: pytest.CaptureFixture[str]) -> None:
    kitchen = ChannelSpec(name="kitchen", members=("ada", "bo"), opening="Who cooks?")
    salon = ChannelSpec(name="salon", members=("bo", "cy"), opening="What is a town for?")
    stage = Stage(spec_of(channels=(kitchen, salon)))
    shown = stage.begin().close().watched(capsys, channel="kitchen")
    assert "Who cooks?" in shown
    assert "What is a town for?" not in shown


def test_watching_as_json_writes_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage()
    shown = stage.begin().close().watched(capsys, form="json")
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
