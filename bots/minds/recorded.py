"""A mind that answers what was answered before: from a dataset, or from a run that was.

It answers the same place (channel, turn, bot, tries) of the same conversation. If the
prompt is not the one that was answered then, that is an error, and it shows where the
two part: so a change of code, persona or template is found at the first turn it touches.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from bots.minds.recording import RUN, Place, Recording, read_folder, read_run
from bots.minds.seam import NOTHING_KNOWN, About, Answer, Request, StopSignal
from bots.speech import said
from utils import keys
from utils.calls import CallRecord, ChatMessage, Source, messages_sha256
from utils.errors import BadInput, MindFailed, Missing, StreamError
from utils.spec import ModelSpec, Option
from utils.streams import Streams

SHOWN_CHARACTERS = 24
"""How much is shown of two prompts on each side of the place where they part."""


class RecordedMind:
    """Answers from a record.

    Args:
        model: Its `record` names a dataset's folder, or `run:` and a run's id; then
            `host` is the server that holds the run, as `REDIS_URL` spells it.

    Raises:
        BadInput: No record is named.
    """

    source: Source = "recorded"
    waits = False
    about = NOTHING_KNOWN

    def __init__(self, model: ModelSpec) -> None:
        if not model.record:
            raise BadInput(
                "the mind 'recorded' needs a record", mend="add record: with a folder, or run:ID"
            )
        self._model = model
        self._recording: Recording | None = None

    def preflight(self) -> None:
        """Read the record, whole.

        Raises:
            Missing: It is not there, or nothing was answered in it.
        """
        self._read()

    def answer(self, request: Request, stop: StopSignal) -> Answer:
        """Answer as it was answered then.

        Raises:
            MindFailed: `not_found`, nothing was answered there; `protocol`, another
                prompt was.
        """
        recording = self._read()
        place = Place(request.channel, request.turn, request.bot, request.tries)
        told = recording.at(place)
        if not told:
            raise _not_there(recording, place)
        sha256 = messages_sha256(request.messages)
        same = [one for one in told if one.messages_sha256 == sha256]
        if not same:
            then = told[0].record.messages
            raise MindFailed(
                "protocol",
                f"the prompt at {_spelled(place)} is not that of {recording.name}: "
                f"{difference(then, request.messages)}",
            )
        seeded = [one for one in same if one.seed == request.seed]
        return answer_of((seeded[0] if seeded else same[-1]).record)

    def token_scale(self, place: Place) -> float:
        """Tell what estimates were multiplied by when the prompt of a place was made."""
        told = self._read().at(place)
        return told[0].record.token_scale if told else 1.0

    def sends(self, request: Request) -> dict[str, Option]:
        """Nothing: no model is asked."""
        return {}

    def close(self) -> None:
        """There is nothing to let go."""

    def _read(self) -> Recording:
        """Read the record, the first time. Raises `Missing`."""
        if self._recording is None:
            self._recording = _read(self._model)
        return self._recording


def difference(then: tuple[ChatMessage, ...], now: tuple[ChatMessage, ...]) -> str:
    """Show where two prompts part.

    Example:
        >>> old = ChatMessage(role="user", content="Bo: What is a town for?")
        >>> new = ChatMessage(role="user", content="Bo: What is a house for?")
        >>> difference((old,), (new,))
        "message 1, character 15: then 'Bo: What is a town for?', now 'Bo: What is a house for?'"
        >>> difference((old,), (old, new))
        'then it had 1 messages, now 2'
    """
    for number, (old, new) in enumerate(zip(then, now, strict=False), 1):
        if old.role != new.role:
            return f"message {number}: then of the {old.role}, now of the {new.role}"
        if old.content != new.content:
            pairs = zip(old.content, new.content, strict=False)
            shorter = min(len(old.content), len(new.content))
            at = next((place for place, (a, b) in enumerate(pairs) if a != b), shorter)
            return (
                f"message {number}, character {at + 1}: then {_around(old.content, at)}, "
                f"now {_around(new.content, at)}"
            )
    return f"then it had {len(then)} messages, now {len(now)}"


def _around(text: str, at: int) -> str:
    return ascii(text[max(0, at - SHOWN_CHARACTERS) : at + SHOWN_CHARACTERS])


def answer_of(record: CallRecord) -> Answer:
    """Make the answer that a record holds."""
    # What stood between tags in the text is set apart again, and must not be there twice.
    in_text = said(record.response, display="", others=(), max_chars=0).thinking
    return Answer(
        text=record.response,
        action=record.action,
        thinking=record.thinking.removesuffix(in_text),
        done_reason=record.done_reason,
        sent=record.options,
        about=About(
            server=record.server,
            digest=record.model_digest,
            language_model=record.language_model,
            quantization=record.quantization,
            context_tokens=record.context_tokens,
            capabilities=record.capabilities,
        ),
        prompt_tokens=record.prompt_tokens,
        answer_tokens=record.answer_tokens,
    )


def _read(model: ModelSpec) -> Recording:
    try:
        recording = _recording_of(model)
    except StreamError as bad:
        what = f"the record {model.record} cannot be used: {bad}"
        raise Missing(what, mend="export it, and name the dataset's folder") from bad
    if not len(recording):
        raise Missing(f"nothing was answered in {recording.name}", mend="name another record")
    return recording


def _recording_of(model: ModelSpec) -> Recording:
    if not model.record.startswith(RUN):
        return read_folder(Path(model.record))
    if urlsplit(model.host).scheme not in {"redis", "rediss", "unix"}:
        raise BadInput(f"where is {model.record}?", mend="set REDIS_URL, or add host: redis://...")
    streams = Streams(model.host, name="parley-record")
    try:
        calls = keys.calls(model.record.removeprefix(RUN))
        if streams.tally(calls)[0] > streams.count(calls):
            why = f"the first calls of {model.record} are on disk alone"
            raise BadInput(why, mend="export it, and name the dataset's folder")
        return read_run(streams, model.record.removeprefix(RUN))
    finally:
        streams.close()


def _not_there(recording: Recording, place: Place) -> MindFailed:
    failed = recording.failed(place)
    why = f"{len(failed)} attempts failed then: {', '.join(failed)}" if failed else "nobody asked"
    return MindFailed("not_found", f"{recording.name} has no answer at {_spelled(place)}; {why}")


def _spelled(place: Place) -> str:
    tries = f", try {place.tries + 1}" if place.tries else ""
    return f"{place.channel}, turn {place.turn}, {place.bot}{tries}"
