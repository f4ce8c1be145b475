"""bots.csv: one bot, and how it fared."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from analytics.columns import Row, decimal, integer, text
from analytics.fold import Fold
from analytics.tallies import Tally
from utils.spec import MemorySpec

QUANTILES = (0.5, 0.9, 0.99)

COLUMNS = (
    text("bot", "The bot's name in the run.", "Spec.bots"),
    text("display", "The name it is shown and addressed by.", "Spec.bots"),
    text("persona", "Its persona.", "Spec.bots"),
    text("mind", "The kind of mind that answers for it.", "Spec.models"),
    text("model", "The model its mind asks; empty where it asks none.", "Spec.models"),
    text("template", "Its prompt template.", "Spec.bots"),
    text("template_sha256", "The template's hash.", "Spec.bots"),
    text("memory", "Kind, amount, unit and scope of its memory.", "Spec.bots"),
    integer("seatings", "How often a host took its seat.", "Seated", unit="times"),
    integer("said", "Messages of its own.", "Heard.speaker", unit="messages"),
    integer(
        "received",
        "Messages it heard that were not its own, words from outside among them.",
        "Heard.audience, ChannelOpened, MemberJoined, MemberLeft",
        unit="messages",
    ),
    integer(
        "addressed",
        "Messages of its own that name an addressee.",
        "Heard.addressee",
        unit="messages",
    ),
    integer(
        "own_ignored",
        "Of these, those whose addressee did not speak in the next turn of the channel in which "
        "any bot spoke. Those after which no bot spoke are not counted. Who may speak is the "
        "policy's choice: compare only runs of one policy.",
        "Heard.addressee, Heard.turn, Heard.speaker",
        unit="messages",
    ),
    integer("granted", "Grants it was given.", "Granted", unit="grants"),
    integer("answered", "Grants it closed by an action.", "Acted", unit="grants"),
    integer("passed", "Grants it closed by passing.", "Passed", unit="grants"),
    integer("revoked", "Grants that were taken back.", "Revoked", unit="grants"),
    integer("revoked_deadline", "Of these, for time.", "Revoked.reason", unit="grants"),
    integer("revoked_lost", "Of these, for want of a host.", "Revoked.reason", unit="grants"),
    integer("revoked_failed", "Of these, for a failed mind.", "Revoked.reason", unit="grants"),
    integer(
        "late",
        "Of those answered, by the bot, after they were due: see `actions`.",
        "Granted.due_ms, Woke.world_ms",
        unit="grants",
    ),
    integer("fell_back", "Times the world acted in its stead.", "FellBack", unit="times"),
    decimal(
        "latency_mean_ms",
        "Mean time from a grant to its closing, over answered and passed grants, to 0.001.",
        "Granted, Acted, Passed, Commit.at_ms",
        unit="ms",
    ),
    *(
        integer(
            f"latency_{name}_ms",
            f"{meaning} of the same times: exact, the value of nearest rank.",
            "Granted, Acted, Passed, Commit.at_ms",
            unit="ms",
        )
        for name, meaning in (
            ("min", "The least"),
            ("p50", "The median"),
            ("p90", "The 0.9 quantile"),
            ("p99", "The 0.99 quantile"),
            ("max", "The greatest"),
        )
    ),
    integer("calls", "Attempts at its model.", "CallRecord.bot", unit="calls"),
    integer("calls_failed", "Of these, not answered.", "CallRecord.outcome", unit="calls"),
    integer(
        "prompt_tokens",
        "Sum over all attempts; empty when no server counted.",
        "CallRecord.prompt_tokens",
        unit="tokens",
    ),
    integer(
        "answer_tokens",
        "Sum over all attempts; empty when no server counted.",
        "CallRecord.answer_tokens",
        unit="tokens",
    ),
)


def rows(fold: Fold) -> Iterator[Row]:
    """Write every bot as a row: the scenario's in its order, then any others."""
    for bot, tally in fold.tallies.items():
        yield _who(fold, bot) | _floor(tally) | _latency(tally.latencies) | _calls(tally)


def quantile(times: Counter[int], share: float) -> int:
    """Find a quantile by nearest rank: the least value with this share at or below it.

    Args:
        times: Milliseconds to how often, at least one.
        share: In [0, 1].

    Source:
        Hyndman and Fan 1996, Sample Quantiles in Statistical Packages, definition 1.

    Example:
        >>> quantile(Counter([10, 20, 30, 40]), 0.5), quantile(Counter([7]), 0.99)
        (20, 7)
    """
    rank = max(1, math.ceil(share * times.total()))
    for value in sorted(times):
        rank -= times[value]
        if rank <= 0:
            return value
    raise ValueError("no times")


def _who(fold: Fold, bot: str) -> Row:
    spec, model = fold.bots.get(bot), fold.model(bot)
    return {
        "bot": bot,
        "display": fold.displays.get(bot),
        "persona": spec.persona.name if spec else None,
        "mind": model.mind if model else None,
        "model": model.model if model else None,
        "template": spec.prompt.name if spec else None,
        "template_sha256": spec.prompt.sha256 if spec else None,
        "memory": _memory(spec.memory) if spec else None,
    }


def _memory(memory: MemorySpec) -> str:
    if memory.kind == "none":
        return memory.kind
    return f"{memory.kind} {memory.amount} {memory.unit} {memory.scope}"


def _floor(tally: Tally) -> Row:
    return {
        "seatings": tally.seatings,
        "said": tally.said,
        "received": tally.received,
        "addressed": tally.addressed,
        "own_ignored": tally.ignored,
        "granted": tally.granted,
        "answered": tally.answered,
        "passed": tally.passed,
        "revoked": tally.revoked.total(),
        "revoked_deadline": tally.revoked["deadline"],
        "revoked_lost": tally.revoked["lost"],
        "revoked_failed": tally.revoked["failed"],
        "late": tally.late,
        "fell_back": tally.fell_back,
    }


def _latency(times: Counter[int]) -> Row:
    if not times:
        return dict.fromkeys(
            f"latency_{name}_ms" for name in ("mean", "min", "p50", "p90", "p99", "max")
        )
    total_ms = sum(value * count for value, count in times.items())
    return {
        "latency_mean_ms": round(total_ms / times.total(), 3),
        "latency_min_ms": min(times),
        **{f"latency_p{round(share * 100)}_ms": quantile(times, share) for share in QUANTILES},
        "latency_max_ms": max(times),
    }


def _calls(tally: Tally) -> Row:
    return {
        "calls": tally.calls.total(),
        "calls_failed": tally.calls.total() - tally.calls["answered"],
        "prompt_tokens": tally.prompt_tokens,
        "answer_tokens": tally.answer_tokens,
    }
