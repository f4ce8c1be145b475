"""Sentences with slots: fill them, and recognise them when they come back."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from functools import cache

CONTRACTIONS = tuple(
    (re.compile(spelled), spoken)
    for spelled, spoken in (
        (r"\b([Ii]s|[Aa]re|[Dd]o|[Dd]oes|[Dd]id|[Hh]as|[Ww]ould) not\b", r"\1n't"),
        (r"\b([Cc])annot\b", r"\1an't"),
        (r"\b([Ww])ill not\b", r"\1on't"),
        (r"\bI would(?= [\w{])", "I'd"),
        (r"\bI will(?= [\w{])", "I'll"),
        (r"(?<!hat )\bI am(?= [\w{])", "I'm"),
        (r"\b([Ww])e will(?= [\w{])", r"\1e'll"),
        (r"\b([Ww])e are(?= [\w{])", r"\1e're"),
        (r"\b([Ll])et us(?= [\w{])", r"\1et's"),
        (r"\b(It|it|That|There|there) is(?= [\w{])", r"\1's"),
    )
)
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[.!?][\"”])\s+")
TOPIC_SLOTS = frozenset({"topic", "is", "s", "does", "has", "it", "them"})


def agreement(*, plural: bool) -> dict[str, str]:
    """Give the verb forms and pronouns that agree with a topic.

    Example:
        >>> agreement(plural=True)["is"], agreement(plural=False)["them"]
        ('are', 'it')
    """
    if plural:
        return {"is": "are", "s": "", "does": "do", "has": "have", "it": "they", "them": "them"}
    return {"is": "is", "s": "s", "does": "does", "has": "has", "it": "it", "them": "it"}


@cache
def slots_of(template: str) -> frozenset[str]:
    """List the slots of a template.

    Example:
        >>> sorted(slots_of("Yes to {that}, {name}."))
        ['name', 'that']
    """
    return frozenset(slot for _, slot, _, _ in string.Formatter().parse(template) if slot)


def render(template: str, slots: Mapping[str, str]) -> str:
    """Fill a template and begin it with a capital, unless it begins with a name."""
    text = template.format_map(slots)
    starts_with_name = template.startswith(("{name}", "{third}", "{other}", "{asked}"))
    return text if starts_with_name else text[:1].upper() + text[1:]


@cache
def unaddressed(template: str) -> str:
    """Take the address out of a template, for when nobody has a name.

    Example:
        >>> unaddressed("I hear you, {name}, and I disagree.")
        'I hear you, and I disagree.'
        >>> unaddressed("{name}, who told you about {that}?")
        'who told you about {that}?'
    """
    return re.sub(r"^\{name\}, ", "", template).replace(", {name}", "")


def contract(text: str) -> str:
    """Say it as one talks.

    Example:
        >>> contract("I would not hurry, and it is what I am.")
        "I wouldn't hurry, and it's what I am."
    """
    for spelled, spoken in CONTRACTIONS:
        text = spelled.sub(spoken, text)
    return text


def is_spoken(template: str, text: str) -> bool:
    """Tell whether a sentence of this template stands in the text.

    Args:
        template: With its address; it is found with and without.
        text: Lines to search, as `folded` gives them.

    Example:
        >>> is_spoken("{name}, who told you about {that}?", "well. ada, who told you about tea?")
        True
    """
    return any(_pattern(form).search(text) for form in {template, unaddressed(template)})


def folded(text: str) -> str:
    """Make sentences comparable: contracted, in lower case."""
    return contract(text).casefold()


@cache
def _pattern(template: str) -> re.Pattern[str]:
    parts = string.Formatter().parse(folded(template))
    spelled = "".join(re.escape(text) + (".{1,120}?" if slot else "") for text, slot, _, _ in parts)
    return re.compile(spelled.removeprefix(".{1,120}?"))


def sentences_in(text: str) -> list[str]:
    """Split a line into sentences, contracted and in lower case, to compare them.

    Example:
        >>> sentences_in("I am here. Are you?")
        ["i'm here.", 'are you?']
    """
    return [part for part in SENTENCE_END.split(folded(text).strip()) if part]
