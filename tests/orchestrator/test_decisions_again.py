"""Every commit is decided again: what was recorded follows, and what was forged does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.policies.random_order import RandomOrder
from orchestrator.policies.seam import FloorView
from orchestrator.replay import decisions_again
from orchestrator.rules import Rules
from tests.court import Court
from tests.forged import resealed, seq_of, with_event
from tests.orchestrator.test_console import tell
from tests.scenes import POLICIES, Table, spec_of
from tests.swarm import fake_swarm
from tests.worlds.grid_played import grid_spec, play
from tests.worlds.naming_played import game
from utils.finding import Finding
from utils.journal import Sealed
from utils.protocol import DeadlinePassed, Granted, Heard, HostLost
from utils.seeds import Chance
from utils.spec import ChannelSpec, FloorSpec, Spec


def found(table: Table, journal: Sequence[Sealed] | None = None, **given: Any) -> list[Finding]:
    return list(decisions_again(table.rules.spec, journal or table.journal, **given))


def talked(turns: int = 12, **given: Any) -> Table:
    table = Table(spec_of(turns=turns, **given)).begin()
    table.talk(turns)
    return table


# --- what follows -----------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES)
def test_a_salon_follows_under_every_policy(policy: str) -> None:
    table = Table(spec_of(policy=policy, turns=12)).begin()
    while table.state.phase == "running":
        table.now_ms += 1
        table.propose(table.state.live()[0])
    assert found(table) == []


def test_what_goes_wrong_and_what_people_say_follows_too() -> None:
    table = Table(spec_of(turns=12, floor=FloorSpec(allow_s=10, tries=2))).begin()
    table.say("garbage", {"kind": "proposed"})
    table.fail()
    table.wait(need_ms=50_000)
    table.now_ms += 20_000
    table.notice(DeadlinePassed(epoch=table.grant.event.epoch))
    for verb, said in (
        ("kick", {"channel": "main", "bot": "cy"}),
        ("add", {"channel": "main", "bot": "cy"}),
        ("whisper", {"channel": "main", "bot": "bo", "text": "Hush."}),
        ("mute", {"bot": "ada"}),
        ("pause", {}),
        ("step", {"turns": 2}),
    ):
        tell(table, verb, **said)
    table.notice(HostLost(host="host-bo"))
    table.join("bo", host="elsewhere")
    table.talk(1)
    tell(table, "stop")
    assert found(table) == []
    assert {"revoked", "rejected", "extended", "unseated", "paused", "ended"} <= {
        event.kind for event in table.events()
    }


def test_a_naming_game_and_a_grid_follow() -> None:
    with fake_swarm(lease_ms=60_000) as swarm:
        swarm.orchestrator()
        swarm.host(8)
        spec = game(8, encounters=60)
        journal = swarm.finish(swarm.seed(spec))
    assert list(decisions_again(spec, journal)) == []
    assert len(journal) > 60
    grid = grid_spec(decay=0.2, sleepers=["dot"])
    assert list(decisions_again(grid, play(grid).journal)) == []


def test_a_run_whose_server_forgot_its_tail_follows() -> None:
    court = Court().begin()
    court.talk(6)
    court.forget(after=court.leader.state.seq - 3)
    court.leader.recover(court.now_ms)
    court.talk(3)
    assert court.events("incident")
    assert list(decisions_again(court.leader.rules.spec, court.journal)) == []


def test_a_journal_that_was_cut_off_follows_as_far_as_it_goes() -> None:
    table = talked()
    assert found(table, table.journal[:7]) == []
    assert list(decisions_again(table.rules.spec, [])) == []


# --- what does not ----------------------------------------------------------------------


class Moved(RandomOrder):
    """Draws as `random` does, but in one turn with one draw moved."""

    def __init__(self, at_turn: int) -> None:
        self.at_turn = at_turn

    def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
        if floor.turn == self.at_turn:
            floor = replace(floor, turn=floor.turn + 1_000)
        return super().choose(floor, chance)


def granted_at(table: Table, turn: int) -> int:
    return seq_of(table.journal, lambda event: isinstance(event, Granted) and event.turn == turn)


def rules_with(table: Table, policies: Mapping[str, Any]) -> Rules:
    return replace(table.rules, policies={**table.rules.policies, **policies})


def test_a_policy_with_one_draw_moved_is_found_at_its_turn_and_nothing_before_it() -> None:
    table = talked(30, policy="random")
    for at_turn in (9, 10, 11, 12):
        findings = found(table, rules=rules_with(table, {"random": Moved(at_turn)}))
        if findings:
            (one,) = findings
            assert (one.commit, one.channel, one.turn) == (
                granted_at(table, at_turn),
                "main",
                at_turn,
            )
            assert "granted, bot: recorded" in one.what
            break
    else:
        raise AssertionError("the moved draws all fell on the same bots")
    assert found(table, rules=rules_with(table, {"random": Moved(10_000)})) == []


def test_another_seed_is_found_at_the_first_commit_that_holds_it() -> None:
    table = talked(4)
    spec = table.rules.spec.model_copy(update={"seed": 8})
    first = next(iter(decisions_again(spec, table.journal)))
    assert (first.commit, first.what) == (1, "event 1, began, seed: recorded 7, decided 8")


def test_one_changed_word_in_a_chain_that_was_sealed_again_is_found() -> None:
    table = talked()
    seq = seq_of(table.journal, lambda e: isinstance(e, Heard) and e.turn == 6)
    events = with_event(table.journal[seq - 1], lambda e: isinstance(e, Heard), text="I agree!")
    first, *rest = found(table, resealed(table.journal, seq, events=tuple(events)))
    assert (first.commit, first.channel, first.turn) == (seq, "main", 6)
    assert first.what == "event 3, heard, text: recorded 'I agree!', decided 'cy speaks.'"
    assert rest, "proposals name the hashes of grants, and those are others now"


@pytest.mark.parametrize("how", ["an event less", "an event more", "another order"])
def test_events_that_are_too_few_too_many_or_elsewhere_are_found(how: str) -> None:
    table = talked()
    events = list(table.journal[7].commit.events)
    if how == "an event less":
        del events[-1]
        what = "event 4, granted, follows and is not there"
    elif how == "an event more":
        events.append(events[0])
        what = "event 5, acted, does not follow from its inputs"
    else:
        events[0], events[1] = events[1], events[0]
        what = "event 1, recorded turn_closed, decided acted"
    first = found(table, resealed(table.journal, 8, events=tuple(events)))[0]
    assert (first.commit, first.what) == (8, what)


def test_an_input_that_is_not_what_its_text_says_is_found() -> None:
    table = talked()
    (one,) = table.journal[7].commit.inputs
    forged = one.model_copy(update={"nonce": "other"})
    first = found(table, resealed(table.journal, 8, inputs=(forged,)))[0]
    assert (first.commit, first.what) == (8, f"input {one.id} is not what its text says")


def test_a_cursor_that_went_elsewhere_and_a_byte_too_many_are_found() -> None:
    table = talked()
    first = found(table, resealed(table.journal, 8, cursor="9-9"))[0]
    assert (first.commit, first.what.partition(",")[0]) == (8, "cursor: recorded '9-9'")
    spaced = replace(table.journal[7], body=table.journal[7].body.replace(":", ": ", 1))
    journal = [*table.journal[:7], spaced, *table.journal[8:]]
    assert [one.what for one in found(table, journal)] == ["its bytes are not as they are written"]


def test_a_commit_that_follows_from_nothing_is_found() -> None:
    table = talked()
    first = found(table, resealed(table.journal, 8, inputs=()))[0]
    assert first.what == "event 1, acted, does not follow from its inputs"
    assert (first.commit, first.turn) == (8, table.journal[7].commit.events[0].turn)  # type: ignore[union-attr]


def test_events_no_rule_would_make_end_it_in_words() -> None:
    table = talked()
    nowhere = Granted.model_validate(
        {**table.events("granted")[0].model_dump(), "channel": "attic"}
    )
    findings = found(table, resealed(table.journal, 8, events=(nowhere,)))
    assert findings[0].commit == 8
    assert (findings[0].channel, findings[0].turn) == ("attic", 1)


def test_rules_that_break_are_a_finding_and_no_traceback() -> None:
    class Broken(RandomOrder):
        def choose(self, floor: FloorView, chance: Chance) -> tuple[str, ...]:
            raise ZeroDivisionError("oh")

    table = talked(4, policy="random")
    first = found(table, rules=rules_with(table, {"random": Broken()}))[0]
    assert first.what.startswith("it cannot be decided again: 'ZeroDivisionError: oh'")


def many() -> Spec:
    names = [f"room-{number}" for number in range(4)]
    channels = [ChannelSpec(name=name, members=("ada", "bo"), policy="random") for name in names]
    return spec_of(("ada", "bo"), channels=channels, turns=40)


def test_a_finding_says_in_which_of_many_channels_it_stands() -> None:
    table = Table(many()).begin()
    while table.state.phase == "running":
        table.now_ms += 1
        table.propose(table.state.live()[0])
    assert found(table) == []
    seq = seq_of(
        table.journal, lambda e: isinstance(e, Heard) and e.channel == "room-2" and e.turn == 3
    )
    events = with_event(table.journal[seq - 1], lambda e: isinstance(e, Heard), text="No!")
    first = found(table, resealed(table.journal, seq, events=tuple(events)))[0]
    assert str(first).startswith(f"commit {seq}, room-2, turn 3: event ")
