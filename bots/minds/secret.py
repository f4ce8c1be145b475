"""A key that goes to a model server, taken out of whatever comes back and is kept.

A server may echo what it was sent: in an error, in a text, in a header. The key is looked
for as it is and as JSON, HTML and URLs write it, whole and in pieces: an error is cut where
it is too long, and a stream may break anywhere. A server that turns it into something else
is not found out.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from bots.minds.seam import About, Answer
from utils.errors import BadInput, MindFailed, Missing, one_line

SHORTEST = 8
"""A shorter key is a word that servers without keys are given: `none`, `EMPTY`, `ollama`."""

SHORTEST_IN_TALK = 16
"""In what is said, a key is also longer than `not-needed` or `password`, and has a digit: a bot
may say a word."""

PIECE = 12
"""So many characters of the key in a row are a piece of it; fewer may be anything."""


class Secret:
    """A key of the environment, if it is set there.

    Args:
        variable: Its name, which is shown in the key's place.

    Raises:
        BadInput: It holds what no header may hold.

    Example:
        >>> os.environ["TEA_KEY"] = "sk-earl/grey-0d41b7e2"
        >>> secret = Secret("TEA_KEY")
        >>> secret.hide("no sk-earl/grey-0d41b7e2 here"), secret.hide("sk-earl%2Fgrey-0d...")
        ('no [TEA_KEY] here', '[TEA_KEY]...')
        >>> del os.environ["TEA_KEY"]
    """

    def __init__(self, variable: str) -> None:
        self.key = os.environ.get(variable, "").strip()
        if not (self.key.isascii() and self.key.isprintable()):
            raise BadInput("it holds what no header may hold", where=variable)
        self._mark = f"[{variable}]"
        self._pieces = _pieces(self.key) if len(self.key) >= SHORTEST else ()
        self._is_word = len(self.key) < SHORTEST_IN_TALK or not re.search(r"\d", self.key)

    def hide(self, text: str) -> str:
        """Put the variable's name wherever the key, or a piece of it, stands."""
        spans = sorted(span for piece in self._pieces for span in _places(piece, text))
        shown, at = [], 0
        for index, (begin, end) in enumerate(spans):
            if index == 0 or begin > at:
                shown += [text[at:begin], self._mark]
            at = max(at, end)
        return "".join([*shown, text[at:]])

    def _hide_in_talk(self, text: str) -> str:
        return text if self._is_word else self.hide(text)

    def hide_in_answer(self, answer: Answer) -> Answer:
        """Take the key out of all that a server says in an answer."""
        if not self._pieces:
            return answer
        return replace(
            answer,
            text=self._hide_in_talk(answer.text),
            thinking=self._hide_in_talk(answer.thinking),
            done_reason=self.hide(answer.done_reason),
            about=self.hide_in_about(answer.about),
        )

    def hide_in_what_comes(self, ask: Callable[[], Answer]) -> Answer:
        """Ask, and take the key out of the answer, or of the failure that is raised."""
        try:
            return self.hide_in_answer(ask())
        except MindFailed as failure:
            self.hide_in_failure(failure)
            raise

    def hide_in_about(self, about: About) -> About:
        """Take the key out of what a server says of itself and of a model."""
        return replace(
            about,
            server=self.hide(about.server),
            digest=self.hide(about.digest),
            quantization=self.hide(about.quantization),
            capabilities=tuple(map(self.hide, about.capabilities)),
        )

    def hide_in_failure(self, failure: MindFailed) -> None:
        """Take the key out of all that is kept of a failure."""
        told = failure.partial, failure.thinking, failure.exchange.tail
        partial, thinking, tail = *map(self._hide_in_talk, told[:2]), self.hide(told[2])
        if (partial, thinking) != told[:2]:  # there it may stand in as many pieces as there were
            tail = self._mark
        failure.detail = self.hide(failure.detail)
        failure.args = (one_line(failure.detail, where=failure.kind),)
        failure.partial, failure.thinking = partial, thinking
        failure.exchange = replace(failure.exchange, tail=tail)

    def hide_in_missing(self, missing: Missing) -> Missing:
        """Say the same of a server, without the key."""
        return Missing(self.hide(missing.what), where=missing.where, mend=missing.mend)


def _pieces(key: str) -> tuple[str, ...]:
    """List what to look for: all pieces of the key, as anything may write it."""
    by_url = quote(key, safe="")
    lower = re.sub("%..", lambda mark: mark[0].lower(), by_url)
    by_json = json.dumps(key)[1:-1]
    forms = (key, by_json, by_json.replace("/", "\\/"), html.escape(key), by_url, lower)
    size = min(PIECE, len(key))
    pieces = (form[at : at + size] for form in forms for at in range(len(form) - size + 1))
    return tuple(dict.fromkeys(pieces))


def _places(piece: str, text: str) -> list[tuple[int, int]]:
    """List where a piece begins and ends in a text."""
    places, at = [], text.find(piece)
    while at >= 0:
        places.append((at, at + len(piece)))
        at = text.find(piece, at + 1)
    return places
