"""Grade C: recorded requests, asked again live, and how far the answers drift.

Each request goes out as it is in the record: messages, options, seed and format. What comes
back is compared with what was answered then. Nothing of it goes into any record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from bots.minds.recording import FAILURES
from bots.minds.seam import Answer, Mind, Request
from bots.minds.stop import Stop
from utils.callfile import RecordedCall
from utils.calls import CallRecord
from utils.errors import MindFailed
from utils.protocol import MAX_TEXT_CHARS, AskAct, AskSay

ASKED = ("ollama", "openai")
"""Minds whose requests can be sent again from their record."""

MOST_WORDS = 2_000
"""Of an answer, so many words are compared: that takes the product of both lengths."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One request, with what was answered then and now.

    Attributes:
        line: The call's place in the record, from 1.
        now: None if there is no answer now, and `failure` says why.
    """

    line: int
    call: RecordedCall
    then: CallRecord
    now: Answer | None = None
    failure: str = ""

    @property
    def is_identical(self) -> bool:
        """Whether the answer is the same, character for character."""
        return self.now is not None and self.now.text == self.then.response

    @property
    def is_same_request(self) -> bool | None:
        """Whether the same bytes went over the wire; none where either hash is not known."""
        sha256 = self.now.exchange.request_sha256 if self.now else ""
        if not (sha256 and self.then.request_sha256):
            return None
        return sha256 == self.then.request_sha256

    @property
    def similarity(self) -> float | None:
        """How alike the answers are; none where there is none now."""
        return None if self.now is None else similarity(self.then.response, self.now.text)


def similarity(one: str, other: str) -> float:
    """Measure how alike two texts are, word by word and in order.

    Returns:
        In [0, 1]: twice the words in matching blocks over the words of both; 1 for texts of
        the same words, two empty ones too. Words are what white space separates, as they
        are; only the first 2,000 of each are looked at.

    Source:
        Ratcliff and Metzener 1988, Pattern Matching: the Gestalt Approach; Python's
        `difflib.SequenceMatcher.ratio`, without its heuristic for frequent items. The
        order of the two matters a little, as that says; `one` is what was said first.

    Example:
        >>> similarity("A town is a promise.", "A town is a roof.")
        0.8
        >>> similarity("", "Yes."), similarity("", "")
        (0.0, 1.0)
    """
    words = one.split()[:MOST_WORDS], other.split()[:MOST_WORDS]
    return SequenceMatcher(None, *words, autojunk=False).ratio()


def asked_again(
    calls: Iterable[RecordedCall],
    mind_for: Callable[[CallRecord], Mind],
    *,
    bot: str | None = None,
    allow_ms: int = 120_000,
) -> Iterator[Pair]:
    """Ask every answered request again, one after another and each once.

    Attempts that failed then are passed over: there is nothing to compare with.

    Args:
        mind_for: Finds whom to ask.
        bot: Only this bot's.
        allow_ms: How long one answer may take.

    Yields:
        Each pair as soon as it is there.

    Raises:
        Missing: A server or a model is not there.
    """
    for line, call in enumerate(calls, 1):
        record = call.record
        if record is None or not can_be_asked(record) or bot not in (None, record.bot):
            continue
        try:
            answer = mind_for(record).answer(request_of(record, allow_ms=allow_ms), Stop())
        except MindFailed as failure:
            yield Pair(line, call, record, failure=str(failure))
        else:
            yield Pair(line, call, record, now=answer)


def can_be_asked(record: CallRecord) -> bool:
    """Tell whether a call asked a server, which answered."""
    return record.source == "model" and record.mind in ASKED and record.outcome not in FAILURES


def request_of(record: CallRecord, *, allow_ms: int) -> Request:
    """Make the request of a call again from its record.

    Example:
        The options that go out with it are the record's, seed and stops among them.
    """
    options = dict(record.options)
    seed, stop = options.pop("seed", record.seed), options.pop("stop", ())
    return Request(
        bot=record.bot,
        channel=record.channel,
        turn=record.turn,
        tries=record.tries,
        ask=AskSay(max_chars=MAX_TEXT_CHARS)
        if record.format is None
        else AskAct(name="answer", text="", answer_schema=record.format),
        messages=record.messages,
        options=options,
        seed=seed if isinstance(seed, int) else record.seed,
        allow_ms=allow_ms,
        stops=stop if isinstance(stop, tuple) else (str(stop),),
    )
