"""Who a bot is, and how it is told: personas and prompt templates.

A template is text with placeholders. `{name}` becomes its value, `{{` and `}}` are
braces, and what a bot does not have leaves no trace, by one rule: **a line whose
placeholders are all empty is dropped, and with it the heading above it, if there is
one (a line that ends in a colon and has no placeholder); blank lines then left
together become one.**
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from utils.names import Name, nearest, shown
from utils.protocol import Frozen

PLACEHOLDERS: Mapping[str, str] = {
    "name": "the bot's name as others see it",
    "role": "the persona's role, with its article",
    "who": "name and role: `Ada, a bridge engineer`, or the name alone",
    "character": "the persona's paragraph",
    "style": "how the persona speaks",
    "goals": "what it wants, one line each, `- ` in front",
    "traits": "the Big Five in one line",
    "others": "who else is there: `Bo and Cy`",
    "channel": "the channel's name",
    "memory": "what the bot remembers beside the messages it is shown",
}

MAX_OPTIONS = 32
"""Options of a model, and texts of one option, such as stop sequences."""
_MARK = re.compile(r"\{\{|\}\}|\{(?P<word>\w+)\}|[{}]")
_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_HARMLESS = "\n\u200c\u200d"  # the joiners that some scripts need


def _printable(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in _CONTROL and character not in _HARMLESS:
            raise ValueError(f"must not hold the control character U+{ord(character):04X}")
    return text


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be one line")
    return _printable(text)


def _speakable(text: str) -> str:
    if ":" in text:
        raise ValueError("must not hold a colon, which ends a speaker's name in a prompt")
    return _one_line(text)


def _paragraph(text: str) -> str:
    if "\n\n" in text:
        raise ValueError("must be one paragraph, without blank lines")
    return _printable(text)


def _template(text: str) -> str:
    for mark in _MARK.finditer(text):
        word = mark["word"]
        if word is None and len(mark[0]) == 1:
            raise ValueError(f"has a single '{mark[0]}'; write '{mark[0] * 2}' for a brace")
        if word is not None and word not in PLACEHOLDERS:
            close = nearest(word, PLACEHOLDERS)
            known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
            mend = f"did you mean '{{{close}}}'?" if close else f"there is {known}"
            raise ValueError(f"has the unknown placeholder {shown(mark[0])}; {mend}")
    return _printable(text)


def _bounds(most: int, *, least: int = 0) -> StringConstraints:
    return StringConstraints(strict=True, strip_whitespace=True, min_length=least, max_length=most)


OptionName = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_]{0,31}$")]
OptionText = Annotated[str, StringConstraints(strict=True, max_length=200)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
OptionTexts = Annotated[tuple[OptionText, ...], Field(max_length=MAX_OPTIONS)]
OptionValue = StrictBool | StrictInt | Finite | OptionText | OptionTexts
Trait = Annotated[Finite, Field(ge=0, le=1)]


class MindOptions(Mapping[str, OptionValue]):
    """Options of a model, by name; cannot be changed, and can be hashed.

    Example:
        >>> {**MindOptions({"temperature": 0.4}), "num_predict": 80}
        {'temperature': 0.4, 'num_predict': 80}
    """

    __slots__ = ("_options",)

    def __init__(self, options: Mapping[str, OptionValue] | None = None) -> None:
        self._options = dict(options or {})

    def __getitem__(self, name: str) -> OptionValue:
        return self._options[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    def __hash__(self) -> int:
        return hash(frozenset(self._options.items()))

    def __repr__(self) -> str:
        return f"MindOptions({self._options!r})"


class BigFive(Frozen):
    """The five factors of temperament, each from 0 (low) to 1 (high)."""

    openness: Trait
    conscientiousness: Trait
    extraversion: Trait
    agreeableness: Trait
    neuroticism: Trait

    def line(self) -> str:
        """Write the five as one line of a prompt: `open 0.8, conscientious 0.6, ...`."""
        return (
            f"open {self.openness:g}, conscientious {self.conscientiousness:g}, "
            f"extraverted {self.extraversion:g}, agreeable {self.agreeableness:g}, "
            f"neurotic {self.neuroticism:g}"
        )


class Persona(Frozen):
    """Who a bot is. Only the name must be there.

    `display` is what others see and what stands in prompts: at most 40 printable
    characters, no colon; by default the name with a capital. `role` is written with
    its article. `mind` holds options that go to the model in place of the scenario's.

    Example:
        >>> Persona(name="ada", role="a bridge engineer").display
        'Ada'
    """

    name: Name
    display: Annotated[str, _bounds(40), AfterValidator(_speakable)] = Field(
        default="", validate_default=True
    )
    role: Annotated[str, _bounds(120), AfterValidator(_one_line)] = ""
    character: Annotated[str, _bounds(2000), AfterValidator(_paragraph)] = ""
    style: Annotated[str, _bounds(400), AfterValidator(_one_line)] = ""
    goals: tuple[Annotated[str, _bounds(200, least=1), AfterValidator(_one_line)], ...] = Field(
        default=(), max_length=6
    )
    big_five: BigFive | None = None
    mind: Annotated[
        Mapping[OptionName, OptionValue],
        Field(max_length=MAX_OPTIONS),
        AfterValidator(MindOptions),
        PlainSerializer(dict),
    ] = Field(default_factory=MindOptions)

    @field_validator("display")
    @classmethod
    def _named(cls, value: str, info: ValidationInfo) -> str:
        name = str(info.data.get("name", ""))
        return value or ("" if name == "none" else name.capitalize()[:40])


NO_PERSONA = Persona(name="none")
"""The persona of a bot that is nobody in particular: everything is empty."""


class PromptTemplate(Frozen):
    """How a bot is told who it is (`system`) and what to do now (`ask`).

    `sha256` names the framing: the SHA-256, in hex, of the JSON array
    `[system, ask]` (UTF-8, no spaces). It is computed; one that is given must agree.

    Example:
        >>> template = PromptTemplate(name="tiny", system="You are {name}.", ask="Speak.")
        >>> template.sha256[:12]
        '9bf557da5d63'
    """

    name: Name
    about: Annotated[str, _bounds(400), AfterValidator(_one_line)] = ""
    system: Annotated[str, _bounds(8000), AfterValidator(_template)] = ""
    ask: Annotated[str, _bounds(2000, least=1), AfterValidator(_template)]
    sha256: str = Field(default="", validate_default=True)

    @field_validator("sha256")
    @classmethod
    def _hashed(cls, value: str, info: ValidationInfo) -> str:
        content = [info.data.get("system"), info.data.get("ask")]
        if None in content:
            return value
        spelled = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        computed = hashlib.sha256(spelled.encode()).hexdigest()
        if value not in ("", computed):
            raise ValueError(f"must be {computed}, the hash of system and ask")
        return computed


def placeholders(
    persona: Persona, *, name: str, others: Sequence[str], channel: str, memory: str = ""
) -> dict[str, str]:
    """Give every placeholder its value for one bot.

    Args:
        persona: Who the bot is.
        name: The bot's name as others see it; the persona's `display` unless the
            scenario says otherwise.
        others: Names of those it talks with, in the order they are to stand.
        channel: The channel's name.
        memory: What it remembers beside the messages it is shown; may be empty.

    Returns:
        A value for each of `PLACEHOLDERS`. Empty where the persona has nothing.

    Example:
        >>> ada = Persona(name="ada", role="a bridge engineer", goals=("to cross",))
        >>> values = placeholders(ada, name="Ada", others=["Bo", "Cy"], channel="main")
        >>> values["who"], values["others"], values["goals"], values["traits"]
        ('Ada, a bridge engineer', 'Bo and Cy', '- to cross', '')
    """
    return {
        "name": name,
        "role": persona.role,
        "who": f"{name}, {persona.role}" if persona.role else name,
        "character": persona.character,
        "style": persona.style,
        "goals": "\n".join(f"- {goal}" for goal in persona.goals),
        "traits": persona.big_five.line() if persona.big_five else "",
        "others": _listed(others),
        "channel": channel,
        "memory": memory,
    }


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "nobody else"
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def render(text: str, values: Mapping[str, str]) -> str:
    r"""Fill in a template's text. What a value holds is never read as a template.

    Args:
        text: The `system` or `ask` of a loaded template.
        values: A value for each placeholder in the text; see `placeholders`.

    Returns:
        The text, by the rule at the head of this file, without blank lines at its ends.

    Raises:
        ValueError: A placeholder has no value.

    Example:
        >>> nobody = {"name": "Ada", "goals": ""}
        >>> render("You are {name}.\n\nYou want:\n{goals}\nSay {{hi}}.", nobody)
        'You are Ada.\n\nSay {hi}.'
    """
    kept: list[tuple[str, bool]] = []
    for line in text.splitlines():
        found = [mark["word"] for mark in _MARK.finditer(line) if mark["word"]]
        missing = [word for word in found if word not in values]
        if missing:
            raise ValueError(f"no value for the placeholder {missing[0]!r}")
        if found and not any(values[word] for word in found):
            if kept and kept[-1][0].rstrip().endswith(":") and not kept[-1][1]:
                kept.pop()
        elif line.strip() or (kept and kept[-1][0].strip()):
            kept.append((line.rstrip(), bool(found)))
    return "\n".join(_fill(line, values) for line, _ in kept).strip("\n")


def _fill(line: str, values: Mapping[str, str]) -> str:
    return _MARK.sub(lambda mark: values[mark["word"]] if mark["word"] else mark[0][:1], line)
