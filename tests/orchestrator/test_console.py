"""What people tell a run, done at a table: who is granted what, who hears it, what is refused.

This file is over 300 lines because it is one list of what each command does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bots.hearing import Hearing
from orchestrator import engine, recovery
from orchestrator.routes import entries, targets
from orchestrator.rules import Rules
from tests.scenes import POLICIES, Table, kinds, spec_of
from utils.mail import ChannelEntry
from utils.protocol import (
    CallsCounted,
    ChannelOpened,
    DeadlinePassed,
    Event,
    OpenEvent,
    Started,
    TimerRang,
)
from utils.seeds import Chance
from utils.spec import ChannelSpec, EndSpec, FloorSpec, Spec
from worlds import seam

TWO_ROOMS = (
    ChannelSpec(name="kitchen", members=("ada", "bo")),
    ChannelSpec(name="garden", members=("cy", "dee")),
)


def tell(table: Table, kind: str, /, **said: Any) -> list[Any]:
    """Tell the run something, a second later."""
    table.now_ms += 1_000
    body = {"kind": kind, "author": "console", "nonce": table.nonce(), **said}
    return table.say(body)


def refused(events: Sequence[Any]) -> tuple[str, str]:
    """Why the only event of a commit says no."""
    (event,) = events
    assert event.kind == "rejected", event
    return event.why, event.detail


def holders(table: Table) -> list[str]:
    return [grant.event.bot for grant in table.state.live()]


def two_rooms(**given: Any) -> Table:
    return Table(spec_of(("ada", "bo", "cy", "dee"), channels=TWO_ROOMS, **given)).begin()


# --- pause and resume -----------------------------------------------------------------------


def test_in_a_pause_the_live_grant_finishes_and_nothing_new_is_granted_until_it_is_over() -> None:
    table = Table(spec_of()).begin()
    assert kinds(tell(table, "pause")) == ["intervened", "paused"]
    assert kinds(table.propose()) == ["acted", "turn_closed", "heard"]
    assert table.state.live() == []
    events = tell(table, "resume")
    assert kinds(events) == ["intervened", "resumed", "granted"]
    assert (events[1].paused_ms, events[2].bot) == (1_000, "bo")


def test_in_a_pause_a_grant_that_is_revoked_is_not_made_again_until_it_is_over() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    assert kinds(table.notice(DeadlinePassed(epoch=1))) == ["revoked"]
    granted = tell(table, "resume")[-1]
    assert (granted.bot, granted.turn, granted.tries) == ("bo", 1, 1)


def test_in_a_pause_a_round_waits_with_those_whose_grant_was_revoked_and_then_asks_them() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    ada, bo, cy = table.state.live()
    tell(table, "pause")
    table.fail(bo)
    table.propose(ada)
    assert kinds(table.propose(cy)) == ["acted"]
    granted = tell(table, "resume")[-1]
    assert (granted.bot, granted.turn, granted.tries) == ("bo", 1, 1)
    table.propose()
    assert table.speakers() == ["ada", "bo", "cy"]


def test_the_time_of_a_pause_is_no_run_time() -> None:
    table = Table(spec_of(end=EndSpec(minutes=1, silence_minutes=0.5))).begin()

    def due_ms(timer: str) -> list[int]:
        every = recovery.timers(table.rules, table.state)
        return [at for at, one in every if isinstance(one, TimerRang) and one.timer == timer]

    (ends_ms,), (silent_ms,) = due_ms("minutes"), due_ms("silence")
    tell(table, "pause")
    assert due_ms("minutes") == due_ms("silence") == []
    table.now_ms += 600_000 - 1_000
    tell(table, "resume")
    assert due_ms("minutes") == [ends_ms + 600_000]
    assert due_ms("silence") == [silent_ms + 600_000]


def test_silence_is_counted_from_the_resumption_when_somebody_spoke_in_the_pause() -> None:
    table = Table(spec_of(end=EndSpec(turns=9, silence_minutes=1))).begin()
    tell(table, "pause")
    table.now_ms += 300_000
    table.propose()
    resumed_ms = table.now_ms + 1_000
    tell(table, "resume")
    assert table.state.acted_ms == resumed_ms


def test_two_pauses_add_up() -> None:
    table = Table(spec_of(end=EndSpec(minutes=1))).begin()
    for _ in range(2):
        tell(table, "pause")
        tell(table, "resume")
    assert table.state.paused_ms == 2_000


def test_a_run_can_be_paused_before_its_first_turn() -> None:
    table = Table(spec_of())
    table.notice(Started(run="tea-1", spec_sha256="0" * 64))
    tell(table, "pause")
    for bot in ("ada", "bo", "cy"):
        table.join(bot)
    assert (table.state.phase, table.state.live()) == ("running", [])
    assert kinds(tell(table, "resume"))[-1] == "granted"


def test_a_paused_run_can_be_stopped() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    assert kinds(tell(table, "stop", why="tea")) == ["intervened", "revoked", "ended"]


# --- step -----------------------------------------------------------------------------------


def test_a_step_that_is_sent_twice_steps_once() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    table.propose()
    assert kinds(tell(table, "step", nonce="step-1"))[-1] == "granted"
    assert refused(tell(table, "step", nonce="step-1"))[0] == "duplicate"
    assert kinds(table.propose()) == ["acted", "turn_closed", "heard"]
    assert (table.state.turns, table.state.live()) == (2, [])


def test_a_step_of_three_turns_closes_three_and_is_a_pause_again() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    table.propose()
    tell(table, "step", turns=3)
    table.talk(3)
    assert (table.state.turns, table.state.live(), table.state.is_paused) == (4, [], True)


def test_a_step_in_a_run_that_is_not_paused_pauses_it_after_the_turn() -> None:
    table = Table(spec_of()).begin()
    tell(table, "step")
    table.talk(1)
    assert (table.state.live(), table.state.is_paused) == ([], True)


def test_a_second_step_before_the_first_is_done_makes_two() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    table.propose()
    tell(table, "step")
    tell(table, "step")
    table.talk(2)
    assert (table.state.turns, table.state.live()) == (3, [])


def test_a_pause_ends_a_step_of_many_turns() -> None:
    table = Table(spec_of()).begin()
    tell(table, "step", turns=100)
    table.talk(2)
    assert kinds(tell(table, "pause")) == ["intervened", "paused"]
    table.talk(1)
    assert table.state.live() == []


def test_a_step_of_a_run_with_two_channels_is_one_turn_of_the_one_that_is_behind() -> None:
    table = two_rooms()
    tell(table, "pause")
    for grant in table.state.live():
        table.propose(grant)
    for _ in range(4):
        tell(table, "step")
        table.talk(1)
        assert table.state.live() == []
    closed = [event.channel for event in table.events("turn_closed")][2:]
    assert closed == ["kitchen", "garden", "kitchen", "garden"]


def test_a_turn_that_was_open_when_the_pause_began_is_what_a_step_steps() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    assert kinds(tell(table, "step")) == ["intervened", "paused"]
    table.talk(1)
    assert (table.state.turns, table.state.live()) == (1, [])


def test_a_step_of_a_round_is_the_whole_round() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    tell(table, "step")
    for grant in table.state.live():
        table.propose(grant)
    assert (table.state.turns, table.state.live()) == (1, [])


# --- words from outside ---------------------------------------------------------------------


def heard_by(table: Table, bot: str) -> list[str]:
    """What a bot of the main channel hears, as its host reads it there."""
    hearing, state = Hearing(bot), engine.initial(table.rules)
    for sealed in table.journal:
        after = engine.evolve(table.rules, state, sealed)
        body = entries(state, after, sealed).get("channel:main")
        if body is not None:
            hearing.take("main", ChannelEntry.model_validate_json(body))
        state = after
    return [event.text for event in hearing.latest(upto=state.seq)][::-1]


def test_what_is_injected_is_heard_by_all_and_said_by_nobody() -> None:
    table = Table(spec_of()).begin()
    intervened, heard = tell(table, "inject", channel="main", text="It begins to rain.")
    assert (intervened.author, intervened.verb) == ("console", "inject")
    assert (heard.speaker, heard.audience, heard.turn) == (None, "all", 1)
    assert all(heard_by(table, bot)[-1] == "It begins to rain." for bot in ("ada", "bo", "cy"))


def test_what_is_whispered_is_heard_by_one() -> None:
    table = Table(spec_of()).begin()
    _, heard = tell(table, "whisper", channel="main", bot="bo", text="Ada lies.")
    assert (heard.speaker, heard.audience) == (None, ("bo",))
    assert heard_by(table, "bo")[-1] == "Ada lies."
    assert "Ada lies." not in heard_by(table, "ada")


def test_words_from_outside_do_not_change_whose_turn_it_is() -> None:
    table = Table(spec_of(policy="addressed")).begin()
    table.propose(text="Cy, what do you say?")
    before = table.state.floors["main"]
    tell(table, "inject", channel="main", text="Ada, answer me!")
    assert table.state.floors["main"] == before


def test_a_mark_changes_nothing_but_the_record() -> None:
    table = Table(spec_of()).begin()
    before = table.state
    (intervened,) = tell(table, "mark", text="The lights went out.")
    assert (intervened.verb, intervened.text) == ("mark", "The lights went out.")
    moved = ("seq", "sha256", "at_ms", "cursor", "nonces")
    assert table.state == before._replace(**{name: getattr(table.state, name) for name in moved})


# --- mute and unmute ------------------------------------------------------------------------


def test_a_muted_bot_finishes_its_grant_hears_on_and_is_granted_nothing_until_unmuted() -> None:
    table = Table(spec_of()).begin()
    assert kinds(tell(table, "mute", bot="ada")) == ["intervened", "muted"]
    table.talk(6)
    assert table.speakers() == ["ada", "bo", "cy", "bo", "bo", "cy"]
    assert heard_by(table, "ada")[-1] == "cy speaks."
    assert kinds(tell(table, "unmute", bot="ada")) == ["intervened", "unmuted"]
    table.talk(4)
    assert table.speakers()[-1] == "ada"


def test_a_muted_bot_is_not_asked_in_a_round_nor_asked_again_in_the_one_that_is_open() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    ada, bo, cy = table.state.live()
    tell(table, "mute", bot="cy")
    table.propose(ada)
    table.propose(bo)
    table.fail(cy)
    assert table.state.turns == 1
    assert holders(table) == ["ada", "bo"]


def test_when_all_are_muted_nobody_speaks_and_the_next_who_may_goes_on() -> None:
    table = Table(spec_of(("ada", "bo"))).begin()
    tell(table, "mute", bot="ada")
    tell(table, "mute", bot="bo")
    table.propose()
    assert table.state.live() == []
    assert tell(table, "unmute", bot="bo")[-1].bot == "bo"


# --- kick and add ---------------------------------------------------------------------------


def test_a_kick_revokes_what_is_live_and_the_turn_goes_on_with_another() -> None:
    table = Table(spec_of()).begin()
    events = tell(table, "kick", bot="ada", channel="main")
    assert kinds(events) == ["intervened", "revoked", "member_left", "granted"]
    assert events[1].reason == "left"
    assert (events[3].bot, events[3].turn, events[3].tries) == ("bo", 1, 1)
    table.talk(4)
    assert "ada" not in table.speakers()
    assert "bo speaks." not in heard_by(table, "ada")


def test_a_late_answer_of_a_bot_that_was_kicked_is_rejected() -> None:
    table = Table(spec_of()).begin()
    late = table.proposal()
    tell(table, "kick", bot="ada", channel="main")
    assert refused(table.say(late))[0] == "stale"


def test_a_kick_out_of_one_channel_leaves_the_grant_in_another() -> None:
    rooms = (
        ChannelSpec(name="kitchen", members=("ada", "bo")),
        ChannelSpec(name="garden", members=("ada", "cy")),
    )
    table = Table(spec_of(channels=rooms)).begin()
    assert holders(table) == ["ada"]
    tell(table, "kick", bot="ada", channel="garden")
    assert holders(table) == ["ada", "cy"]


def test_a_round_goes_on_when_the_last_one_awaited_leaves() -> None:
    table = Table(spec_of(policy="simultaneous")).begin()
    ada, bo, _ = table.state.live()
    table.propose(ada)
    table.propose(bo)
    events = tell(table, "kick", bot="cy", channel="main")
    assert kinds(events)[:4] == ["intervened", "revoked", "member_left", "turn_closed"]
    assert (events[3].answered, events[3].asked) == (2, 3)
    assert table.speakers() == ["ada", "bo"]
    assert holders(table) == ["ada", "bo"]


@pytest.mark.parametrize("hears", ["all", "neighbours", "previous", "self"])
def test_what_a_bot_answered_is_heard_though_it_left_before_the_round_was_over(hears: str) -> None:
    table = Table(spec_of(policy="simultaneous", hears=hears)).begin()
    ada, bo, cy = table.state.live()
    table.propose(bo)
    tell(table, "kick", bot="bo", channel="main")
    table.propose(cy)
    table.propose(ada)
    assert table.speakers() == ["ada", "cy", "bo"]


def test_a_bot_that_is_added_is_the_last_of_the_ring_and_its_host_is_told() -> None:
    table = Table(spec_of()).begin()
    tell(table, "kick", bot="ada", channel="main")
    before = table.state
    events = tell(table, "add", bot="ada", channel="main")
    assert kinds(events) == ["intervened", "member_joined"]
    assert table.state.floors["main"].members == ("bo", "cy", "ada")
    told = targets(before, table.state, table.journal[-1].commit)
    assert kinds(told["inbox:host-ada"][0]) == ["member_joined"]
    table.talk(3)
    assert sorted(table.speakers()) == ["ada", "bo", "cy"]
    assert heard_by(table, "ada")[-1] == f"{table.speakers()[-1]} speaks."


def test_a_bot_that_is_added_to_a_second_channel_speaks_in_both() -> None:
    table = two_rooms()
    tell(table, "add", bot="ada", channel="garden")
    for _ in range(12):
        table.propose(table.state.live()[-1])
    assert {one.channel for one in table.events("heard") if one.speaker == "ada"} == {
        "kitchen",
        "garden",
    }


# --- do: the world's own verbs --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sky:
    rain_mm: int = 0


class Weather(seam.World[Sky]):
    """A meadow where it rains when somebody says so."""

    def initial(self, spec: Spec) -> Sky:
        return Sky()

    def evolve(self, state: Sky, event: Event) -> Sky:
        if isinstance(event, OpenEvent) and event.kind == "weather.rained":
            return replace(state, rain_mm=state.rain_mm + int((event.model_extra or {})["mm"]))
        return state

    def decide(
        self, state: Sky, causes: Sequence[seam.Cause], now: seam.WorldTime, chance: Chance
    ) -> list[Event]:
        made: list[Event] = []
        for cause in causes:
            if isinstance(cause, seam.Began):
                made.append(
                    ChannelOpened(
                        channel="meadow",
                        members=("ada", "bo"),
                        hears="all",
                        policy="round_robin",
                    )
                )
            elif isinstance(cause, seam.Told) and cause.verb == "rain":
                made.append(OpenEvent.model_validate({"kind": "weather.rained", "mm": cause.args}))
        return made


def meadow() -> Table:
    table = Table(spec_of(("ada", "bo")))
    table.rules = Rules(spec=table.rules.spec, world=Weather(), policies=POLICIES)
    table.state = engine.initial(table.rules)
    return table.begin()


def test_what_the_world_is_told_to_do_it_does() -> None:
    table = meadow()
    intervened, rained = tell(table, "do", verb="rain", args=3)
    assert (intervened.verb, intervened.args) == ("rain", 3)
    assert rained.kind == "weather.rained"
    assert table.state.world == Sky(rain_mm=3)


def test_a_verb_the_world_does_not_know_is_noted_and_nothing_follows() -> None:
    table = meadow()
    assert kinds(tell(table, "do", verb="snow")) == ["intervened"]
    assert table.state.world == Sky()


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "said", "why", "detail"),
    [
        ("resume", {}, "no_effect", "the run is not paused"),
        ("mute", {"bot": "eve"}, "unknown_bot", "eve is no bot of this run"),
        ("unmute", {"bot": "ada"}, "no_effect", "ada is not muted"),
        ("kick", {"bot": "eve", "channel": "main"}, "unknown_bot", "eve is no bot of this run"),
        ("kick", {"bot": "ada", "channel": "attic"}, "unknown_channel", "attic is not open"),
        ("add", {"bot": "ada", "channel": "main"}, "no_effect", "ada is in main"),
        ("add", {"bot": "eve", "channel": "main"}, "unknown_bot", "eve is no bot of this run"),
        ("inject", {"text": "x", "channel": "attic"}, "unknown_channel", "attic is not open"),
        ("inject", {"text": " ", "channel": "main"}, "no_effect", "nothing said"),
        (
            "whisper",
            {"text": "x", "channel": "main", "bot": "eve"},
            "unknown_bot",
            "eve is not in main",
        ),
        ("step", {"turns": 0}, "garbage", "field step.turns"),
        ("inject", {"text": "x" * 16_385, "channel": "main"}, "garbage", "field inject.text"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    verb: str, said: dict[str, object], why: str, detail: str
) -> None:
    table = Table(spec_of()).begin()
    before = table.state.floors, table.state.muted, table.state.is_paused
    assert refused(tell(table, verb, **said)) == (why, detail)
    assert (table.state.floors, table.state.muted, table.state.is_paused) == before


@pytest.mark.parametrize(
    ("verb", "said", "detail"),
    [
        ("pause", {}, "the run is paused already"),
        ("mute", {"bot": "ada"}, "ada is muted"),
        ("kick", {"bot": "ada", "channel": "main"}, "ada is not in main"),
    ],
)
def test_what_was_done_is_not_done_again(verb: str, said: dict[str, str], detail: str) -> None:
    table = Table(spec_of()).begin()
    assert tell(table, verb, **said)[0].kind == "intervened"
    assert refused(tell(table, verb, **said)) == ("no_effect", detail)


def test_the_last_one_in_a_channel_is_not_kicked() -> None:
    table = Table(spec_of(("ada",))).begin()
    told = tell(table, "kick", bot="ada", channel="main")
    assert refused(told) == ("no_effect", "ada is the last one in main")


@pytest.mark.parametrize("verb", ["pause", "resume", "step", "stop", "mark", "mute", "do"])
def test_a_run_that_has_ended_is_told_nothing_more(verb: str) -> None:
    said = {"mark": {"text": "late"}, "mute": {"bot": "ada"}, "do": {"verb": "rain"}}
    table = Table(spec_of(floor=FloorSpec(tries=1))).begin()
    tell(table, "stop")
    assert refused(tell(table, verb, **said.get(verb, {})))[0] == "ended"
    table.notice(CallsCounted(calls=0, last_id="0-0"))
    assert refused(tell(table, verb, **said.get(verb, {})))[0] == "ended"


def test_nobody_is_waited_for_less_because_of_a_pause() -> None:
    table = Table(spec_of(floor=FloorSpec(gather_s=5)))
    table.notice(Started(run="tea-1", spec_sha256="0" * 64))
    tell(table, "pause")
    table.now_ms += 60_000
    assert recovery.due(table.rules, table.state, by_ms=table.now_ms) == []
    tell(table, "resume")
    assert (
        recovery.next_due_ms(table.rules, table.state) == table.now_ms + 4_000
    )  # a second was over
