"""A vote: the bots talk for some turns, then all vote at once; a tie is voted on again."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from utils import protocol as p
from utils.seeds import Chance
from utils.spec import Spec
from worlds.seam import Answered, Began, Cause, World, WorldTime
from worlds.settings import read


class Settings(p.Frozen):
    """What a scenario may set under `world: {vote: ...}`; `talk` is in turns."""

    question: str = "Where shall we meet?"
    candidates: tuple[str, ...] = Field(("harbour", "market"), min_length=2)
    talk: int = Field(6, ge=1)


class VoteState(NamedTuple):
    """The settings, the bots, the run's seed, and what can be voted for by now."""

    own: Settings
    bots: tuple[str, ...]
    seed: int
    standing: tuple[str, ...]


class Vote(World[VoteState]):
    """Talk in the channel `hall`; then `ballot-1`, `ballot-2`, until one name has most votes."""

    def initial(self, spec: Spec) -> VoteState:
        own, bots = read(spec, Settings), tuple(bot.name for bot in spec.bots)
        return VoteState(own, bots, spec.seed, tuple(dict.fromkeys(own.candidates)))

    def evolve(self, state: VoteState, event: p.Event) -> VoteState:
        if isinstance(event, p.OpenEvent) and event.kind == "vote.counted":
            return state._replace(standing=tuple((event.model_extra or {})["leaders"]))
        return state

    def decide(
        self, state: VoteState, causes: Sequence[Cause], now: WorldTime, chance: Chance
    ) -> list[p.Event]:
        events: list[p.Event] = []
        for cause in causes:
            if isinstance(cause, Began):
                opening = Answered("hall", turn=0, round=0, answers=())
                events += [_open(state, "hall"), _heard(opening, state.own.question)]
            elif isinstance(cause, Answered):
                events += (_talk if cause.channel == "hall" else _count)(state, cause)
        return events

    def ask(self, state: VoteState, bot: str, channel: str) -> p.Ask:
        if channel == "hall":
            return super().ask(state, bot, channel)
        names = Chance(state.seed).shuffled(state.standing, "vote.order", channel, bot)
        text = f"Now vote: write one of these, with its quotes: {json.dumps(names)[1:-1]}."
        return p.AskAct(name="vote", text=text, answer_schema={"enum": [*names]}, legal=(*names,))

    def measures(self, name: str) -> bool:
        return name == "agreement"


def _talk(state: VoteState, cause: Answered) -> list[p.Event]:
    events: list[p.Event] = []
    for one in cause.answers:
        if isinstance(one.action, p.Say):
            by = {"speaker": one.bot, "epoch": one.epoch, "call_sha256": one.call_sha256}
            events.append(_heard(cause, one.action.text).model_copy(update=by))
    if cause.turn == state.own.talk:
        events += [p.ChannelClosed(channel="hall"), _open(state, "ballot-1")]
    return events


def _count(state: VoteState, cause: Answered) -> list[p.Event]:
    given = [one.action.args for one in cause.answers if isinstance(one.action, p.Act)]
    votes = {name: given.count(name) for name in state.standing}
    most = max(votes.values())
    leaders = [name for name in votes if votes[name] == most]
    events: list[p.Event] = [
        p.OpenEvent.model_validate({"kind": "vote.counted", "votes": votes, "leaders": leaders}),
        p.Measured(name="agreement", value=most / len(state.bots)),
        _heard(cause, f"{', '.join(leaders)}: {most} of {len(state.bots)} votes."),
        p.ChannelClosed(channel=cause.channel),
    ]
    if len(leaders) == 1:
        return [*events, p.Ended(reason="world", detail=f"{leaders[0]} is elected")]
    return [*events, _open(state, f"ballot-{int(cause.channel.removeprefix('ballot-')) + 1}")]


def _open(state: VoteState, name: str) -> p.Event:
    policy = "round_robin" if name == "hall" else "simultaneous"
    return p.ChannelOpened(channel=name, members=state.bots, hears="all", policy=policy)


def _heard(at: Answered, text: str) -> p.Heard:
    return p.Heard(
        channel=at.channel, turn=at.turn, round=at.round, speaker=None, audience="all", text=text
    )
