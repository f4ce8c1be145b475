"""What there is to answer: the line, who said it, its noun, and the question in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bots.offline.questions import BY_FIRST_WORD, SELF_QUESTION
from bots.offline.reader import Line, Scene, one_line
from bots.offline.templates import SENTENCE_END
from bots.offline.words import Noun, nouns_in, with_article
from utils.seeds import Chance

GREETING = re.compile(r"(?i)(?:hello|hi|hey|good (?:morning|day|evening|afternoon))\b")
YES_OR_NO = re.compile(
    r"(?i)(?:is|are|was|were|do|does|did|can|could|should|would|will|may|must|have|has)"
)
SAME_WORD = {"which": "what", "whom": "who", "whose": "who"}
VERBS = frozenset(
    """argue ask avoid be become bridge bring build calm challenge change convince cover create
    concede defend discover do draw encourage end enjoy entertain explain explore expose find
    get give guard hand have hear help hold include invite invent keep know lead learn leave let
    listen look lose make measure mend move name notice open pass persuade prevent propose prove
    protect push put question remind repair risk save say see sell serve settle show slow speak
    start stay stop take teach tell test think try turn understand win work write""".split()
)
OBJECTS = frozenset(
    """a an the this that these those my our your his her their its every each all what how why who
    where when whether people others everyone everybody somebody someone anyone us me them it
    out up down back more less at least one two both something on for""".split()
)


@dataclass(frozen=True, slots=True)
class Cue:
    """What the next answer answers.

    Args:
        kind: "start" (nothing was said yet), "alone" (only oneself spoke), "asked",
            "not me" (somebody else was asked), "self" (asked what one is), "hello"
            or "said".
        name: Who is answered; empty when nobody was named.
        question: The question put, for "asked".
        word: A key of `BY_FIRST_WORD`, for "asked".
        asked: Who was asked instead, for "not me".
        other: Whom to ask next; empty when there is nobody.
        noun: A noun of the line that is answered.
        third: Somebody else who spoke, and a noun of theirs.
    """

    kind: str
    name: str = ""
    question: str = ""
    word: str = "what"
    asked: str = ""
    other: str = ""
    noun: Noun | None = None
    third: tuple[str, Noun] | None = None

    def slots(self) -> dict[str, str]:
        """Spell out what can fill a slot."""
        given = {"name": self.name, "asked": self.asked, "other": self.other}
        if noun := self.noun:
            many = noun.plural
            given |= {"that": noun.that(), "the": noun.the(), "word": noun.word}
            given |= {"pick_is": "are" if many else "is", "pick_them": "them" if many else "it"}
            given |= {"pick_does": "do" if many else "does"}
            slots = {name: text for name, text in given.items() if text}
            slots |= {"pick_s": "" if many else "s", "pick_es": "" if many else "es"}
        else:
            slots = {name: text for name, text in given.items() if text}
        if self.third:
            slots |= {"third": self.third[0], "third_the": self.third[1].the()}
        return slots


def read_cue(scene: Scene, chance: Chance) -> Cue:
    """Decide what to answer: a question put to oneself first, else the last line."""
    me = scene.persona.name or "(self)"
    since = _since_own(scene.lines, me)
    last = next((line for line in reversed(scene.lines) if line.speaker != me), None)
    other = _whom_to_ask(scene, me, chance)
    if last is None:
        return Cue("alone" if scene.lines else "start", other=other)
    target, question = last, ""
    for line in reversed(since):
        if found := _question_to(me, line, scene):
            target, question = line, found
            break
    noun = _noun_of(target, scene, chance)
    third = _third(scene, {me, target.speaker}, noun, chance)
    kind, asked = "said", ""
    if question:
        kind = "self" if re.search(SELF_QUESTION, question) else "asked"
    elif len(target.text) < 60 and GREETING.match(target.text):
        kind = "hello"
    elif asked := _other_asked(target, scene, me):
        kind = "not me"
    word = first_word(question, scene.names)
    return Cue(kind, target.speaker, question, word, asked, other, noun, third)


def first_word(question: str, names: tuple[str, ...] = ()) -> str:
    """Sort a question by the word it begins with.

    Example:
        >>> first_word("So, Ada, why is that?", ("Ada",)), first_word("Is it true?")
        ('why', 'yes or no')
    """
    for said in re.finditer(r"\w+", question):
        word = SAME_WORD.get(said[0].casefold(), said[0].casefold())
        if said[0] not in names and YES_OR_NO.fullmatch(word):
            return "yes or no"
        if word in BY_FIRST_WORD:
            return word
    return "what"


def goal_phrase(goal: str) -> str:
    """Make "to ..." of a goal, or nothing when it is not a verb phrase about oneself.

    Example:
        >>> goal_phrase("Find out what your town can afford")
        'find out what my town can afford'
        >>> goal_phrase("A better town")
        ''
    """
    goal = re.sub(r"[.!?;](?:\s.*)?$", "", one_line(goal).replace(":", ","))
    goal = re.sub(r"(?i)^to ", "", goal)
    goal = re.sub(r"\byourself\b", "myself", re.sub(r"\byours?\b", "my", goal))
    words = goal.casefold().split()
    if len(words) < 2 or len(goal) > 90 or not goal.isprintable():
        return ""
    if {"you", "she", "he", "i"} & set(words):
        return ""
    if words[0] not in VERBS and (words[1] not in OBJECTS or words[0] in OBJECTS):
        return ""
    return goal[0].lower() + goal[1:]


def role_phrase(role: str) -> str:
    """Give a role its article, or nothing when it does not read as a role.

    Example:
        >>> role_phrase("bridge engineer"), role_phrase("the mayor of a small town")
        ('a bridge engineer', 'the mayor of a small town')
    """
    role = re.split(r",| who | that | with ", role)[0].strip()
    if not 3 <= len(role) <= 60 or not re.fullmatch(r"[\w' -]+", role) or not role.isprintable():
        return ""
    return role if re.match(r"(?i)(?:an?|the|one) ", role) else with_article(role)


def _since_own(lines: tuple[Line, ...], me: str) -> list[Line]:
    since: list[Line] = []
    for line in reversed(lines):
        if line.speaker == me:
            break
        since.insert(0, line)
    return since


def _questions(line: Line) -> list[str]:
    return [part for part in SENTENCE_END.split(line.text) if part.rstrip('"”').endswith("?")]


def _question_to(me: str, line: Line, scene: Scene) -> str:
    """Find the question of a line that is for me: by name, or because nobody else is here."""
    questions = _questions(line)
    named = [question for question in questions if _names(me, question)]
    if named:
        return named[-1]
    open_to_all = [
        question
        for question in questions
        if not any(_names(name, question) for name in scene.others if name != line.speaker)
    ]
    alone = len(set(scene.others) | {line.speaker}) == 1
    return open_to_all[-1] if open_to_all and alone else ""


def _other_asked(line: Line, scene: Scene, me: str) -> str:
    for question in _questions(line):
        for name in scene.others:
            if name not in (me, line.speaker) and _names(name, question):
                return name
    return ""


def _names(name: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) is not None


def _noun_of(line: Line, scene: Scene, chance: Chance) -> Noun | None:
    nouns = nouns_in(line.text, names=scene.names)
    about = {noun.word for noun in nouns_in(scene.opening, names=scene.names)}
    recent = " ".join(line.text.casefold() for line in scene.lines[-6:])
    fresh = [noun for noun in nouns if noun.word not in about and noun.that() not in recent]
    return chance.pick(fresh or nouns, "noun of the line") if nouns else None


def _third(
    scene: Scene, but: set[str], noun: Noun | None, chance: Chance
) -> tuple[str, Noun] | None:
    """Find somebody else among the last lines, with a noun of theirs."""
    if noun is None:
        return None
    for line in reversed(scene.lines[-8:]):
        if line.speaker and line.speaker not in but:
            found = [one for one in nouns_in(line.text, names=scene.names) if one.word != noun.word]
            if found:
                return line.speaker, chance.pick(found, "noun of a third")
    return None


def _whom_to_ask(scene: Scene, me: str, chance: Chance) -> str:
    """Prefer whoever has been silent longest."""
    others = [name for name in scene.others if name != me]
    if not others:
        return ""
    last_heard = {line.speaker: place for place, line in enumerate(scene.lines)}
    silent = sorted(others, key=lambda name: last_heard.get(name, -1))
    return chance.pick([silent[0], silent[0], *others], "whom to ask")
