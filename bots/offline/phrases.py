"""What the offline model says: a seeded phrase grammar. No model, no clock, no dice.

`speak(scene, seed)` is a pure function. It answers the last line by its speaker's name
and by a noun found in it, adds something from the persona's own words (trade, temper,
goals), and now and then asks somebody a question. Sentences that stand in the lines
already are not said again. The persona is played; nothing is understood.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bots.offline.callings import CALLINGS
from bots.offline.cues import Cue, goal_phrase, read_cue, role_phrase
from bots.offline.questions import ASKED, BY_FIRST_WORD, GREETINGS, RETORTS, SIDESTEPS
from bots.offline.reader import Scene
from bots.offline.sentences import (
    BRIDGES,
    DEEDS,
    FIRST_WORDS,
    GOALS,
    GOES_ON,
    LEAVES_TO,
    REPLIES,
    RETURNS,
    ROLES,
    STARTS,
    THINGS,
    UNNAMED,
)
from bots.offline.tempers import TEMPERS
from bots.offline.templates import (
    TOPIC_SLOTS,
    agreement,
    contract,
    folded,
    is_spoken,
    render,
    sentences_in,
    slots_of,
    unaddressed,
)
from bots.offline.trades import EVERYDAY, TRADES
from bots.offline.voices import Voice, best_voices, items
from bots.offline.words import Noun, nouns_in
from utils.seeds import Chance

VERSION = "parley-offline-phrases-1"
"""Changes whenever the same scene and seed would say something else."""

LIMIT_CHARS = 600
"""No answer is longer."""

TRIES = 6
TERSE = re.compile(r"(?i)\b(?:short|brief|terse|laconic|few words|clipped|sparse|quiet)")
LONG = re.compile(r"(?i)\b(?:long|winding|elaborate|flowery|rambling|detail|storytell|generous)")
ASKING = re.compile(r"(?i)\b(?:question|curious|asks?\b|socratic|inquisit)")
FORMAL = re.compile(r"(?i)\b(?:formal|courteous|courtly|elegant|old-fashioned|precise|academic)")
THE_QUESTION = Noun("question", "one", definite=True)
OWN_SLOTS = frozenset({"thing", "deed", "goal"})
HONEST = "This is parley-offline, which puts phrases together and is not a language model."


def speak(scene: Scene, seed: int) -> str:
    """Say the next thing as the scene's persona.

    Args:
        scene: Persona, company and lines, as `reader.read_scene` gives them.
        seed: Any integer; the same scene and seed give the same text.

    Returns:
        One to three sentences on one line, never empty, at most `LIMIT_CHARS`
        characters. It does not begin with a participant's name and a colon.
    """
    said = {sentence for line in scene.lines for sentence in sentences_in(line.text)}
    text = ""
    for attempt in range(TRIES):
        text = Draft(scene, _chance(scene, seed, attempt)).compose()
        if said.isdisjoint(sentences_in(text)):
            break
    for name in scene.names:
        if text.startswith(f"{name}:"):
            text = f"Well, {text}"
    return text


def _chance(scene: Scene, seed: int, attempt: int) -> Chance:
    last = scene.lines[-1].text if scene.lines else scene.opening
    place = "\n".join((str(seed), scene.persona.name, last, str(len(scene.lines)), str(attempt)))
    digest = hashlib.sha256(place.encode("utf-8", "replace")).digest()
    return Chance(int.from_bytes(digest[:8], "big"))


@dataclass
class Draft:
    """One answer in the making: what may be said, what was, and what is used up."""

    scene: Scene
    chance: Chance
    used: set[str] = field(default_factory=set)

    def compose(self) -> str:
        """Put the sentences together."""
        parts = [self._first()]
        if len(self.used) == 0 or self._wanted > 1:
            parts.append(self._own_word())
        if self._wants_to_ask():
            parts = [*parts[:2], self._question()]
        text = ""
        for part in filter(None, parts):
            if len(text) + len(part) < LIMIT_CHARS:
                text = f"{text} {part}".strip()
        return text

    @cached_property
    def cue(self) -> Cue:
        """What there is to answer."""
        return read_cue(self.scene, self.chance)

    @cached_property
    def trades(self) -> list[Voice]:
        """The persona's trade, or two when the text tells of two."""
        persona = self.scene.persona
        fitting = best_voices(TRADES + CALLINGS, persona, at_most=2)
        by_role = [voice for voice in fitting if voice.fit(persona) >= 4.0]
        by_text = [voice for voice in fitting[:1] if voice.fit(persona) >= 2.0]
        return by_role or by_text or [EVERYDAY]

    @cached_property
    def tempers(self) -> list[Voice]:
        """At most two temperaments."""
        return best_voices(TEMPERS, self.scene.persona, at_most=2)

    @cached_property
    def heard(self) -> str:
        """All lines, contracted and in lower case, one a line."""
        return "\n".join(folded(line.text) for line in self.scene.lines)

    @cached_property
    def subjects(self) -> list[Noun]:
        """What the conversation is about, the most important first."""
        names = self.scene.names
        if self.scene.opening:
            return nouns_in(self.scene.opening, names=names, loosely=True) or [THE_QUESTION]
        texts = [nouns_in(line.text, names=names) for line in self.scene.lines[-24:]]
        counted = Counter(noun for nouns in texts for noun in nouns)
        return [noun for noun, times in counted.most_common(1) if times > 3] or [THE_QUESTION]

    @cached_property
    def _wanted(self) -> int:
        persona = self.scene.persona
        wanted = (2, 2, 2, 1, 2)
        if TERSE.search(persona.style) or persona.trait("extraver") < 0.3:
            wanted = (1, 1, 2, 1, 2)
        elif LONG.search(persona.style):
            wanted = (2, 2, 2, 2, 2)
        return self.chance.pick(wanted, "length")

    def _first(self) -> str:
        """Answer what was said, or start when nothing was."""
        cue = self.cue
        if cue.kind == "start":
            return self._say(STARTS, "start")
        if cue.kind == "alone":
            return self._say(GOES_ON, "alone")
        if cue.kind == "self" and not self.scene.persona.name:
            self.used.add(HONEST)
            return HONEST
        if cue.kind == "asked":
            pairs, question = (*ASKED, *RETORTS.items()), folded(cue.question)
            known = [answers for asked, answers in pairs if is_spoken(asked, question)]
            said = self._say(known[0] if known else BY_FIRST_WORD[cue.word], "answer")
            return self._led(said or self._say(BY_FIRST_WORD["what"], "answer again"))
        if cue.kind in ("hello", "self"):
            return self._say(GREETINGS if cue.kind == "hello" else SIDESTEPS, cue.kind)
        if cue.kind == "not me" and self.chance.below(3, "leave to") > 0:
            return self._say(LEAVES_TO, "leave to")
        stances = [voice.stance for voice in self.tempers if voice.stance] * 3
        stance = self.chance.pick([*stances, *REPLIES], "stance")
        said = self._say(REPLIES[stance], "reply") or self._say(REPLIES["build"], "build")
        return self._led(said or self._say(UNNAMED, "unnamed"))

    def _own_word(self) -> str:
        """Add something of one's own."""
        if self.cue.kind == "start":
            return self._say(FIRST_WORDS, "first word")
        kinds: dict[str, tuple[int, Callable[[], str]]] = {
            "trade": (6, lambda: self._say(_views(self.trades), "trade")),
            "temper": (4, lambda: self._say(_views(self.tempers), "temper")),
            "thing": (2, lambda: self._say(THINGS, "thing")),
            "deed": (2, lambda: self._say(DEEDS, "deed")),
            "role": (1, lambda: self._say(ROLES, "role")),
            "goal": (2, lambda: self._say(GOALS, "goal")),
            "bridge": (2, lambda: self._say(BRIDGES, "bridge")),
            "return": (len(self.scene.lines) // 7, lambda: self._say(RETURNS, "return")),
        }
        deck = [kind for kind, (weight, _) in kinds.items() for _ in range(weight)]
        for kind in dict.fromkeys(self.chance.shuffled(deck, "kind")):
            if said := kinds[kind][1]():
                return said
        return self._say(THINGS, "anything", again=True)

    def _question(self) -> str:
        return self._say([asked for asked, _ in ASKED], "question")

    def _wants_to_ask(self) -> bool:
        mine = [line for line in self.scene.lines if line.speaker == self.scene.persona.name]
        likely = 20 + 20 * bool(ASKING.search(self.scene.persona.style))
        likely += round(20 * (self.scene.persona.trait("extraver") - 0.5))
        if mine and mine[-1].text.endswith("?"):
            likely //= 3
        return bool(self.cue.other) and self.chance.below(100, "asks") < likely

    def _led(self, text: str) -> str:
        """Put a word such as "well" before the sentence, now and then."""
        leads = [lead for voice in self.tempers for lead in items(voice.leads)]
        starts_with_name = text.startswith((*self.scene.names, '"'))
        if not leads or not text or starts_with_name or self.chance.below(100, "lead") >= 18:
            return text
        lead = self.chance.pick(leads, "lead word")
        keeps = re.match(r"I\b", text)
        return f"{lead[0].upper()}{lead[1:]}, {text if keeps else text[0].lower() + text[1:]}"

    def _say(self, templates: Sequence[str], label: str, *, again: bool = False) -> str:
        """Say the first template that has all its slots and was not said before, or nothing."""
        for template in self.chance.shuffled(templates, label):
            if not again and is_spoken(template, self.heard):
                continue
            shaped = template if self._addresses else unaddressed(template)
            slots = self._slots(slots_of(shaped), label)
            if slots.keys() >= slots_of(shaped):
                self.used |= {slots[name] for name in slots_of(shaped) & OWN_SLOTS}
                formal = FORMAL.search(self.scene.persona.style)
                return render(shaped if formal else contract(shaped), slots)
        return ""

    @cached_property
    def _addresses(self) -> bool:
        """Whether to call people by name: always in a group, mostly between two."""
        alone = len(self.scene.others) < 2
        return bool(self.cue.name) and not (alone and self.chance.below(10, "unaddressed") < 4)

    def _slots(self, wanted: frozenset[str], label: str) -> dict[str, str]:
        """Fill what can be filled of the wanted slots."""
        slots = self.cue.slots()
        if wanted & TOPIC_SLOTS:
            slots |= self._topic_slots(label)
        for name in sorted(wanted & self._lists.keys()):
            fresh = [item for item in self._lists[name] if item and item not in self.used]
            if fresh:
                slots[name] = self.chance.pick(fresh, label, name)
        return slots

    @cached_property
    def _lists(self) -> dict[str, list[str]]:
        """What is the speaker's own: phrases to pick from, those not heard yet."""
        voices, persona = (*self.trades, *self.tempers), self.scene.persona
        own = {
            "thing": [item for voice in voices for item in items(voice.things)],
            "deed": [item for voice in voices for item in items(voice.deeds)],
            "goal": [goal for goal in map(goal_phrase, persona.goals) if goal],
        }
        fresh = {
            name: [item for item in listed if folded(item) not in self.heard]
            for name, listed in own.items()
        }
        return {
            "thing": fresh["thing"] or own["thing"],
            "deed": fresh["deed"] or own["deed"],
            "goal": fresh["goal"],
            "role": [role_phrase(persona.role)],
            "opening": [_quotable(self.scene.opening)],
        }

    def _topic_slots(self, label: str) -> Mapping[str, str]:
        about = [self.subjects[0], *self.subjects[:3]]
        strays = {"trade": 4, "temper": 4, "thing": 2}.get(label, 0)
        strays += 3 * (about[0] is THE_QUESTION)
        if self.cue.noun and self.chance.below(10, "topic of the line", label) < strays:
            about = [self.cue.noun]
        noun = self.chance.pick(about, "topic", label)
        phrase = noun.the() if noun is self.cue.noun else noun.generic()
        return {"topic": phrase, **agreement(plural=noun.plural)}


def _views(voices: Iterable[Voice]) -> list[str]:
    return [view for voice in voices for view in voice.views]


def _quotable(text: str) -> str:
    return text if 8 <= len(text) <= 90 and '"' not in text and text.isprintable() else ""
