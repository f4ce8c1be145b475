"""`parley runs` and `parley status`, over a server in this process."""

from __future__ import annotations

import json

import pytest

from parley.commands.runs import list_runs
from parley.commands.status import tell_status
from parley.starting import start
from tests.analytics.meetings import Meeting, meeting_spec
from tests.parley.stage import Stage
from tests.scenes import spec_of
from tests.swarm import fake_streams
from utils import keys
from utils.awaited import Reached
from utils.errors import BadInput
from utils.protocol import CallsCounted, DeadlinePassed, HostLost, Observed, Started
from utils.spec import ChannelSpec, EndSpec

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
    stage.streams.now_ms += 8_000
    said = stage.put().status()
    assert said[0] == f"run {stage.run} · tea · running for 8 s"
    assert said[1].startswith("  turns     turn 2 of 6, ")
    assert said[2:-1] == [
        "  floor     main: Cy holds turn 3, 1 min 52 s left",
        "  seats     Bo at host-bo, not heard from",
        "            Cy at host-cy",
        "            no host serves Ada: parley bots",
        "  leader    orchestrator-1",
        "  last word [main 2] Bo: bo speaks. (7 s ago)",
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
    assert holder["left_ms"] == 120_000


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


# --- pauses, worlds, and bots that are passed over ------------------------------------------


def tell(stage: Stage, kind: str, **said: object) -> None:
    table = stage.table
    table.say({"kind": kind, "author": "anna", "nonce": table.nonce(), **said})
    stage.put()


def test_a_run_is_paused_from_when_nothing_new_is_granted_until_it_goes_on() -> None:
    stage = Stage()
    stage.begin().lead()
    stage.table.talk(1)
    tell(stage, "pause")
    assert " running  1 of 6" in stage.row()  # who held the floor may still answer
    stage.table.talk(1)
    assert " paused  2 of 6" in stage.put().row()
    tell(stage, "step", turns=2)
    assert " running  2 of 6" in stage.row()
    stage.table.talk(2)
    assert " paused  4 of 6" in stage.put().row()
    (line,) = list_runs(stage.streams, limit=1, as_json=True)
    assert (json.loads(line)["phase"], json.loads(line)["paused"]) == ("running", True)
    tell(stage, "resume")
    assert " running  4 of 6" in stage.row()
    stage.table.talk(2)
    assert " ended  6 of 6" in stage.put().row()


def test_the_turns_of_a_world_that_opens_its_own_channels_are_counted() -> None:
    end = EndSpec(turns=99, measures=(Reached(measure="met", value=50),))
    spec = meeting_spec(("ada", "bo", "cy")).model_copy(update={"end": end})
    stage = Stage(spec)
    table = stage.table = Meeting(spec)
    stage.begin().lead()
    table.meet(7)
    assert " running  7 of at most 99" in stage.put().row()


def test_status_of_a_paused_run_says_for_how_long_and_who_is_muted() -> None:
    stage = Stage()
    stage.begin().lead()
    stage.table.talk(1)
    tell(stage, "pause")
    tell(stage, "mute", bot="cy")
    tell(stage, "whisper", channel="main", bot="cy", text="Rain!")
    stage.table.talk(1)
    stage.put()
    stage.streams.now_ms += 12_000
    said = stage.status()
    assert said[0] == f"run {stage.run} · tea · paused for 11 s, after running for 0 s"
    assert said[2] == "  floor     nobody holds it: the run is paused"
    assert "  muted     Cy" in said
    record = json.loads(tell_status(stage.streams, stage.run, as_json=True)[0])
    assert (record["paused"], record["muted"], record["run_ms"]) == (True, ["cy"], 1)
    assert record["paused_for_ms"] == 11_999


def test_status_names_the_person_whose_word_was_the_last() -> None:
    stage = Stage()
    stage.begin().lead()
    tell(stage, "inject", channel="main", text="Rain!")
    assert "  last word [main 1] (anna): Rain! (0 s ago)" in stage.status()


def test_status_of_a_world_tells_its_time_its_channels_and_what_it_measured() -> None:
    spec = meeting_spec()
    stage = Stage(spec)
    table = stage.table = Meeting(spec, now_ms=stage.streams.time_ms())
    stage.begin().lead()
    table.tick()
    table.meet(3)
    assert stage.put().status()[2:6] == [
        "  world     its time is 0.1 s",
        "            2 channels open, of 5 opened",
        "            met 3",
        "  floor     met-4: Ada holds turn 1, 2 min left",
    ]
    assert stage.status()[-1] == "  trouble   2 answers not there when due"
    record = json.loads(tell_status(stage.streams, stage.run, as_json=True)[0])
    assert (record["world_ms"], record["measured"]) == (100, {"met": 3.0})
    assert (record["channels_open"], record["channels_opened"]) == (2, 5)


def test_status_tells_whose_turns_go_by_because_nobody_serves_them() -> None:
    stage = Stage()
    stage.begin().lead()
    stage.table.notice(HostLost(host="host-ada"), HostLost(host="host-bo"))
    stage.table.now_ms += 120_000
    stage.table.notice(DeadlinePassed(epoch=1))
    said = stage.put().status()
    assert "            no host serves Ada and Bo: parley bots" in said
    assert "            Ada is passed over" in said
    stage.table.join("ada")
    assert "            Ada is passed over" not in stage.put().status()
