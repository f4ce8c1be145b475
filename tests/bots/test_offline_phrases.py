"""The offline model's grammar: who is who, nothing twice, and no sentence that hurts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.offline import phrases, questions, sentences
from bots.offline.callings import CALLINGS
from bots.offline.phrases import LIMIT_CHARS, speak
from bots.offline.reader import Message, Scene, read_scene
from bots.offline.tempers import TEMPERS
from bots.offline.templates import TOPIC_SLOTS, sentences_in, slots_of, unaddressed
from bots.offline.trades import EVERYDAY, TRADES
from bots.offline.voices import Voice, items

VOICES = (*TRADES, *CALLINGS, *TEMPERS, EVERYDAY)
CUE_SLOTS = {"name", "third", "other", "asked", "that", "the", "word", "third_the"}
CUE_SLOTS |= {"pick_is", "pick_s", "pick_es", "pick_does", "pick_them"}
SLOTS = CUE_SLOTS | TOPIC_SLOTS | {"thing", "deed", "goal", "role", "opening"}
Trio = Mapping[str, str]

TOWN: Trio = {
    "Ada": "a bridge engineer.|You trust what has carried weight.|short and plain|"
    "find out what would fail first|open 0.5, conscientious 0.9, extraverted 0.4, agreeable 0.5",
    "Bo": "a retired judge.|A skeptic who asks for evidence.|courteous, precise|"
    "keep the talk fair|open 0.6, conscientious 0.7, extraverted 0.5, agreeable 0.3",
    "Cy": "a poet.|Warm, and sees images everywhere.|long winding sentences|"
    "make the others see a thing anew|open 0.9, extraverted 0.7, agreeable 0.9, neurotic 0.5",
}
LIES: Trio = {
    "Mira": "a night nurse.|Sat with many people at the worst hour.|gentle|"
    "protect whoever is weakest in the story|agreeable 0.95, neurotic 0.6",
    "Tomas": "a market trader.|Counts everything. Loud and funny.|joking|"
    "win the argument before lunch|extraverted 0.95, agreeable 0.2",
    "Ines": "a philosophy student.|Curious about every definition.|asks questions|"
    "separate what is useful from what is right|open 0.95",
}
MILL: Trio = {
    "gus": "||few words|be finished by noon|",
    "leila-2": "a software developer.|Worries about the night.||make sure nobody loses a thing|",
    "Otto": "the keeper of a mountain hut.|An optimist.|formal||conscientious 0.1",
}
TALKS = [
    (TOWN, "What is a town for?"),
    (LIES, "Should machines be allowed to lie to be kind?"),
    (MILL, "The council wants to close the old mill. What should we do?"),
]


def asked(name: str, trio: Trio, opening: str, said: Sequence[tuple[str, str]]) -> list[Message]:
    role, character, style, goals, traits = trio[name].split("|")
    others = " and ".join(one for one in trio if one != name)
    system = f"You are {name}{', ' * bool(role)}{role or '.'} You are talking with {others} "
    system += f'in the channel "main".\n\n{character}\n\nHow you speak: {style}\n'
    system += f"What you want:\n- {goals}\n" if goals else ""
    system += f"Temperament: {traits}\n" if traits else ""
    messages = [Message("system", system)]
    heard = [f"(opening) {opening}"]
    for speaker, text in said:
        if speaker == name:
            messages += [Message("user", "\n".join(heard)), Message("assistant", text)]
            heard = []
        else:
            heard.append(f"{speaker}: {text}")
    ask = f"Write {name}'s next message, and nothing else."
    return [*messages, Message("user", "\n".join([*heard, "", ask]))]


def conversation(trio: Trio, opening: str, *, seed: int, turns: int = 24) -> list[tuple[str, str]]:
    said: list[tuple[str, str]] = []
    for turn in range(turns):
        name = list(trio)[turn % len(trio)]
        said.append((name, speak(read_scene(asked(name, trio, opening, said)), seed + turn)))
    return said


def chat(*contents: str, system: str = "") -> Scene:
    turns = [Message("user", content) for content in contents]
    return read_scene([Message("system", system), *turns] if system else turns)


@pytest.mark.parametrize(("trio", "opening"), TALKS)
@pytest.mark.parametrize("seed", [1, 1000, 2000])
def test_no_sentence_is_said_twice_in_24_turns(trio: Trio, opening: str, seed: int) -> None:
    spoken = [
        sentence
        for _, text in conversation(trio, opening, seed=seed)
        for sentence in sentences_in(text)
    ]
    assert len(spoken) == len(set(spoken))


@pytest.mark.parametrize(("trio", "opening"), TALKS)
def test_who_is_answered_is_named_and_a_message_has_one_to_three_sentences(
    trio: Trio, opening: str
) -> None:
    said = conversation(trio, opening, seed=1)
    named = [any(one in text for one in trio if one != name) for name, text in said]
    assert sum(named) >= 21
    assert all(1 <= len(sentences_in(text)) <= 3 for _, text in said)


@pytest.mark.parametrize(("trio", "opening"), TALKS)
@pytest.mark.parametrize("seed", range(0, 1000, 100))
def test_the_english_holds(trio: Trio, opening: str, seed: int) -> None:
    wrong = re.compile(
        r"  |[{}]|\b(\w+) \1\b|\b[Aa] [aeio]|\b[Aa]n [^aeiouh\W]|[,;] ?[.,;]|\?\.|I'm matters"
        r"|(?<!suspect )\bthat \w+ are\b"
        r"|\bthose \w+ (?:is|has|does|needs)\b|\ba an\b|\bthe a\b"
    )
    for _, text in conversation(trio, opening, seed=seed):
        assert not wrong.search(text.replace("Could be, could be", ""))
        starts = [part for part in re.split(r"(?<=[.?]) ", text.replace('"', "")) if part]
        assert all(one[0].isupper() or one.startswith(tuple(trio)) for one in starts)
        assert text[-1] in '.?"'


def test_each_persona_is_heard_in_its_own_words() -> None:
    said = conversation(TOWN, "What is a town for?", seed=5)
    for name, stem in (("Ada", "engineer"), ("Bo", "judge"), ("Cy", "poet")):
        own = next(voice for voice in VOICES if stem in voice.stems.split())
        words = " ".join(text for speaker, text in said if speaker == name)
        others = [voice for voice in (*TRADES, *CALLINGS) if voice is not own]
        marks = sum(thing in words for thing in items(own.things))
        views = sum(view.split("{topic}")[-1][1:20] in words for view in own.views)
        assert marks + views >= 2
        assert (
            max(sum(thing in words for thing in items(one.things)) for one in others)
            <= marks + views
        )


def test_goals_are_spoken_sooner_or_later() -> None:
    words = " ".join(text for _, text in conversation(LIES, "Is it kind to lie?", seed=3, turns=60))
    assert "protect whoever is weakest in the story" in words
    assert "win the argument before lunch" in words


def test_a_question_put_by_name_gets_the_answer_that_belongs_to_it() -> None:
    said = [("Bo", "A town is a promise. Ada, where would you begin?"), ("Cy", "I hear rain.")]
    answers = dict(questions.ASKED)["{other}, where would you begin?"]
    for seed in range(20):
        text = speak(read_scene(asked("Ada", TOWN, "What is a town for?", said)), seed)
        assert "Bo" in text
        assert "I'd begin with" in text or "and the rest comes after" in text
    assert len(answers) == 2


def test_a_question_put_to_another_is_left_to_the_other() -> None:
    said = [("Bo", "Cy, where would you begin?")]
    texts = [speak(read_scene(asked("Ada", TOWN, "Why?", said)), seed) for seed in range(20)]
    assert sum("Cy" in text for text in texts) >= 10


def test_the_same_seed_says_the_same_and_another_mostly_something_else() -> None:
    scene = read_scene(asked("Ada", TOWN, "What is a town for?", [("Bo", "A roof and a road.")]))
    texts = [speak(scene, seed) for seed in range(30)]
    assert texts == [speak(scene, seed) for seed in range(30)]
    assert len(set(texts)) >= 25


def test_without_a_persona_it_says_what_it_is_when_asked() -> None:
    for question in ("Are you a human?", "Who are you?", "you are an AI, right?"):
        assert speak(chat(question), 1).startswith(phrases.HONEST)


def test_a_persona_that_is_asked_what_it_is_neither_affirms_nor_denies() -> None:
    for seed in range(20):
        said = [("Bo", "Ada, are you a human or a machine?")]
        text = speak(read_scene(asked("Ada", TOWN, "What is a town for?", said)), seed)
        assert "what I am" in text.replace("What", "what")


@pytest.mark.parametrize(
    "content", ["", "Hello!", "Tell me about rivers.", "?", "🙂", "Note: buy tea"]
)
def test_any_client_without_names_and_system_prompt_is_answered(content: str) -> None:
    text = speak(chat(content), 1)
    assert text
    assert "Note" not in text


def every_template() -> list[str]:
    groups = [*sentences.REPLIES.values(), *questions.BY_FIRST_WORD.values()]
    groups += [*questions.RETORTS.values(), *(answers for _, answers in questions.ASKED)]
    groups += [sentences.STARTS, sentences.FIRST_WORDS, sentences.GOES_ON, sentences.LEAVES_TO]
    groups += [sentences.THINGS, sentences.DEEDS, sentences.ROLES, sentences.GOALS]
    groups += [sentences.RETURNS, sentences.BRIDGES, sentences.UNNAMED]
    groups += [questions.GREETINGS, questions.SIDESTEPS, tuple(one for one, _ in questions.ASKED)]
    return [one for group in (*groups, *(voice.views for voice in VOICES)) for one in group]


def test_every_template_has_known_slots_and_stands_once_and_alone() -> None:
    templates = every_template()
    assert len(templates) == len(set(templates))
    for template in templates:
        assert slots_of(template) <= SLOTS
        assert len(sentences_in(template)) == 1
        assert not re.search(r", (?:is|are|has|have) ", unaddressed(template))


def test_every_question_among_the_replies_has_its_answers() -> None:
    replies = {one for stance in sentences.REPLIES.values() for one in stance}
    assert {one for one in replies if one.endswith("?")} | {
        "Suppose {name} is wrong about {that}; what then?"
    } == set(questions.RETORTS)


@pytest.mark.parametrize("voice", VOICES)
def test_every_voice_has_words_of_its_own(voice: Voice) -> None:
    assert len(voice.views) == len(set(voice.views)) >= 4
    assert items(voice.deeds)
    assert all(len(sentences_in(view)) == 1 for view in voice.views)
    assert voice.stance in {"", *sentences.REPLIES}


TEXTS = st.text(max_size=200) | st.sampled_from(["Bo: hi", "(opening) Why?", "\x00", "Ada: ?"])
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant", "tool"]), TEXTS), max_size=8
)


@settings(max_examples=200, deadline=None)
@given(MESSAGES, TEXTS, st.integers())
def test_whatever_is_asked_the_answer_is_short_printable_and_nobody_elses(
    messages: list[Message], loose: str, seed: int
) -> None:
    system = f"You are Ada, {loose}. You are talking with Bo.\n\n{loose}\nWhat you want:\n- {loose}"
    scene = read_scene([Message("system", system), *messages])
    text = speak(scene, seed)
    assert 0 < len(text) <= LIMIT_CHARS
    assert text == " ".join(text.split())
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text)
    assert not any(text.startswith(f"{name}:") for name in scene.names)
    assert text == speak(read_scene([Message("system", system), *messages]), seed)


def test_other_words_ask_for_another_version() -> None:
    said = [conversation(trio, opening, seed=7) for trio, opening in TALKS]
    digest = hashlib.sha256(repr((said, every_template(), VOICES)).encode()).hexdigest()[:16]
    pinned = {"parley-offline-phrases-1": "399f23d1ceade107"}
    assert pinned.get(phrases.VERSION) == digest, "the words changed: raise VERSION, pin again"
