"""The salon: what is said is heard by whom it should be, and who is spoken to is known."""

from __future__ import annotations

import pytest

from tests.scenes import TEMPLATE, Table, spec_of
from utils.persona import Persona
from utils.protocol import (
    AskSay,
    ChannelClosed,
    ChannelOpened,
    Heard,
    MemberJoined,
    MemberLeft,
    OpenEvent,
    Pass,
    Say,
)
from utils.seeds import Chance
from utils.spec import BotSpec, ChannelSpec, FloorSpec, MemorySpec, Spec
from worlds.salon.rules import Salon, SalonState, addressee
from worlds.seam import Answer, Answered, Began, BotJoined, BotLeft, Cause, Told, Woke, WorldTime

NOW, CHANCE = WorldTime(at_ms=0, world_ms=0), Chance(7)
NAMES = {"ada": "ada", "bo": "bo", "old tom": "tom", "mary-jane": "mj", "jean luc picard": "jl"}


def opened(spec: Spec) -> tuple[Salon, SalonState]:
    """A salon whose channels are open."""
    salon = Salon()
    state = salon.initial(spec)
    for event in salon.decide(state, [Began()], NOW, CHANCE):
        state = salon.evolve(state, event)
    return salon, state


def said(text: str, *, bot: str = "ada") -> Answered:
    answer = Answer(bot=bot, epoch=1, action=Say(text=text), call_sha256=None)
    return Answered(channel="main", turn=1, round=1, answers=(answer,))


def spoken_to(display: str, text: str) -> str | None:
    """Whom Ada addresses with a text in company of a bot that is shown under a name."""
    bots = (
        BotSpec(name=name, persona=persona, prompt=TEMPLATE, model="m", memory=MemorySpec())
        for name, persona in (
            ("ada", Persona(name="ada", display="Ada")),
            ("guest", Persona(name="guest", display=display)),
        )
    )
    spec = spec_of(("ada", "guest")).model_copy(update={"bots": tuple(bots)})
    salon, state = opened(spec)
    (heard,) = salon.decide(state, [said(text)], NOW, CHANCE)
    assert isinstance(heard, Heard)
    return heard.addressee


@pytest.mark.parametrize(
    ("text", "bot"),
    [
        ("Ada, what do you think?", "ada"),
        ("what does ADA think", "ada"),
        ("Ada's right.", "ada"),
        ("Ada’s right.", "ada"),
        ("(Ada)", "ada"),
        ("**Ada**", "ada"),
        ("@ada!", "ada"),
        ("Bo said what Ada said.", "bo"),
        ("I agree with Old Tom. Ada?", "tom"),
        ("old\n tom", "tom"),
        ("Mary-Jane, listen.", "mj"),
        ("Well, Jean Luc Picard.", "jl"),
        ("ada" * 5_000 + " bo", "bo"),
    ],
)
def test_the_one_named_first_is_addressed(text: str, bot: str) -> None:
    assert addressee(text, NAMES) == bot


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nobody.",
        "Canada is about adaptation.",
        "Bob and Adam were robots.",
        "Tom is not old.",
        "Mary and Jane.",
        "ada-like",
        "Jean Luc.",
        "_ada_",
        "ada1",
    ],
)
def test_a_name_inside_a_word_or_in_part_addresses_nobody(text: str) -> None:
    assert addressee(text, NAMES) is None


@pytest.mark.parametrize("display", ["Zoë", "Øyvind", "Łucja", "Юлия", "李明", "Ngọc", "Mary-Jane"])
def test_a_name_in_any_script_addresses_its_bot(display: str) -> None:
    assert spoken_to(display, f"And you, {display}?") == "guest"
    assert spoken_to(display, f"And you, {display.upper()}?") == "guest"
    assert spoken_to(display, f"And you, {display}x?") is None


@pytest.mark.parametrize("display", ["O'Brien", "D’Arcy", "Dr. Lee", "J. R. R. Tolkien", "R2-D2"])
def test_a_name_with_signs_in_it_addresses_its_bot(display: str) -> None:
    assert spoken_to(display, f"And you, {display}?") == "guest"


@pytest.mark.parametrize("display", ["Zoe\u0308", "सीता", "ก้อง"])
def test_a_name_with_combining_marks_addresses_its_bot(display: str) -> None:
    assert spoken_to(display, f"And you, {display}?") == "guest"


def test_a_bot_may_be_addressed_by_its_own_name_or_the_one_it_is_shown_by() -> None:
    assert spoken_to("Grace Hopper", "Guest?") == "guest"
    assert spoken_to("Grace Hopper", "Grace Hopper?") == "guest"
    assert spoken_to("Grace Hopper", "Grace?") is None


def test_the_longer_of_two_names_that_begin_alike_is_meant() -> None:
    names = {"tom": "tom", "tom jones": "jones", "tom jones junior": "junior"}
    for bot in ("junior", "jones", "tom"):
        assert addressee(f"Ask {next(name for name in names if names[name] == bot)}!", names) == bot


def test_nobody_addresses_itself_or_one_who_is_not_there() -> None:
    channels = [
        ChannelSpec(name="main", members=("ada", "bo")),
        ChannelSpec(name="b", members=("cy",)),
    ]
    salon, state = opened(spec_of(channels=channels))
    heard = salon.decide(state, [said("I, Ada, and Cy, and Bo.")], NOW, CHANCE)
    assert [event.addressee for event in heard if isinstance(event, Heard)] == ["bo"]


def test_a_salon_opens_its_channels_in_order_each_with_its_opening_if_it_has_one() -> None:
    channels = [
        ChannelSpec(name="kitchen", members=("ada", "bo"), hears="self", turns=3),
        ChannelSpec(name="garden", members=("cy",), policy="random", opening="Well?"),
    ]
    salon = Salon()
    spec = spec_of(channels=channels)
    kitchen, garden, opening = salon.decide(salon.initial(spec), [Began()], NOW, CHANCE)
    assert kitchen == ChannelOpened(
        channel="kitchen", members=("ada", "bo"), hears="self", policy="round_robin", turns=3
    )
    assert isinstance(garden, ChannelOpened)
    assert garden.policy == "random"
    assert isinstance(opening, Heard)
    assert (opening.channel, opening.speaker, opening.text) == ("garden", None, "Well?")
    assert (opening.audience, opening.turn, opening.message_id) == ("all", 0, "")


@pytest.mark.parametrize(
    ("hears", "heard_by"),
    [
        ("all", "all"),
        ("self", ("ada",)),
        ("previous", ("ada", "bo")),
        ("neighbours", ("dee", "ada", "bo")),
    ],
)
def test_what_is_said_is_heard_by_the_channels_rule(
    hears: str, heard_by: str | tuple[str, ...]
) -> None:
    salon, state = opened(spec_of(("ada", "bo", "cy", "dee"), hears=hears))
    (heard,) = salon.decide(state, [said("Hm.")], NOW, CHANCE)
    assert isinstance(heard, Heard)
    assert heard.audience == heard_by


def test_only_words_are_heard() -> None:
    salon, state = opened(spec_of())
    answers = tuple(
        Answer(bot=bot, epoch=1, action=action, call_sha256=None)
        for bot, action in (("ada", Pass()), ("bo", None), ("cy", Say(text="I.")))
    )
    (heard,) = salon.decide(state, [Answered("main", 1, 1, answers)], NOW, CHANCE)
    assert isinstance(heard, Heard)
    assert heard.speaker == "cy"


def test_nothing_else_happens_in_a_salon() -> None:
    salon, state = opened(spec_of())
    causes: list[Cause] = [Woke(), BotJoined("ada"), BotLeft("ada"), Told("dance", None)]
    assert salon.decide(state, causes, NOW, CHANCE) == []
    assert salon.wake_ms(state) is None
    ask = salon.ask(state, "ada", "main")
    assert ask == AskSay(max_chars=FloorSpec().max_chars)
    assert salon.fallback(state, "ada", ask) is None


def test_a_salon_knows_who_is_where_as_channels_and_members_come_and_go() -> None:
    salon, state = opened(spec_of())
    assert salon.view(state, None) == {"main": ["ada", "bo", "cy"]}
    for event, view in (
        (MemberLeft(channel="main", bot="bo"), {"main": ["ada", "cy"]}),
        (MemberJoined(channel="main", bot="bo"), {"main": ["ada", "cy", "bo"]}),
        (OpenEvent(kind="town.rained"), {"main": ["ada", "cy", "bo"]}),
        (ChannelClosed(channel="main"), {}),
    ):
        state = salon.evolve(state, event)
        assert salon.view(state, None) == view
    salon, state = opened(spec_of(channels=[ChannelSpec(name="main", members=("ada",))]))
    assert salon.view(state, "bo") == {}
    assert salon.view(state, "ada") == {"main": ["ada"]}


def test_at_a_table_words_pass_from_the_grant_to_the_ears() -> None:
    table = Table(spec_of(hears="previous")).begin()
    table.propose(text="Bo, what is a town?", call_sha256="c" * 64)
    (heard,) = (event for event in table.events("heard") if event.speaker)
    assert (heard.epoch, heard.call_sha256, heard.turn, heard.round) == (1, "c" * 64, 1, 1)
    assert (heard.audience, heard.addressee) == (("ada", "bo"), "bo")
    seq, _, index = heard.message_id.partition(".")
    assert table.journal[int(seq) - 1].commit.events[int(index)] == heard
