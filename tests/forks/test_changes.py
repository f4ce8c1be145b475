"""Each kind of change: what it makes of the run after the fork, and nothing before it."""

from __future__ import annotations

import pytest

from bots.hearing import Hearing
from tests.forked import Played, finished, forked_spec, naming
from tests.scenes import spec_of
from tests.swarm import happened
from utils import keys
from utils.errors import BadInput
from utils.mail import ChannelEntry
from utils.spec import ChannelSpec, ModelSpec, Spec

TURNS = 12


@pytest.fixture(scope="module")
def parent() -> Played:
    return finished(spec_of(turns=TURNS))


def rule_spec() -> Spec:
    """Bots that say what they heard last: what they hear shows in their words."""
    return spec_of(turns=TURNS, model=ModelSpec(mind="rule", rule="echo"))


@pytest.fixture(scope="module")
def echo() -> Played:
    return finished(rule_spec())


def first_difference(one: Played, other: Played) -> int:
    """The number of the first message by which two runs differ."""
    pairs = zip(one.words, other.words, strict=False)
    return next(place for place, (a, b) in enumerate(pairs) if a != b)


def heard_by(run: Played, bot: str) -> list[str]:
    hearing = Hearing(bot)
    for entry in run.streams.range(keys.channel(run.run, "main")):
        hearing.take("main", ChannelEntry.model_validate_json(entry.body))
    return [event.text for _, event in hearing.heard]


# --- what was heard -----------------------------------------------------------------------


def test_words_heard_last_are_replaced_for_everybody_and_leave_a_trace(echo: Played) -> None:
    fork = echo.forked("turn:6", "heard.text=I sold the bridge.")
    assert first_difference(fork, echo) == 7  # an opening, six turns, then other words
    before = echo.words[6]
    assert fork.words[6] == before  # the record keeps what was said
    assert fork.words[7] == (*before[:3], "I sold the bridge.")
    for bot in ("ada", "bo", "cy"):
        assert heard_by(fork, bot)[:7] == [
            *(one[3] for one in echo.words[:6]),
            "I sold the bridge.",
        ]
    (told,) = fork.events("intervened")
    (unheard,) = fork.events("unheard")
    assert (told.author, told.verb, told.text) == ("fork", "reword", "I sold the bridge.")
    assert told.args == {"unheard": unheard.message_id}
    assert happened(echo.journal, "heard")[6].message_id == unheard.message_id


def test_words_heard_last_can_be_taken_back(echo: Played) -> None:
    fork = echo.forked("turn:6", "heard=delete")
    gone = echo.words[6][3]
    texts = [one[3] for one in echo.words]
    assert heard_by(fork, "cy")[:6] == texts[:6]
    assert gone in heard_by(echo, "cy")
    assert fork.events("intervened")[0].verb == "unhear"


def test_an_announcement_is_heard_by_all_at_the_fork(echo: Played) -> None:
    fork = echo.forked("turn:6", "inject=It rains.")
    (said,) = [one for one in happened(fork.own, "heard") if one.speaker is None]
    assert (said.text, said.turn, said.audience) == ("It rains.", 7, "all")
    assert "It rains." in heard_by(fork, "bo")
    assert first_difference(fork, echo) == 7


def test_a_bot_that_is_named_in_new_words_is_the_one_who_was_addressed() -> None:
    parent = finished(spec_of(turns=TURNS, policy="addressed"))
    (last,) = [one for one in parent.events("heard") if one.turn == 5]
    named = next(
        bot for bot in ("ada", "bo", "cy") if bot not in (last.speaker, parent.places()[5][5])
    )
    fork = parent.forked("turn:5", f"heard.text=What do you say, {named.capitalize()}?")
    assert fork.places()[5][5] == named
    assert fork.places()[:5] == parent.places()[:5]


def test_without_the_last_words_the_speaker_before_spoke_last() -> None:
    parent = finished(spec_of(turns=TURNS, policy="random"))
    fork = parent.forked("turn:5", "heard=delete")
    (unheard,) = fork.events("unheard")
    before = next(one for one in parent.events("heard") if one.turn == 4)
    assert unheard.last_speaker == before.speaker


def test_an_opening_can_be_other_words() -> None:
    parent = finished(rule_spec())
    fork = parent.forked("1", "heard.text=What is a bridge for?")
    (_, new, *_) = fork.events("heard")
    assert (new.text, new.turn, new.speaker) == ("What is a bridge for?", 0, None)
    assert heard_by(fork, "ada")[0] == "What is a bridge for?"


# --- the scenario -------------------------------------------------------------------------


def test_what_is_changed_in_the_scenario_holds_from_the_fork_on(parent: Played) -> None:
    fork = parent.forked(
        "turn:6",
        "bot.ada.persona.style=in questions",
        "bot.bo.persona=none",
        "bot.cy.memory.amount=3",
        "model.m.options.temperature=0.2",
        'model.m.lines=["Yes.", "No."]',
        "end.turns=20",
    )
    spec, before = fork.spec, parent.spec
    assert spec.bot("ada").persona.style == "in questions"
    assert (spec.bot("bo").persona.name, spec.bot("bo").persona.display) == ("none", "Bo")
    assert spec.bot("cy").memory.amount == 3
    assert dict(spec.models["m"].options) == {"temperature": 0.2}
    assert (before.models["m"].lines, before.bot("ada").persona.style) == ((), "")
    assert [text for *_, text in fork.words[7:]] == ["Yes.", "No."] * 7
    assert fork.words[:7] == parent.words[:7]
    assert len(fork.events("turn_closed")) == 20
    noted = [(one.args["key"], one.args["value"]) for one in fork.events("intervened")]
    assert noted == [(one["key"], one["value"]) for one in fork.events("forked")[0].changes]
    assert ("model.m.options.temperature", 0.2) in noted


def test_another_policy_chooses_from_the_very_turn_of_the_fork(parent: Played) -> None:
    fork = parent.forked("turn:6", "channel.main.policy=simultaneous")
    (changed,) = fork.events("channel_changed")
    assert (changed.channel, changed.hears, changed.policy) == ("main", "all", "simultaneous")
    assert [place[5] for place in fork.places()[6:9]] == ["ada", "bo", "cy"]
    assert {place[4] for place in fork.places()[6:]} == {3}


def test_another_edge_decides_who_hears_what_is_said_after_the_fork(parent: Played) -> None:
    fork = parent.forked("turn:6", "channel.main.hears=self")
    heard = [one for one in fork.events("heard") if one.turn]
    assert {one.audience for one in heard[:6]} == {"all"}
    assert {one.audience for one in heard[6:]} == {("ada",), ("bo",), ("cy",)}


def test_another_seed_draws_other_speakers_and_other_seeds() -> None:
    parent = finished(spec_of(turns=40, policy="random"))
    fork = parent.forked("turn:6", "seed=11")
    assert fork.places()[:6] == parent.places()[:6]
    assert all(
        ours[6] != theirs[6]
        for ours, theirs in zip(fork.places()[6:], parent.places()[6:], strict=False)
    )
    assert [one[5] for one in fork.places()] != [one[5] for one in parent.places()]


def test_the_naming_game_draws_who_meets_by_another_seed() -> None:
    parent = finished(naming())
    fork = parent.forked("turn:20", "seed=11")
    met, before = fork.events("channel_opened"), parent.events("channel_opened")
    upto = len(happened(fork.journal[: fork.own[0].seq - 1], "channel_opened"))
    assert met[:upto] == before[:upto]
    assert [one.members for one in met[upto:]] != [one.members for one in before[upto:]]


@pytest.mark.parametrize(
    "changes",
    [
        ("heard.text=I sold it.",),
        ("heard=delete",),
        ("inject=It rains.",),
        ('model.m.lines=["So?"]',),
        ("seed=3", "channel.main.policy=random"),
        ("bot.ada.persona.display=Countess",),
    ],
)
@pytest.mark.parametrize("turn", [1, 4, 9])
def test_nothing_differs_before_the_fork(
    parent: Played, changes: tuple[str, ...], turn: int
) -> None:
    fork = parent.forked(f"turn:{turn}", *changes)
    seq = fork.own[0].seq - 1
    assert [one.body for one in fork.journal[:seq]] == [one.body for one in parent.journal[:seq]]
    assert fork.words[: turn + 1] == parent.words[: turn + 1]


# --- what cannot be -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "changes", "line"),
    [
        ("0", (), "--at: '0' is before the run began"),
        ("turn:0", (), "before the run began"),
        ("soon", (), "--at: 'soon' is no place in a run; name a commit"),
        ("turn:13", (), "'turn:13' is past the end: the run ends with commit 14"),
        ("99", (), "the run ends with commit 14; the last place to fork it is commit 13"),
        ("turn:side:2", (), "the run has no channel 'side'; it has main"),
        ("5", ("style",), "--change: 'style' is no change; write KEY=VALUE"),
        ("5", ("bots.ada.model=m",), "unknown thing to change 'bots'; did you mean 'bot'?"),
        ("5", ("bot.adda.model=m",), "bot.adda.model: unknown bot 'adda'; did you mean 'ada'?"),
        ("5", ("bot.ada=m",), "it names nothing; write bot.NAME.persona"),
        ("5", ("bot.ada.persona.stile=m",), "unknown field 'stile'; did you mean 'style'?"),
        ("5", ("bot.ada.persona=nobody",), "unknown persona 'nobody'"),
        ("5", ("bot.ada.model=big",), "unknown model 'big'"),
        ("5", ("bot.ada.memory.amount=many",), "--change bot.ada.memory.amount: 'many'"),
        ("5", ("model.m.options.temperature.high=1",), "it names nothing"),
        ("5", ("model.m.mind=oracle",), "unknown mind 'oracle'"),
        ("5", ("channel.side.policy=random",), "unknown channel 'side'"),
        ("5", ("channel.main.policy=robin",), "unknown policy 'robin'"),
        ("5", ("channel.main.hears=graph",), "unknown audience 'graph'"),
        ("5", ("channel.main.opening=Hm",), "unknown thing to change 'opening'"),
        ("5", ("seed=eleven",), "--change seed: 'eleven'"),
        ("5", ("seed=7",), "it is so already; leave it out"),
        ("5", ("seed=8", "seed=9"), "--change seed: it is changed twice"),
        ("5", ("heard.side.text=Hm",), "unknown open channel 'side'"),
        ("5", ("heard=gone",), "it names nothing; write heard=delete"),
        ("5", ("heard.text= ",), "nothing is said"),
        ("5", ("inject=",), "nothing is said"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_line(
    parent: Played, at: str, changes: tuple[str, ...], line: str
) -> None:
    with pytest.raises(BadInput) as refused:
        forked_spec(parent.parent, at, *changes)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


def test_words_cannot_be_replaced_where_the_world_goes_by_deeds() -> None:
    with pytest.raises(BadInput, match="the world 'naming' goes by what was done"):
        finished(naming()).forked("turn:20", "heard=delete")


def test_with_several_channels_it_is_to_be_said_which_hears_an_announcement() -> None:
    channels = [
        ChannelSpec(name="one", members=("ada", "bo")),
        ChannelSpec(name="two", members=("bo", "cy")),
    ]
    parent = finished(spec_of(channels=channels, turns=8))
    with pytest.raises(BadInput, match="which channel"):
        parent.forked("turn:3", "inject=It rains.")
    for at, key in (("turn:3", "inject.two"), ("turn:two:2", "inject")):
        (said,) = [
            one
            for one in parent.forked(at, f"{key}=It rains.").events("heard")
            if one.speaker is None
        ]
        assert said.channel == "two"
