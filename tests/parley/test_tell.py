"""`parley tell`: people tell a run that goes on, over a server in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parley.commands.tell import How, tell_run
from parley.starting import start
from tests.parley.stage import Stage
from tests.scenes import spec_of
from tests.swarm import FakeStreams, Swarm, fake_streams, fake_swarm, happened, transcript
from utils import keys
from utils.clock import ManualClock
from utils.errors import Missing, ParleyError, ServerGone
from utils.spec import ModelSpec
from utils.streams import Streams

TALK = ModelSpec(mind="scripted", lines=("A town is a promise.", "Who keeps it?"))


class Busy(ManualClock):
    """A clock during whose naps a swarm works, but for the first ones."""

    def __init__(self, swarm: Swarm, *, idle: int = 0) -> None:
        super().__init__()
        self.swarm, self.idle = swarm, idle

    def sleep_s(self, seconds: float) -> None:
        self.idle -= 1
        if self.idle < 0:
            self.swarm.step()
        super().sleep_s(seconds)


class Console:
    """Somebody who tells a swarm's run what to do, and keeps what is printed."""

    def __init__(self, swarm: Swarm, run: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.swarm, self.run, self._capsys = swarm, run, capsys

    def __call__(self, kind: str, how: How | None = None, /, **said: Any) -> str:
        streams, clock = self.swarm.connect(), Busy(self.swarm)
        tell_run(streams, self.run, {"kind": kind, **said}, how or How(), clock=clock)
        return self._capsys.readouterr().out.strip()

    def happened(self, *kinds: str) -> list[Any]:
        return happened(self.swarm.journal(self.run), *kinds)

    def settle(self) -> int:
        """Let everybody work until nothing more is written; how many turns are closed."""
        before = -1
        while before != (before := self.swarm.streams.count(keys.journal(self.run))):
            for _ in range(10):
                self.swarm.step()
        return len(self.happened("turn_closed"))


def console(swarm: Swarm, capsys: pytest.CaptureFixture[str], **given: Any) -> Console:
    swarm.orchestrator()
    swarm.host(places=3)
    spec = spec_of(**{"turns": 12, "model": TALK, **given})
    return Console(swarm, swarm.seed(spec), capsys)


def quiet(streams: Streams, run: str | None, kind: str, **said: Any) -> None:
    """Tell a run that nobody leads."""
    tell_run(streams, run, {"kind": kind, **said}, How(wait_s=0.1), clock=ManualClock())


# --- a run that goes on ---------------------------------------------------------------------


def test_a_run_is_paused_stepped_told_something_and_goes_on_to_its_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        swarm.until(lambda: len(tell.happened("turn_closed")) >= 2)
        assert tell("pause").startswith("done at commit ")
        paused_at = tell.settle()
        assert tell.settle() == paused_at < 12
        for done in (1, 2):
            tell("step")
            assert tell.settle() == paused_at + done
        tell("inject", channel=None, text="It begins to rain.")
        assert tell.settle() == paused_at + 2
        tell("resume")
        journal = swarm.finish(tell.run)
    assert len(happened(journal, "turn_closed")) == 12
    assert ("main", paused_at + 3, None, "It begins to rain.") in transcript(journal)
    told = [(event.author, event.verb) for event in happened(journal, "intervened")]
    assert told == [("console", verb) for verb in ("pause", "step", "step", "inject", "resume")]


def test_what_is_said_from_outside_is_in_the_next_prompt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        swarm.until(lambda: len(tell.happened("turn_closed")) >= 2)
        tell("pause")
        tell("inject", channel=None, text="It begins to rain.")
        tell("resume")
        swarm.finish(tell.run)
        calls = [entry.body for entry in swarm.streams.all(keys.calls(tell.run))]
    assert "It begins to rain." not in calls[0]
    assert "It begins to rain." in calls[-1]


def test_a_bot_that_is_put_back_hears_what_is_said_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        tell("pause")
        tell("kick", bot="ada", channel=None)
        tell("inject", channel=None, text="Ada is out.")
        tell("add", bot="ada", channel=None)
        tell("whisper", bot="ada", channel=None, text="Welcome back.")
        tell("resume")
        swarm.finish(tell.run)
        calls = [json.loads(entry.body) for entry in swarm.streams.all(keys.calls(tell.run))]
    hers = [json.dumps(call["messages"]) for call in calls if call["bot"] == "ada"]
    assert hers
    assert "Welcome back." in hers[-1]
    assert "Ada is out." not in hers[-1]
    others = [json.dumps(call["messages"]) for call in calls if call["bot"] != "ada"]
    assert "Ada is out." in others[-1]
    assert "Welcome back." not in "".join(others)


def test_a_refusal_is_an_error_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        tell("pause")
        words = r"refused it at commit \d+: the run is paused already"
        with pytest.raises(ParleyError, match=words) as caught:
            tell("pause")
        assert caught.value.exit_code == 1


def test_as_json_the_outcome_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        how = How(author="ada-lab", nonce="n1", as_json=True)
        done = json.loads(tell("pause", how))
        with pytest.raises(ParleyError):
            tell("pause", how._replace(nonce="n2"))
        refused = json.loads(capsys.readouterr().out)
    assert (done["run"], done["verb"], done["author"], done["nonce"]) == (
        tell.run,
        "pause",
        "ada-lab",
        "n1",
    )
    assert (done["done"], done["refused"]) == (True, None)
    assert (refused["done"], refused["refused"]) == (False, "no_effect")
    assert refused["detail"] == "the run is paused already"


def test_a_world_that_makes_nothing_of_a_verb_is_told_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        tell("pause")
        tell.settle()
        assert tell("do", verb="rain", args={"mm": 3}).endswith(", and nothing followed")
        (noted,) = [one for one in tell.happened("intervened") if one.verb == "rain"]
    assert noted.args == {"mm": 3}


# --- said again -----------------------------------------------------------------------------


def test_what_was_said_with_the_same_nonce_is_done_once_and_told_as_it_was(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        tell("pause")
        before = tell.settle()
        first = tell("step", How(nonce="step-1"))
        assert tell("step", How(nonce="step-1")) == first
        assert tell.settle() == before + 1
        tell("stop", How(nonce="stop-1"), why="enough")
        swarm.finish(tell.run)
        assert tell("stop", How(nonce="stop-1"), why="enough").startswith("done at commit ")
        with pytest.raises(ParleyError, match="is over: its record is closed"):
            tell("stop", why="enough")
        inputs = swarm.streams.count(keys.floor(tell.run))
        assert len(tell.happened("intervened")) == 3
        assert inputs == sum(len(one.commit.inputs) for one in swarm.journal(tell.run))


class Flaky(FakeStreams):
    """A connection whose first appends are done, and break before they are answered."""

    breaks = 2

    def append(self, key: str, body: str) -> str:
        entry_id = super().append(key, body)
        if self.breaks:
            self.breaks -= 1
            raise ServerGone("the Redis server does not answer")
        return entry_id


def test_a_connection_that_breaks_is_no_reason_to_do_it_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        tell = console(swarm, capsys)
        tell("pause")
        before = tell.settle()
        fake = swarm.connect()
        assert isinstance(fake, FakeStreams)
        said = {"kind": "step", "turns": 1}
        tell_run(Flaky(fake.server), tell.run, said, How(), clock=Busy(swarm, idle=3))
        assert tell.settle() == before + 1
        again = [one.why for one in tell.happened("rejected")]
    assert again == ["duplicate", "duplicate"]


def test_a_server_that_stays_away_is_said_with_the_nonce_to_go_on_with() -> None:
    streams = Flaky(fake_streams().server)  # type: ignore[attr-defined]
    run = start(streams, spec_of())
    streams.breaks = 10**6
    with pytest.raises(ServerGone, match="say it again with --nonce n1, and it is done once"):
        tell_run(streams, run, {"kind": "pause"}, How(nonce="n1", wait_s=1), clock=ManualClock())


def test_when_nobody_leads_it_waits_on_the_floor_for_somebody_who_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with fake_swarm() as swarm:
        run = swarm.seed(spec_of(turns=3, model=TALK))
        with pytest.raises(Missing, match=f"nobody leads run {run}: it will be taken in when som"):
            quiet(swarm.streams, run, "mark", text="before")
        swarm.orchestrator()
        swarm.host(places=3)
        journal = swarm.finish(run)
    assert [event.text for event in happened(journal, "intervened")] == ["before"]


def test_a_leader_that_is_slow_is_named() -> None:
    stage = Stage().begin().lead()
    with pytest.raises(Missing, match=r"orchestrator-1 leads run .* and has not taken it in yet"):
        quiet(stage.streams, stage.run, "pause")


class Lapse(ManualClock):
    """A clock during whose first nap the server restarts, and comes back without its tail."""

    def __init__(self, streams: FakeStreams, run: str) -> None:
        super().__init__()
        self._streams, self._run = streams, run

    def sleep_s(self, seconds: float) -> None:
        if not self.now_ms():
            self._streams.drop([keys.floor(self._run), keys.journal(self._run)])
            self._streams.connects += 1
        super().sleep_s(seconds)


def test_a_server_that_came_back_without_it_is_told_again() -> None:
    stage = Stage().begin()
    clock = Lapse(stage.streams, stage.run)
    with pytest.raises(Missing):
        tell_run(stage.streams, stage.run, {"kind": "pause"}, How(nonce="n1"), clock=clock)
    (entry,) = stage.streams.all(keys.floor(stage.run))
    assert '"nonce":"n1"' in entry.body
