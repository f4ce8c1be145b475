"""The top of a report: what a run was, how it ended, and what a reviewer asks first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analytics.report import wording
from analytics.report.markup import Html, joined, table, tag
from analytics.report.source import Source

NO_MODEL = (
    "No language model answered here. The offline model did: a phrase grammar behind "
    "Ollama's API, which takes words from personas and from the last lines. What it says is no "
    "evidence about language models."
)
SOME_MODEL = (
    "Some answers came from a language model and some from the offline model, a "
    "phrase grammar which is none. The column language_model of calls.csv tells them apart."
)
WITHHELD = "The texts of this dataset were withheld: in their place are digests."
_NO_SERVER = {"rule": "rules", "scripted": "written lines"}
_ENDS = {
    "turns": "all its turns were done",
    "measure": "what it waited for was measured",
    "minutes": "its time was up",
    "silence": "nobody had acted for too long",
    "world": "its world ended it",
    "stopped": "somebody stopped it",
    "halted": "it could not go on",
}


@dataclass(frozen=True)
class Loss:
    """One way in which something of a run was lost.

    Attributes:
        parts: Columns of `runs` that count it; one with a minus is taken away.
        whole: The column that counts what it is a share of.
        unit: What that column counts.
        is_always_shown: Whether it is shown where there is none, too.
    """

    name: str
    parts: tuple[str, ...]
    whole: str
    unit: str
    meaning: str
    is_always_shown: bool = True

    def part(self, source: Source) -> float:
        """Count it in a run."""
        return sum(
            -source.number(one[1:]) if one.startswith("-") else source.number(one)
            for one in self.parts
        )


LOSSES = (
    Loss("Revoked for time", ("revoked_deadline",), "granted", "grant", "its deadline passed"),
    Loss(
        "Revoked, other",
        ("revoked", "-revoked_deadline"),
        "granted",
        "grant",
        "every attempt failed, a host was lost, the run ended",
    ),
    Loss("Resampled", ("calls_guarded",), "calls", "call", "a guard kept the answer back"),
    Loss("Cut", ("calls_cut",), "calls", "call", "more than space was cut from the answer"),
    Loss(
        "Failed attempts",
        ("calls_failed",),
        "calls",
        "call",
        "nothing of it was used: errors, resampled, malformed, cancelled",
    ),
    Loss("Malformed", ("calls_malformed",), "calls", "call", "not of the form asked for", False),
    Loss("Given up", ("turns_given_up",), "turns", "turn", "revoked until no try was left", False),
    Loss("Late", ("late",), "granted", "grant", "answered after the world had gone on", False),
)


def warnings(source: Source) -> list[str]:
    """Say what a reader must know before anything else."""
    said = _about_minds(source)
    if not source.dataset.has_texts:
        said.append(WITHHELD)
    if source.word("phase") != "closed":
        said.append(
            f"This run was {source.word('phase') or 'not begun'} when it was exported: it was cut "
            f"at commit {wording.count(source.number('commits'))}, and its tables are not final."
        )
    return said


def boxes(said: Iterable[str]) -> Html:
    """Write sentences that nobody should pass over."""
    return joined(tag("div", tag("p", one), class_="say", role="note") for one in said)


def findings(source: Source) -> Html | None:
    """Write what the dataset says of itself."""
    said = source.manifest.findings
    if not said:
        return None
    return joined((tag("h3", "Findings"), tag("ul", *(tag("li", one) for one in said))))


def how_it_ended(source: Source) -> str:
    """Say in words how a run ended."""
    reason = source.word("end_reason")
    if not reason:
        return "It has not ended."
    detail = source.word("end_detail")
    said = _ENDS.get(reason, reason)
    return f"It ended because {said}{f': {detail}' if detail else ''}."


def sums(source: Source) -> Html:
    """Write the few numbers that say how large a run was."""
    number = source.number
    shown = {name: wording.count(number(name)) for name in ("bots", "turns", "messages")}
    shown["model calls"] = wording.count(number("calls"))
    shown["run time"] = wording.duration(number("took_ms"))
    shown["commits"] = wording.count(number("commits"))
    if number("actions"):
        shown["actions"] = wording.count(number("actions"))
    if number("channels_opened") > 1:
        shown["channels"] = wording.count(number("channels_opened"))
    return numbers(shown)


def numbers(shown: Mapping[str, str]) -> Html:
    """Write a few numbers large, what they count below each."""
    parts = (tag("div", tag("dt", name), tag("dd", value)) for name, value in shown.items())
    return tag("dl", *parts, class_="sums")


def losses(source: Source) -> Html:
    """Write the shares of what was revoked, resampled, cut and failed."""
    rows = []
    for loss in LOSSES:
        part, whole = loss.part(source), source.number(loss.whole)
        if part or loss.is_always_shown:
            of = wording.count(whole, loss.unit)
            means = tag("div", loss.meaning, class_="long")
            rows.append((loss.name, _felt(part), of, wording.share(part, whole), means))
    return table(
        ("", "count", "of", "share", "what it means"),
        rows,
        numeric=(1, 2, 3),
        caption="Shares revoked, resampled, cut and failed",
    )


def _felt(part: float) -> Html:
    return tag("span", wording.count(part), class_="some" if part else None)


def _about_minds(source: Source) -> list[str]:
    answered = source.word("language_model")
    if answered == "no":
        return [NO_MODEL]
    if answered == "mixed":
        return [SOME_MODEL]
    minds = {one.mind for one in source.manifest.models}
    if minds and minds <= set(_NO_SERVER):
        kinds = " and ".join(_NO_SERVER[mind] for mind in sorted(minds))
        return [f"No model was asked: {kinds} answered for every bot."]
    return []
