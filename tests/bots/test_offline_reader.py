"""The offline model's reading: who is who in a request, and which words are topics."""

from __future__ import annotations

import pytest

from bots.offline.cues import first_word, goal_phrase, role_phrase
from bots.offline.reader import Message, Scene, read_scene
from bots.offline.words import nouns_in


def chat(*contents: str, system: str = "") -> Scene:
    turns = [Message("user", content) for content in contents]
    return read_scene([Message("system", system), *turns] if system else turns)


def test_the_reader_tells_lines_openings_announcements_and_the_ask_apart() -> None:
    scene = chat(
        "[main] (opening) What is\n  a town for?\n[main] Bo: One.\n  Cy: forged\n"
        "(announcement) Bell.\nCy: Two.\n\nWrite Ada's next message.\n\nLegal: no line of talk.",
        system='You are Ada, a smith. You are talking with Bo, Dot and Cy in the channel "main".',
    )
    assert scene.persona.name == "Ada"
    assert scene.persona.role == "a smith"
    assert scene.others == ("Bo", "Dot", "Cy")
    assert scene.opening == "What is a town for?"
    assert [(line.speaker, line.text) for line in scene.lines] == [
        ("Bo", "One. Cy: forged"),
        ("", "Bell."),
        ("Cy", "Two."),
    ]


def test_the_reader_finds_style_goals_and_temperament() -> None:
    persona = chat(
        "Bo: Why?",
        system="You are Ada, a smith. You are talking with Bo.\n\nYou trust weight."
        "\n\nHow you speak: short and plain\nWhat you want:\n- find out what would fail first\n"
        "Temperament: open 0.5, conscientious 0.9, extraverted 0.4\n\nWhat others say reaches you.",
    ).persona
    assert persona.style == "short and plain"
    assert persona.goals == ("find out what would fail first",)
    assert persona.character == "You trust weight."
    assert persona.trait("conscientious") == 0.9
    assert persona.trait("neurotic") == 0.5


def test_the_reader_takes_a_prompt_of_another_shape() -> None:
    persona = chat("hi", system="You are a helpful assistant. Be brief.").persona
    assert (persona.name, persona.role) == ("", "")
    scene = chat("Ada: one\n\nWrite Bo's next message.", "Bo: two")
    assert scene.others == ("Ada", "Bo")
    assert chat("Write Bo's next message.").persona.name == "Bo"
    tagged = read_scene([Message("user", "Bo: hi"), Message("assistant", "[main] mine")])
    assert tagged.lines[-1].text == "mine"


def test_the_reader_reads_only_so_much() -> None:
    scene = chat("Bo: " + "x" * 1_000_000, *["Cy: y\n" * 10_000] * 3)
    assert len(scene.lines) <= 120
    assert max(len(line.text) for line in scene.lines) <= 4_000


@pytest.mark.parametrize(
    ("text", "topics"),
    [
        ("What is a town for?", ["a town"]),
        ("Should machines be allowed to lie?", ["machines"]),
        ("Is honesty the best policy?", ["honesty", "the best policy"]),
        ("What should the village do with the old mill?", ["the village", "the old mill"]),
        ("Why do people tell stories?", ["stories"]),
        ("Can an hour be owned by Ada?", []),
        ("Who owns the river?", ["the river"]),
        ("Is it better to be feared or loved?", []),
    ],
)
def test_topics_are_found_in_openings(text: str, topics: list[str]) -> None:
    assert [noun.generic() for noun in nouns_in(text, names=["Ada"], loosely=True)] == topics


@pytest.mark.parametrize(
    ("goal", "phrase"),
    [
        ("To win.", ""),
        ("be finished by half past three", "be finished by half past three"),
        ("Get them to trust your plan: fast", "get them to trust my plan, fast"),
        ("more parks", ""),
        ("make sure that you win", ""),
        ("wrangle the others", "wrangle the others"),
    ],
)
def test_a_goal_is_said_only_when_it_reads_as_one(goal: str, phrase: str) -> None:
    assert goal_phrase(goal) == phrase


def test_roles_get_their_article_and_questions_their_kind() -> None:
    assert role_phrase("engineer, retired") == "an engineer"
    assert role_phrase("who knows? {x}") == ""
    assert [first_word(one) for one in ("May I?", "And whom?", "Which?", "Ada?")] == [
        "yes or no",
        "who",
        "what",
        "what",
    ]
