"""Channels come and go, people intervene: the view agrees with the engine, nothing breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from analytics.observer.changes import evolve
from analytics.observer.lines import lines
from analytics.observer.plan import plan_of
from analytics.observer.view import View, blank
from analytics.tables import tables_from
from orchestrator import engine, recovery
from orchestrator.state import State
from tests.analytics.meetings import Meeting, meeting_spec, recorded
from tests.analytics.recorded import pick, tables
from tests.scenes import Table, spec_of
from utils.errors import BadEntry
from utils.journal import NO_HASH, Commit, seal, sha256_of
from utils.protocol import (
    ChannelClosed,
    ChannelOpened,
    Event,
    Heard,
    HostLost,
    MemberJoined,
    MemberLeft,
    Revoked,
    TurnClosed,
)
from utils.seeds import Chance
from utils.spec import ChannelSpec, EndSpec, FloorSpec, Spec

BOTS = ("ada", "bo", "cy", "dee")
VERBS = ("pause", "resume", "step", "mute", "unmute", "kick", "add", "inject", "whisper", "mark")


def rooms() -> Table:
    main = ChannelSpec(name="main", members=BOTS, policy="simultaneous", opening="Well?")
    side = ChannelSpec(name="side", members=BOTS[1:], policy="addressed")
    floor = FloorSpec(allow_s=10, tries=2, gather_s=5)
    end = EndSpec(turns=40, minutes=60)
    return Table(spec_of(BOTS, channels=(main, side), floor=floor, end=end)).begin()


def meetings() -> Table:
    return Meeting(meeting_spec(BOTS, turns=60)).begin()


def disturb(table: Table, chance: Chance, step: int) -> None:
    """Let something happen, drawn by place: an answer, silence, a lost host, a command."""
    live = table.state.live()
    what = chance.below(10, "what", step)
    bot = chance.pick(BOTS, "bot", step)
    if what < 5 and live:
        grant = chance.pick(live, "grant", step)
        is_act = grant.ask.kind == "act"
        act = {"kind": "act", "name": "name", "args": {"word": step}}
        table.propose(grant, f"{bot}?", **({"action": act} if is_act else {}))
    elif what == 5 and live:
        table.fail(chance.pick(live, "grant", step))
    elif what == 6:
        table.notice(HostLost(host=f"host-{bot}"))
    elif what == 7:
        table.join(bot)
    elif what == 8:
        table.now_ms += chance.pick((5, 3_000, 12_000), "ms", step)
        for notice in recovery.due(table.rules, table.state, by_ms=table.now_ms):
            table.notice(notice)
    else:
        command(table, chance, step, bot)


def command(table: Table, chance: Chance, step: int, bot: str) -> None:
    verb = chance.pick(VERBS, "verb", step)
    channel = chance.pick(list(table.state.floors) or ["gone"], "channel", step)
    body: dict[str, object] = {"kind": verb, "author": "anna", "nonce": f"tell-{step}"}
    body |= {"bot": bot} if verb in ("mute", "unmute", "kick", "add", "whisper") else {}
    body |= {"channel": channel} if verb in ("kick", "add", "inject", "whisper") else {}
    body |= {"text": "Rain!"} if verb in ("inject", "whisper", "mark") else {}
    table.say(body)


def disturbed(make: Callable[[], Table], seed: int) -> Table:
    table, chance = make(), Chance(seed)
    for step in range(160):
        disturb(table, chance, step)
    return table


def views(table: Table) -> Iterator[tuple[View, State]]:
    """Every commit's view, with the lines of it made both ways, and the engine's state."""
    view, state = blank(plan_of("tea-1", table.rules.spec)), engine.initial(table.rules)
    for sealed in table.journal:
        before, view = view, evolve(view, sealed)
        state = engine.evolve(table.rules, state, sealed)
        shown = lines(before, view, sealed, every=True)
        assert len(shown) >= len([line for line in shown if not line.is_extra])
        assert all(line.text.isprintable() for line in shown if line.tone != "said")
        lines(before, view, sealed)
        yield view, state


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("make", [rooms, meetings])
def test_whatever_happens_the_view_agrees_with_the_engine(
    make: Callable[[], Table], seed: int
) -> None:
    for view, state in views(disturbed(make, seed)):
        assert set(view.channels) == set(state.floors)
        for name, floor in state.floors.items():
            channel = view.channels[name]
            assert channel.members == floor.members
            held = [(one.bot, one.epoch) for one in channel.holders]
            assert held == [(one.event.bot, one.event.epoch) for one in floor.live]
        assert (view.turns, view.phase, view.muted) == (state.turns, state.phase, state.muted)
        assert (view.paused_at_ms, view.paused_ms) == (state.paused_at_ms, state.paused_ms)
        assert (view.steps, view.is_paused) == (state.steps, state.is_paused)
        assert (view.world_ms, view.measured) == (state.world_ms, state.measured)
        assert view.absent == {bot for bot, seat in state.seats.items() if seat.absent}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("make", [rooms, meetings])
def test_whatever_happens_the_tables_add_up(make: Callable[[], Table], seed: int) -> None:
    table = disturbed(make, seed)
    body = table.rules.spec.model_dump_json()
    rows: dict[str, list[dict[str, object]]] = {}
    with_spec = [with_spec_of(body, sealed.commit) for sealed in table.journal]
    for name, row in tables_from(body, chained(with_spec), [], run="tea-1"):
        rows.setdefault(name, []).append(dict(row))
    (run,) = rows["runs"]
    for name in ("messages", "actions", "measures", "interventions", "world_events"):
        assert run[name] == len(rows.get(name, []))
    for bot in rows["bots"]:
        of_bot = [row for row in rows.get("turns", []) if row["bot"] == bot["bot"]]
        assert bot["granted"] == len(of_bot)
        assert bot["revoked"] == len([row for row in of_bot if row["outcome"] == "revoked"])
        assert bot["received"] == heard_by(table, str(bot["bot"]))
    ran = [row["run_ms"] for name in ("messages", "actions") for row in rows.get(name, [])]
    assert all(isinstance(one, int) and 0 <= one <= table.now_ms - 1_000_000 for one in ran)


def with_spec_of(body: str, commit: Commit) -> Commit:
    """Let a commit that begins a run name this spec."""
    events = tuple(
        event.model_copy(update={"spec_sha256": sha256_of(body)})
        if event.kind == "began"
        else event
        for event in commit.events
    )
    return commit.model_copy(update={"events": events})


def chained(commits: list[Commit]) -> Iterator:  # type: ignore[type-arg]
    last = NO_HASH
    for commit in commits:
        sealed = seal(commit.model_copy(update={"prev": last}))
        last = sealed.sha256
        yield sealed


def heard_by(table: Table, bot: str) -> int:
    """Count what a bot heard that was not its own, the slow way."""
    members: dict[str, list[str]] = {}
    count = 0
    for event in table.events():
        match event:
            case ChannelOpened():
                members[event.channel] = list(event.members)
            case MemberJoined():
                members[event.channel].append(event.bot)
            case MemberLeft():
                members[event.channel].remove(event.bot)
            case Heard() if event.speaker != bot:
                audience = members[event.channel] if event.audience == "all" else event.audience
                count += bot in audience
    return count


# events of channels that are gone, or never were


def heard(channel: str, **changes: object) -> Heard:
    given = {"channel": channel, "turn": 1, "round": 1, "speaker": "ada", "audience": "all"}
    return Heard.model_validate({**given, "text": "Late.", **changes})


LATE = [
    heard("met-1"),
    heard("met-1", speaker=None, audience=("bo",)),
    MemberLeft(channel="met-1", bot="ada"),
    MemberJoined(channel="met-1", bot="ada"),
    ChannelClosed(channel="met-1"),
    TurnClosed(channel="met-1", turn=2, outcome="passed", answered=0, asked=1),
]


@pytest.mark.parametrize("event", LATE, ids=lambda event: event.kind)
def test_an_event_of_a_channel_that_is_gone_breaks_nothing(event: Event) -> None:
    run, table = recorded()
    table.meet(1)
    last = table.journal[-1]
    commit = last.commit.model_copy(
        update={"seq": last.seq + 1, "prev": last.sha256, "events": (event,)}
    )
    sealed = seal(commit)
    view = blank(plan_of("tea-1", table.rules.spec))
    for one in table.journal:
        view = evolve(view, one)
    after = evolve(view, sealed)
    lines(view, after, sealed, every=True)
    assert set(after.channels) == {"hall", "met-2"}
    before = pick(tables(run)["bots"], "received")
    table.journal.append(sealed)
    is_for_bo = isinstance(event, Heard) and event.audience == ("bo",)
    assert pick(tables(run)["bots"], "received")[1] == (before[1][0] + is_for_bo,)


def test_a_closing_of_a_grant_that_never_was_is_still_refused() -> None:
    run, table = recorded()
    last = table.journal[-1]
    given = {"channel": "met-1", "turn": 1, "bot": "ada", "epoch": 99}
    event = Revoked.model_validate({**given, "reason": "left"})
    commit = last.commit.model_copy(
        update={"seq": last.seq + 1, "prev": last.sha256, "events": (event,)}
    )
    table.journal.append(seal(commit))
    with pytest.raises(BadEntry, match="epoch 99, not live"):
        tables(run)


def test_a_view_does_not_grow_with_the_encounters_there_were() -> None:
    def size(spec: Spec, encounters: int) -> int:
        view = blank(plan_of("tea-1", spec))
        for sealed in Meeting(spec).begin().meet(encounters).journal:
            view = evolve(view, sealed)
        return len(repr(view))

    assert size(meeting_spec(), 500) < 1.2 * size(meeting_spec(), 30)
