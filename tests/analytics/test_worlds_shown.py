"""A world whose channels come and go, and what people tell a run, read well in lines."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from analytics.observer.leadership import Leadership
from analytics.observer.panel import panel
from analytics.observer.plain import PlainScreen
from analytics.observer.plan import plan_of
from tests.analytics.meetings import Meeting, meeting_spec
from tests.analytics.shown import RUN, drawn, plain_of, played, stored, view_of
from tests.scenes import Table, spec_of
from utils import keys
from utils.awaited import Reached
from utils.clock import ManualClock
from utils.errors import ServerGone
from utils.protocol import Act, AskAct, DeadlinePassed, Measured, OpenEvent
from utils.spec import ChannelSpec, EndSpec


def last_lines(table: Table, count: int, *, every: bool = False) -> list[str]:
    out = io.StringIO()
    played(table, PlainScreen(out, every=every))
    return out.getvalue().splitlines()[-count:]


def tell(table: Table, kind: str, **said: object) -> None:
    table.say({"kind": kind, "author": "anna", "nonce": table.nonce(), **said})


# encounters


def test_an_encounter_is_told_by_what_came_of_it() -> None:
    table = Meeting().begin().meet(1)
    assert last_lines(table, 4) == [
        "-- all bots are seated: turns begin",
        '[met-1] -- meet.met channel=met-1 words=[{"word":"F"},{"word":"F"}]',
        "[met-1 1] (outside): You have met.",
        "[met-1 1] (outside): It was good.",
    ]


def test_every_event_of_an_encounter_is_told_to_those_who_want_it() -> None:
    table = Meeting().begin().meet(1)
    assert last_lines(table, 10, every=True) == [
        "[met-1 1] -- Ada: name word=F",
        "[met-1 1] -- Bo: name word=F",
        '[met-1] -- meet.met channel=met-1 words=[{"word":"F"},{"word":"F"}]',
        "[met-1 1] (outside): You have met.",
        "-- measured met: 1",
        "[met-1] -- measured named: 2",
        "[met-1] -- measured seen of Ada: 1",
        "[met-1] -- channel met-1 closes",
        "[met-1 1] (outside): It was good.",
        "[met-2] -- channel met-2 opens for Bo and Cy",
    ]


def test_what_the_clock_alone_does_is_told_only_to_those_who_want_every_event() -> None:
    table = Meeting().begin()
    table.tick()
    assert last_lines(table, 1) == ["-- all bots are seated: turns begin"]
    assert last_lines(table, 3, every=True) == [
        "[met-1 1] -- the world acts for Ada: name word=null",
        "[met-1 1] -- the world acts for Bo: name word=null",
        "-- meet.ticked at=100",
    ]


def test_a_channel_of_more_than_two_that_opens_later_is_told() -> None:
    table = Meeting(meeting_spec(("ada", "bo"))).begin()
    tell(table, "kick", channel="hall", bot="bo")
    assert last_lines(table, 1) == ["[hall] -- anna takes Bo out of hall"]
    tell(table, "add", channel="hall", bot="bo")
    assert last_lines(table, 1) == ["[hall] -- anna puts Bo into hall"]


def test_what_is_done_in_a_round_is_told_when_it_closes() -> None:
    table = acting(policy="simultaneous")
    first, second, _ = table.state.live()
    act(table, first, "F")
    act(table, second, "J")
    assert "F" not in plain_of(table)
    table.propose(table.state.live()[0], action={"kind": "pass"})
    assert last_lines(table, 3) == [
        "[main 1] -- Cy passes",
        "[main 1] -- Ada: name word=F",
        "[main 1] -- Bo: name word=J",
    ]


def test_an_action_of_one_that_is_asked_alone_is_told_at_once() -> None:
    table = acting(policy="round_robin")
    act(table, table.grant, "two words")
    assert last_lines(table, 1) == ['[main 1] -- Ada: name word="two words"']


def acting(*, policy: str) -> Table:
    """A salon that asks for a thing's name."""
    table = Table(spec_of(policy=policy))

    class Naming(type(table.rules.world)):  # type: ignore[misc]
        def ask(self, state: object, bot: str, channel: str) -> AskAct:
            return AskAct(name="name", text="Name it.", answer_schema={})

    object.__setattr__(table.rules, "world", Naming())
    return table.begin()


def act(table: Table, grant: object, word: str) -> None:
    done = Act(name="name", args={"word": word}).model_dump()
    table.propose(grant, action=done)  # type: ignore[arg-type]


def test_a_long_event_is_cut_to_one_line_and_nothing_in_it_acts() -> None:
    table = Meeting().begin()
    last = table.journal[-1]
    odd = {"kind": "meet.\x1b[2J", "edges": list(range(10_000)), "\u202e": "\n"}
    events = (OpenEvent.model_validate(odd), Measured(name="m", value=0.1))
    commit = last.commit.model_copy(update={"events": events})
    out = io.StringIO()
    view = view_of(table)
    PlainScreen(out).tell(view, view, type(last)(commit, last.body, last.sha256))
    (line,) = out.getvalue().splitlines()
    assert line.startswith("-- meet.<U+001B>[2J edges=[0,1,2,")
    assert len(line) < 170
    assert line.isprintable()


def test_a_terminal_lines_encounters_up_by_their_names() -> None:
    table = Meeting().begin().meet(12)
    shown = drawn(table)
    assert "met-1 " in shown
    assert "met-12 " in shown


# what people tell a run


def test_who_told_the_run_what_is_told() -> None:
    table = Table(spec_of(turns=9)).begin()
    tell(table, "pause")
    table.now_ms += 12_000
    tell(table, "resume")
    tell(table, "step", turns=2)
    tell(table, "mute", bot="bo")
    tell(table, "unmute", bot="bo")
    tell(table, "mark", text="Here it turns.\n\x1b[2J")
    tell(table, "do", verb="rain", args={"mm": 3})
    tell(table, "do", verb="pause")
    tell(table, "stop", why="enough")
    assert last_lines(table, 11) == [
        "-- anna pauses the run",
        "-- anna resumes the run after 12 s",
        "-- anna steps the run: 2 turns may close",
        "-- anna mutes Bo",
        "-- anna lets Bo speak again",
        "-- anna remarks: Here it turns. <U+001B>[2J",
        "-- anna tells the world: rain mm=3",
        "-- anna tells the world: pause",
        "-- anna stops the run",
        "[main 1] -- Ada's turn 1 revoked: the run ended",
        "-- the run has ended: it was stopped: enough",
    ]


def test_words_from_outside_name_who_said_them_and_to_whom() -> None:
    table = Table(spec_of()).begin()
    tell(table, "inject", channel="main", text="Rain!")
    tell(table, "whisper", channel="main", bot="bo", text="Run.")
    assert last_lines(table, 2) == ["[main 1] (anna): Rain!", "[main 1] (anna to Bo): Run."]
    assert view_of(table).last_word.author == "anna"  # type: ignore[union-attr]


def test_a_bot_that_is_taken_out_while_it_holds_the_floor_leaves_its_turn_to_another() -> None:
    table = Table(spec_of()).begin()
    tell(table, "kick", channel="main", bot="ada")
    assert last_lines(table, 2) == [
        "[main] -- anna takes Ada out of main",
        "[main 1] -- Ada's turn 1 revoked: it left the channel; granted again to Bo, try 2",
    ]


# the panel


def below(table: Table, *, after_ms: int = 0, width: int = 100) -> list[str]:
    view = view_of(table)
    return panel(view, table.now_ms + after_ms, width=width, styles={}).plain.splitlines()


def test_the_panel_of_a_paused_run_says_for_how_long_and_how_it_goes_on() -> None:
    table = Table(spec_of()).begin()
    tell(table, "pause")
    tell(table, "mute", bot="cy")
    assert below(table, after_ms=12_000)[2:] == [
        " Ada holds the floor · 1 min 48 s left",
        " paused for 12 s: parley tell tea-1 resume",
        " muted: Cy",
    ]
    table.propose()
    assert below(table)[2:] == [" paused for 0 s: parley tell tea-1 resume", " muted: Cy"]
    tell(table, "step", turns=2)
    assert below(table)[2:4] == [
        " Bo holds the floor · 2 min left",
        " paused, 2 turns may yet close",
    ]


def test_the_panel_does_not_grow_with_channels_nor_with_measures() -> None:
    bots = [f"bot-{number}" for number in range(400)]
    pairs = zip(bots[::2], bots[1::2], strict=True)
    rooms = [ChannelSpec(name=f"room-{at}", members=pair) for at, pair in enumerate(pairs)]
    table = Table(spec_of(bots, channels=rooms, turns=None, end=EndSpec(minutes=9))).begin()
    view = view_of(table)
    measured = {f"m-{number}": number / 7 for number in range(50)}
    full = replace(view, measured=measured)
    rows = panel(full, table.now_ms, width=100, styles={}).plain.splitlines()
    assert len(rows) == 8
    assert rows[2] == " m-0 0 · m-1 0.1429 · m-10 1.429 · and 47 more"
    assert rows[-1] == " and 196 more channels"


def test_a_run_that_may_end_by_what_it_measures_says_so() -> None:
    end = EndSpec(turns=40, measures=(Reached(measure="met", value=9),))
    spec = meeting_spec().model_copy(update={"end": end})
    table = Meeting(spec).begin().meet(2)
    rows = below(table)
    assert rows[1].startswith(f" {'━' * 24}  turn 2 of at most 40 · at most about ")
    assert rows[2] == " met 2 (ends at 9)"
    table.meet(20)
    assert last_lines(table, 1) == [
        "-- the run has ended: what it waited for is measured: met is 9"
    ]


# who leads


def test_that_nobody_leads_is_said_once_and_who_leads_again_once() -> None:
    streams, clock = stored(Table(spec_of()).begin()), ManualClock()
    leadership = Leadership(streams, RUN, clock=clock)

    def looks(seconds: int) -> list[str]:
        said = []
        for _ in range(seconds * 5):
            clock.advance(200)
            said += [news for news in [leadership.look()] if news]
        return said

    assert looks(3) == []
    assert looks(60) == ["nobody leads this run: parley orchestrator"]
    streams.take_lease(keys.leader(RUN), "orchestrator-2", ttl_ms=600_000)
    assert looks(60) == ["orchestrator-2 leads the run"]


def test_a_server_that_is_gone_says_nothing_of_who_leads() -> None:
    streams, clock = stored(Table(spec_of()).begin()), ManualClock()
    leadership = Leadership(streams, RUN, clock=clock)
    streams.server.connected = False  # type: ignore[attr-defined]
    clock.advance(10_000)
    with pytest.raises(ServerGone):
        streams.lease_owners([keys.leader(RUN)])
    assert leadership.look() is None


# plans


def test_a_plan_knows_what_a_run_may_end_by() -> None:
    end = EndSpec(turns=40, measures=(Reached(measure="met", value=1),))
    plan = plan_of(RUN, meeting_spec().model_copy(update={"end": end}))
    assert plan.progress(7) == "turn 7 of at most 40"
    assert plan_of(RUN, meeting_spec(turns=40)).progress(7) == "turn 7 of 40"


def test_a_late_grant_of_a_channel_that_closes_is_no_trouble() -> None:
    table = Meeting().begin()
    table.now_ms += 600_000
    table.notice(DeadlinePassed(epoch=1))
    assert "revoked: no answer" in plain_of(table)
