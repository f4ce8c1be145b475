"""Whatever happens in whatever order: what must hold of a run's state and journal."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from orchestrator import recovery
from orchestrator.snapshot import freeze, thaw
from orchestrator.state import Grant
from tests.scenes import Table, spec_of
from utils.protocol import HostLost
from utils.spec import ChannelSpec, EndSpec, FloorSpec

BOTS = ("ada", "bo", "cy", "dee")
CHANNELS = ("main", "side")
POLICIES = ("round_robin", "random", "addressed", "simultaneous")
SPEC = "0" * 64
VERBS = ("pause", "resume", "step", "mute", "unmute", "kick", "add", "inject")

bots = st.sampled_from(BOTS)
channels = st.sampled_from(CHANNELS)
places = st.integers(0, 7)


class AnyOrder(RuleBasedStateMachine):
    """Hosts, people and time do as they please at a table of four in two channels."""

    table: Table

    @initialize(
        main=st.sampled_from(POLICIES), side=st.sampled_from(POLICIES), tries=st.integers(1, 3)
    )
    def begin(self, main: str, side: str, tries: int) -> None:
        spec = spec_of(
            BOTS,
            channels=[
                ChannelSpec(name="main", members=BOTS, policy=main, opening="Well?"),
                ChannelSpec(name="side", members=BOTS[1:], policy=side, turns=6),
            ],
            end=EndSpec(turns=30, minutes=60),
            floor=FloorSpec(allow_s=10, tries=tries, gather_s=5),
        )
        self.table = Table(spec).begin()

    def grant(self, place: int) -> Grant | None:
        live = self.table.state.live()
        return live[place % len(live)] if live else None

    @rule(place=places, text=st.sampled_from(["Yes.", "Bo?", "", "x" * 5_000]))
    def answer(self, place: int, text: str) -> None:
        grant = self.grant(place)
        if grant:
            self.table.propose(grant, text=text or " ")

    @rule(place=places)
    def give_up(self, place: int) -> None:
        grant = self.grant(place)
        if grant:
            self.table.fail(grant)

    @rule(place=places)
    def answer_twice(self, place: int) -> None:
        grant = self.grant(place)
        if grant:
            body = self.table.proposal(grant)
            self.table.say(body, body, {**body, "nonce": "other"})

    @rule(place=places, need_ms=st.sampled_from([0, 1, 15_000, 10**9]))
    def wait(self, place: int, need_ms: int) -> None:
        grant = self.grant(place)
        if grant:
            self.table.wait(grant, need_ms=need_ms)

    @rule(bot=bots, host=st.sampled_from(["one", "two"]))
    def join(self, bot: str, host: str) -> None:
        self.table.join(bot, host=host)

    @rule(bot=bots)
    def leave(self, bot: str) -> None:
        if self.table.state.seats[bot].host:
            self.table.leave(bot)

    @rule(host=st.sampled_from(["one", "two", "host-ada"]))
    def lose(self, host: str) -> None:
        self.table.notice(HostLost(host=host))

    @rule(ms=st.sampled_from([1, 3_000, 10_001, 400_000]))
    def pass_time(self, ms: int) -> None:
        self.table.now_ms += ms
        table = self.table
        for _ in range(200):
            noticed = recovery.due(table.rules, table.state, by_ms=table.now_ms)
            if not noticed:
                return
            table.notice(*noticed)
        raise AssertionError("something is due for ever")

    @rule(
        verb=st.sampled_from(VERBS),
        bot=bots,
        channel=channels,
    )
    def tell(self, verb: str, bot: str, channel: str) -> None:
        body: dict[str, object] = {"kind": verb, "author": "console", "nonce": self.table.nonce()}
        if verb in ("mute", "unmute", "kick", "add"):
            body["bot"] = bot
        if verb in ("kick", "add", "inject"):
            body["channel"] = channel
        if verb == "inject":
            body["text"] = "Rain!"
        events = self.table.say(body)
        assert events[0].kind in ("intervened", "rejected")

    # --- what holds ---------------------------------------------------------------------

    @invariant()
    def a_grant_is_closed_once_and_only_what_was_granted_is_closed(self) -> None:
        granted = [event.epoch for event in self.table.events("granted")]
        assert granted == list(range(1, len(granted) + 1))
        closed: Counter[int] = Counter()
        for kind in ("acted", "passed", "revoked"):
            closed.update(event.epoch for event in self.table.events(kind))
        live = {grant.event.epoch for grant in self.table.state.live()}
        assert all(count == 1 for count in closed.values())
        assert set(closed) | live == set(granted)
        assert not set(closed) & live

    @invariant()
    def who_holds_the_floor_is_a_member_and_holds_it_once(self) -> None:
        holders = []
        for floor in self.table.state.floors.values():
            assert {grant.event.bot for grant in floor.live} <= set(floor.members)
            holders += [grant.event.bot for grant in floor.live]
        assert len(holders) == len(set(holders))

    @invariant()
    def no_grant_outlives_what_it_may_wait_in_all(self) -> None:
        for grant in self.table.state.live():
            in_all = (2 + len(BOTS)) * grant.event.allow_ms
            assert self.table.state.at_ms <= grant.deadline_ms <= grant.granted_ms + in_all
            assert grant.deadline_ms <= self.table.state.at_ms + 2 * grant.event.allow_ms

    @invariant()
    def a_turn_is_closed_once_and_in_order(self) -> None:
        for channel in CHANNELS:
            turns = [one.turn for one in self.table.events("turn_closed") if one.channel == channel]
            assert turns == list(range(1, len(turns) + 1))

    @invariant()
    def somebody_holds_the_floor_while_anybody_could(self) -> None:
        state = self.table.state
        if state.phase != "running" or state.is_paused or state.live():
            return
        for floor in state.floors.values():
            could = [
                bot
                for bot in floor.members
                if bot not in state.muted and not state.seats[bot].absent
            ]
            assert floor.is_done or not could or state.steps, floor

    @invariant()
    def nothing_is_granted_in_a_pause_but_for_its_steps(self) -> None:
        steps: int | None = None  # none while the run is not paused
        for event in self.table.events():
            if event.kind == "paused":
                steps = event.turns
            elif event.kind == "resumed":
                steps = None
            elif event.kind == "turn_closed" and steps:
                steps -= 1
            assert not (event.kind == "granted" and steps == 0)

    @invariant()
    def the_state_can_be_kept_and_taken_up_again(self) -> None:
        body = freeze(self.table.state, spec_sha256=SPEC)
        assert thaw(self.table.rules, body, spec_sha256=SPEC) == self.table.state

    @invariant()
    def the_end_leaves_nothing_open(self) -> None:
        if self.table.state.phase == "ended":
            assert not self.table.state.live()
            assert self.table.events()[-1].kind != "granted"


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
