"""A fork is a run like any other: led, lost, taken over, mended, forked again, exported."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import fakeredis
import pytest

from analytics.export import export_run
from analytics.tables import tables_from
from analytics.verify import verify
from orchestrator import engine
from orchestrator.course import Course
from orchestrator.leader import Leader
from orchestrator.snapshot import freeze, thaw
from parley.forks.parent import open_parent
from parley.verifying import do_again
from tests.forked import Played, begun, finished, forked_spec, plan_of, played
from tests.scenes import spec_of
from tests.swarm import (
    Doom,
    Killed,
    Mortal,
    Process,
    Swarm,
    fake_swarm,
    happened,
    rehearse,
    transcript,
)
from utils import keys
from utils.errors import BadEntry, BadInput
from utils.journal import chain
from utils.lineage import MAX_GENERATIONS, eras_of

TURNS = 20


@pytest.fixture(scope="module")
def parent() -> Played:
    return finished(spec_of(turns=TURNS, policy="addressed"))


@pytest.fixture(scope="module")
def changed(parent: Played) -> Played:
    return parent.forked("turn:8", "bot.ada.persona.display=Countess", "inject=It rains.", "seed=3")


# --- the leader ---------------------------------------------------------------------------


@pytest.mark.parametrize("write", range(1, 40, 3))
def test_a_fork_goes_on_whoever_is_killed_after_whatever_write(parent: Played, write: int) -> None:
    server, doom = fakeredis.FakeServer(), Doom()
    swarm = Swarm(lambda: Mortal(server, doom), lease_ms=100)
    plan = plan_of(parent.parent, "turn:12")
    run = begun(swarm, plan, forked_spec(parent.parent, "turn:12"))
    doom.at = doom.writes + write
    begin: list[Callable[[], Process]] = [
        lambda: swarm.orchestrator(only=run),
        lambda: swarm.host(3, only=run),
    ]
    rehearse(begin, lambda: run not in swarm.streams.live_runs())
    assert doom.writes >= doom.at or write > 20
    journal = swarm.journal(run)
    assert transcript(journal) == parent.words
    assert len(happened(journal, "forked")) == 1


def test_a_leader_that_takes_over_folds_what_its_parent_followed_and_then_what_it_follows(
    parent: Played,
) -> None:
    spec = forked_spec(parent.parent, "turn:8", "seed=3", "bot.bo.persona.display=Tom")
    with fake_swarm() as swarm:
        run = begun(swarm, plan_of(parent.parent, "turn:8"), spec)
        fork = played(swarm, run, spec)
        leader = Leader.open(swarm.streams, run)
    course = Course.read(run, spec.model_dump_json())
    assert leader.state.phase == "closed"
    assert (course.first.spec.seed, course.last.spec.seed) == (7, 3)
    assert dict(leader.state.world.names)["tom"] == "bo"
    body = freeze(leader.state, spec_sha256=course.eras[-1].sha256)
    assert thaw(course.last, body, spec_sha256=course.eras[-1].sha256) == leader.state
    assert fork.journal[-1].sha256 == leader.state.sha256


def test_every_commit_of_a_fork_can_be_decided_again_from_its_inputs(changed: Played) -> None:
    course = Course.read(changed.run, changed.spec.model_dump_json())
    state = engine.initial(course.first)
    for sealed in changed.journal:
        commit, rules = sealed.commit, course.at(sealed.seq)
        causes = engine.Causes(inputs=commit.inputs, noticed=commit.noticed)
        made = engine.compose(rules, state, causes, at_ms=commit.at_ms, cursor=commit.cursor)
        assert made is not None
        assert made.body == sealed.body
        state = engine.evolve(rules, state, sealed)


def test_a_fork_whose_beginning_the_server_lost_is_not_led(parent: Played) -> None:
    with fake_swarm() as swarm:
        run = begun(swarm, plan_of(parent.parent, "turn:8"), forked_spec(parent.parent, "turn:8"))
        raw = swarm.streams._redis
        last = raw.xrevrange(keys.journal(run), count=1)[0][0]
        raw.xdel(keys.journal(run), last)
        leader = Leader.open(swarm.streams, run)
        with pytest.raises(BadEntry, match=r"it is a fork of commit \d+, which is not there"):
            leader.begin(1)


def test_a_fork_that_stands_on_another_journal_is_not_led(parent: Played) -> None:
    other = finished(spec_of(turns=TURNS, policy="addressed"))
    spec = forked_spec(parent.parent, "turn:8")
    with (
        fake_swarm() as swarm,
        pytest.raises(BadEntry, match="not the commit that was forked from"),
    ):
        begun(swarm, plan_of(other.parent, "turn:8"), spec)


def test_nobody_knows_of_a_fork_before_its_beginning_is_whole(parent: Played) -> None:
    server, doom = fakeredis.FakeServer(), Doom(at=6)
    swarm = Swarm(lambda: Mortal(server, doom))
    with pytest.raises(Killed):
        begun(swarm, plan_of(parent.parent, "turn:8"), forked_spec(parent.parent, "turn:8"))
    assert doom.writes == 6
    assert swarm.streams.live_runs() == []


# --- forks of forks -----------------------------------------------------------------------


def test_a_fork_can_be_forked_again_and_remembers_all_it_came_from(changed: Played) -> None:
    again = changed.forked("turn:14", "heard=delete")
    eras = eras_of(again.run, again.spec.model_dump_json())
    assert [era.spec.seed for era in eras] == [7, 3, 3]
    assert [one.parent for one in happened(again.journal, "forked")][1] == changed.run
    assert again.words[:15] == changed.words[:15]
    assert again.spec.labels["fork_of"] == changed.run
    state = engine.initial(Course.read(again.run, again.spec.model_dump_json()).first)
    assert state.seq == 0


def test_a_fork_of_a_forks_beginning_is_a_fork_of_its_parent(
    parent: Played, changed: Played
) -> None:
    again = changed.forked("turn:5")
    (forked,) = happened(again.journal, "forked")
    assert forked.parent == parent.run
    assert again.words == parent.words


def test_forks_of_forks_have_an_end(parent: Played) -> None:
    run = parent
    for turn in range(1, MAX_GENERATIONS):
        run = run.forked(f"turn:{turn}")
    with pytest.raises(BadInput, match=f"a fork over {MAX_GENERATIONS} generations"):
        run.forked(f"turn:{MAX_GENERATIONS}")


# --- its dataset --------------------------------------------------------------------------


def rows(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / "tables" / f"{table}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_forks_dataset_holds_all_of_it_and_can_be_forked_itself(
    parent: Played, changed: Played, tmp_path: Path
) -> None:
    out = tmp_path / "fork"
    export_run(changed.streams, changed.run, out)
    dataset = open_parent(str(out), changed.streams)
    assert [one.body for one in dataset.commits()] == [one.body for one in changed.journal]
    ids = {row["run_id"] for table in ("messages", "turns", "calls") for row in rows(out, table)}
    assert ids == {changed.run}
    (run,) = rows(out, "runs")
    assert int(run["forked_seq"]) == changed.own[0].seq
    assert [one["key"] for one in json.loads(run["fork_changes"])] == [
        "bot.ada.persona.display",
        "inject",
        "seed",
    ]
    assert (run["label_arm"], run["label_fork_of"], run["seed"]) == ("treated", parent.run, "3")
    said = rows(out, "messages")
    assert [row["text"] for row in said] == [text for *_, text in changed.words]
    assert [row["author"] for row in said if row["text"] == "It rains."] == ["fork"]
    again = forked_spec(dataset, "turn:14")
    assert again.origin is not None
    assert again.origin.spec == (out / "raw" / "spec.json").read_text()


def test_the_calls_of_a_fork_are_its_parents_as_far_as_these_count(
    parent: Played, changed: Played
) -> None:
    theirs = parent.streams.range(keys.calls(parent.run))
    ours = changed.streams.range(keys.calls(changed.run))
    assert [(one.id, one.body) for one in ours[:8]] == [(one.id, one.body) for one in theirs[:8]]
    hashes = {one.call_sha256 for one in happened(changed.journal, "acted")}
    assert len(ours) == len(hashes) == happened(changed.journal, "closed")[0].calls


def test_time_between_parent_and_fork_is_no_run_time(parent: Played, changed: Played) -> None:
    table = tables_from(changed.spec.model_dump_json(), changed.journal, [], run=changed.run)
    (run,) = [row for name, row in table if name == "runs"]
    (forked,) = happened(changed.journal, "forked")
    assert run["paused_ms"] == forked.paused_ms
    began, ended = changed.journal[0].commit.at_ms, int(str(run["ended_ms"]))
    assert run["took_ms"] == ended - began - forked.paused_ms


def test_a_fork_of_a_paused_run_goes_on(parent: Played) -> None:
    with fake_swarm() as swarm:
        run = swarm.seed(spec_of(turns=TURNS))
        swarm.orchestrator(only=run)
        swarm.host(3, only=run)
        swarm.until(lambda: len(happened(swarm.streams.journal(run), "turn_closed")) > 4)
        pause = {"kind": "pause", "author": "anna", "nonce": "p1"}
        swarm.streams.append(keys.floor(run), json.dumps(pause))
        swarm.until(lambda: bool(happened(swarm.streams.journal(run), "paused")))
        journal = list(chain(swarm.streams.journal(run)))
        paused = next(one for one in journal if happened([one], "paused"))
        half = Played(swarm.connect(), run, journal, spec_of(turns=TURNS))
        fork = half.forked(str(paused.seq))
    assert len(happened(fork.journal, "turn_closed")) == TURNS


# --- done again ---------------------------------------------------------------------------


def exported(run: Played, folder: Path) -> Path:
    export_run(run.streams, run.run, folder)
    return folder


def test_a_forks_dataset_is_verified_with_decisions_and_prompts(
    changed: Played, tmp_path: Path
) -> None:
    folder = exported(changed, tmp_path / "fork")
    assert verify(folder).holds
    again = do_again(folder)
    assert (again.differences, again.unchecked) == ([], [])
    assert again.commits == len(changed.journal)
    assert again.calls == TURNS


@pytest.mark.parametrize("change", ["heard.text=I sold it, Bo.", "heard=delete"])
def test_prompts_after_words_were_taken_back_are_those_of_a_bot_that_never_heard_them(
    parent: Played, tmp_path: Path, change: str
) -> None:
    folder = exported(parent.forked("turn:8", change), tmp_path / "fork")
    assert do_again(folder).differences == []


def test_a_parents_persona_that_was_altered_is_found_in_the_beginning_of_a_fork(
    changed: Played, tmp_path: Path
) -> None:
    folder = exported(changed, tmp_path / "fork")
    path = folder / "raw" / "spec.json"
    spec = json.loads(path.read_text())
    inner = json.loads(spec["origin"]["spec"])
    inner["bots"][1]["persona"]["display"] = "Bob"
    spec["origin"]["spec"] = json.dumps(inner)
    path.write_text(json.dumps(spec))
    found = do_again(folder).differences
    assert found
    assert min(one.turn for one in found if one.turn) == 1
